/* SPDX-License-Identifier: Apache-2.0 */
/* procfd: see procfd.h. */
#include "kernel/procfd.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PROC_ROOT_INODE 1

static int root_fd = -1;
static bool closed;

int procfd_is_procfs (int fd)
{
    struct statfs fs;

    return fstatfs (fd, &fs) < 0 ? -1 : fs.f_type == PROC_SUPER_MAGIC;
}

static bool is_procfs (int fd)
{
    return procfd_is_procfs (fd) == 1;
}

int procfd_is_procfs_root (int fd)
{
    struct stat st;
    int on_procfs = procfd_is_procfs (fd);

    if (on_procfs != 1)
        return on_procfs;
    return fstat (fd, &st) < 0 ? -1 : st.st_ino == PROC_ROOT_INODE;
}

int procfd_root (void)
{
    if (root_fd >= 0)
        return root_fd;
    if (closed) {
        errno = ENOTSUP;
        return -1;
    }
    AUTO_FD int fd = openat (AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int is_root = fd < 0 ? -1 : procfd_is_procfs_root (fd);
    if (is_root < 0)
        return -1;
    if (!is_root) {
        errno = ENOTSUP;
        return -1;
    }
    return root_fd = take_fd (&fd);
}

void procfd_close (void)
{
    drop_fd (&root_fd);
    closed = true;
}

/* Without openat2: O_NOFOLLOW guards the last component; that nothing was laid over the others
 * shows in the device number, which is one for each procfs. */
static int open_checked (int root, const char *path, int flags)
{
    struct stat above;
    struct stat st;
    AUTO_FD int fd = openat (root, path, flags | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (fstat (root, &above) < 0 || fstat (fd, &st) < 0)
        return -1;
    if (above.st_dev != st.st_dev || !is_procfs (fd)) {
        errno = EXDEV;
        return -1;
    }
    return take_fd (&fd);
}

int procfd_open (const char *path, int flags)
{
    /* "self" is a plain symbolic link of procfs and must be followed. */
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS};
    int root = procfd_root ();

    if (root < 0)
        return -1;
    AUTO_FD int fd = sys_openat2 (root, path, &how);
    if (fd < 0 && sys_is_missing (errno))
        fd = open_checked (root, path, flags);
    return take_fd (&fd);
}

int procfd_write (const char *path, const void *bytes, size_t length)
{
    AUTO_FD int fd = procfd_open (path, O_WRONLY);

    if (fd < 0)
        return -1;
    ssize_t written;
    do
        written = write (fd, bytes, length);
    while (written < 0 && errno == EINTR);
    if (written < 0)
        return -1;
    if ((size_t)written != length) {
        errno = EIO;
        return -1;
    }
    return 0;
}

ssize_t procfd_read (const char *path, char *buffer, size_t size)
{
    AUTO_FD int fd = procfd_open (path, O_RDONLY);

    if (fd < 0)
        return -1;
    ssize_t length;
    do
        length = read (fd, buffer, size - 1);
    while (length < 0 && errno == EINTR);
    if (length >= 0)
        buffer[length] = '\0';
    return length;
}

int procfd_mount (const char *fdinfo, uint64_t *id)
{
    static const char word[] = "\nmnt_id:";
    char text[4096]; /* of some kinds (epoll, inotify) it is long, and this stands at its head */

    if (procfd_read (fdinfo, text, sizeof (text)) < 0)
        return -1;
    char *number = strstr (text, word);
    if (number) {
        number += sizeof (word) - 1;
        number += strspn (number, "\t ");
        number[strcspn (number, "\n")] = '\0';
        if (text_to_uint64 (number, UINT64_MAX, id) == 0)
            return 0;
    }
    errno = EPROTO;
    return -1;
}

ssize_t procfd_link (const char *path, char *buffer, size_t size)
{
    int root = procfd_root ();
    ssize_t length = root < 0 ? -1 : readlinkat (root, path, buffer, size);

    if (length < 0)
        return -1;
    if ((size_t)length == size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    buffer[length] = '\0';
    return length;
}
