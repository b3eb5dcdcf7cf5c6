/* SPDX-License-Identifier: Apache-2.0 */
/* procdir: see procdir.h. */
#include "kernel/procdir.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/mountfd.h"
#include "kernel/pidfd.h"
#include "kernel/privileges.h"
#include "kernel/procfd.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* 65536 groups of ten digits, and all the rest. */
#define FILE_LIMIT (1024 * 1024)
#define FILE_USUAL 4096

int procdir_open (pid_t pid, int pidfd)
{
    char path[16];

    (void)snprintf (path, sizeof (path), "%d", (int)pid);
    AUTO_FD int fd = procfd_open (path, O_PATH | O_DIRECTORY);
    if (fd < 0 && errno == ENOENT)
        errno = ESRCH;
    if (fd < 0)
        return -1;
    /* Opened first and asked then: a number is not given again before its process is reaped. */
    int holds = pidfd >= 0 ? pidfd_holds (pidfd, pid) : 1;
    if (holds == 0)
        errno = ESRCH;
    if (holds < 1)
        return -1;
    return take_fd (&fd);
}

int procdir_open_own (void)
{
    /* "self" is a link, which is followed only where it is not the last component. */
    return procfd_open ("self/.", O_PATH | O_DIRECTORY);
}

/* Without openat2: the device number, which is one for each procfs, shows that nothing was laid
 * over the file. */
static int open_checked (int process, const char *name)
{
    struct stat above;
    struct stat st;
    AUTO_FD int fd = openat (process, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (fstat (process, &above) < 0 || fstat (fd, &st) < 0)
        return -1;
    if (above.st_dev != st.st_dev) {
        errno = EXDEV;
        return -1;
    }
    return take_fd (&fd);
}

static int open_file (int process, const char *name)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
    int fd = sys_openat2 (process, name, &how);

    return fd < 0 && sys_is_missing (errno) ? open_checked (process, name) : fd;
}

/* What the kernel makes as one piece of text: less than there is room for is the end of it. Of a
 * file of several records (uid_map, mountinfo) it may give each one by itself. */
static bool is_one_piece (const char *name)
{
    return text_equal (name, "status") || text_equal (name, "cgroup");
}

/* What did not fit into the first read: `used` bytes of it are there. */
static const char *read_rest (int fd, const char *first, size_t used, struct arena *arena)
{
    size_t size = FILE_USUAL * 2;
    char *bytes = arena_alloc (arena, size);

    memcpy (bytes, first, used);
    for (;;) {
        ssize_t got = fd_read_small (fd, bytes + used, size - used);
        if (got < 0)
            return NULL;
        if (got == 0)
            return bytes;
        used += (size_t)got;
        if (used > FILE_LIMIT) {
            errno = EFBIG;
            return NULL;
        }
        if (size - used < FILE_USUAL / 4) {
            char *larger = arena_alloc (arena, size * 2);
            memcpy (larger, bytes, used + 1);
            bytes = larger;
            size *= 2;
        }
    }
}

const char *procdir_read (int process, const char *name, struct arena *arena)
{
    char first[FILE_USUAL];
    AUTO_FD int fd = open_file (process, name);
    ssize_t got = fd < 0 ? -1 : fd_read_small (fd, first, sizeof (first));

    if (got < 0)
        return NULL;
    if (got == 0 || (is_one_piece (name) && (size_t)got < sizeof (first) - 1))
        return arena_copy (arena, first, (size_t)got);
    return read_rest (fd, first, (size_t)got, arena);
}

int procdir_namespace (int process, const char *kind, ino_t *inode)
{
    char file[24];
    char link[64]; /* "mnt:[4026531841]" */
    uint64_t number;

    (void)snprintf (file, sizeof (file), "ns/%s", kind);
    ssize_t length = readlinkat (process, file, link, sizeof (link) - 1);
    if (length < 0)
        return -1;
    link[length] = '\0';
    size_t word = strlen (kind);
    char *digits = link + word + 2;
    if (strncmp (link, kind, word) != 0 || strncmp (link + word, ":[", 2) != 0 ||
        link[length - 1] != ']') {
        errno = EPROTO;
        return -1;
    }
    link[length - 1] = '\0';
    if (text_to_uint64 (digits, UINT64_MAX, &number) < 0) {
        errno = EPROTO;
        return -1;
    }
    *inode = (ino_t)number;
    return 0;
}

/* As the kernel fills it; libc 2.31 and musl know less of it. */
struct statx_answer {
    uint32_t mask;
    uint32_t pad[7];
    uint64_t inode;
    uint64_t pad2[12];
    uint32_t device_major;
    uint32_t device_minor;
    uint64_t mount;
    uint64_t spare[13];
};

_Static_assert(offsetof (struct statx_answer, inode) == 0x20, "struct statx");
_Static_assert(offsetof (struct statx_answer, device_major) == 0x88, "struct statx");
_Static_assert(offsetof (struct statx_answer, mount) == 0x90, "struct statx");
_Static_assert(sizeof (struct statx_answer) == 0x100, "struct statx");

#define ASK_INODE 0x0100u
#define ASK_MOUNT 0x1000u /* Linux 5.8 */

/* The same where statx is missing, or knows no mounts (before Linux 5.8). */
static int look_by_descriptor (int directory, const char *name, int flags,
                               struct procdir_root *root)
{
    AUTO_FD int opened = flags & AT_EMPTY_PATH ? -1 : openat (directory, name, O_PATH | O_CLOEXEC);
    int fd = flags & AT_EMPTY_PATH ? directory : opened;
    struct stat st;

    if (fd < 0 || fstat (fd, &st) < 0 || mountfd_id (fd, &root->mount) < 0)
        return -1;
    root->device = st.st_dev;
    root->inode = st.st_ino;
    return 0;
}

static int look (int directory, const char *name, int flags, struct procdir_root *root)
{
    struct statx_answer answer = {0};

    if (syscall (SYS_statx, directory, name, flags, ASK_INODE | ASK_MOUNT, &answer) < 0)
        return sys_is_missing (errno) ? look_by_descriptor (directory, name, flags, root) : -1;
    if (!(answer.mask & ASK_INODE) || !(answer.mask & ASK_MOUNT))
        return look_by_descriptor (directory, name, flags, root);
    *root = (struct procdir_root){.device = makedev (answer.device_major, answer.device_minor),
                                  .inode = (ino_t)answer.inode,
                                  .mount = answer.mount};
    return 0;
}

int procdir_root (int process, struct procdir_root *root)
{
    return look (process, "root", 0, root);
}

int procdir_root_of (int directory, struct procdir_root *root)
{
    return look (directory, "", AT_EMPTY_PATH, root);
}

int procdir_first_mount (int process, uint64_t *mount)
{
    AUTO_FD int fd = open_file (process, "mountinfo");
    char line[FILE_USUAL];
    uint64_t number;
    ssize_t length = fd < 0 ? -1 : fd_read_small (fd, line, sizeof (line));

    if (length < 0)
        return -1;
    *mount = 0;
    if (length == 0)
        return 0;
    line[strcspn (line, " ")] = '\0';
    if (text_to_uint64 (line, UINT64_MAX, &number) < 0) {
        errno = EPROTO;
        return -1;
    }
    *mount = number;
    return 0;
}

bool procdir_may_trace (void)
{
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;

    return capabilities_get (&effective, &permitted, &inheritable) == 0 &&
           (effective >> CAP_SYS_PTRACE & 1);
}
