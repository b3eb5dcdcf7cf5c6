/* SPDX-License-Identifier: Apache-2.0 */
/* treecopy: see treecopy.h. */
#include "kernel/treecopy.h"

#include "base/cleanup.h"
#include "kernel/syscall.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define DEPTH_MAX 64

/* Owner first: chown takes the set-id bits away. Attributes that the target's file system does not
 * take are no loss that a caller could mend. */
static int copy_attributes (int from, int to, const struct stat *st)
{
    char names[4096];
    char value[4096];

    if (fchown (to, st->st_uid, st->st_gid) < 0 || fchmod (to, st->st_mode & 07777) < 0)
        return -1;
    ssize_t length = flistxattr (from, names, sizeof (names));
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen (names + at) + 1) {
        ssize_t size = fgetxattr (from, names + at, value, sizeof (value));
        if (size >= 0 && fsetxattr (to, names + at, value, (size_t)size, 0) < 0 &&
            errno != ENOTSUP && errno != EPERM)
            return -1;
    }
    return 0;
}

static int copy_file (int from_dir, int to_dir, const char *name, const struct stat *st)
{
    AUTO_FD int from = openat (from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    AUTO_FD int to =
        openat (to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (from < 0 || to < 0)
        return -1;
    for (;;) {
        ssize_t sent = sendfile (to, from, NULL, 1 << 20);
        if (sent < 0 && errno != EINTR)
            return -1;
        if (sent == 0)
            break;
    }
    return copy_attributes (from, to, st);
}

static int copy_directory (int from, int to, unsigned int depth);

static int copy_entry (int from, int to, const char *name, const struct stat *st,
                       unsigned int depth)
{
    char target[PATH_MAX];

    switch (st->st_mode & S_IFMT) {
    case S_IFREG:
        return copy_file (from, to, name, st);
    case S_IFDIR: {
        if (mkdirat (to, name, 0700) < 0)
            return -1;
        AUTO_FD int below = openat (from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        AUTO_FD int made = openat (to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below < 0 || made < 0 || copy_directory (below, made, depth + 1) < 0)
            return -1;
        return copy_attributes (below, made, st);
    }
    case S_IFLNK: {
        ssize_t length = readlinkat (from, name, target, sizeof (target) - 1);
        if (length < 0)
            return -1;
        target[length] = '\0';
        if (symlinkat (target, to, name) < 0)
            return -1;
        return fchownat (to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW);
    }
    default:
        if (mknodat (to, name, st->st_mode, st->st_rdev) < 0)
            return -1;
        if (fchownat (to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
            return -1;
        return fchmodat (to, name, st->st_mode & 07777, 0);
    }
}

static int copy_directory (int from, int to, unsigned int depth)
{
    struct stat above;
    struct stat st;
    AUTO_FD int again = openat (from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (depth > DEPTH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (again < 0 || fstat (again, &above) < 0)
        return -1;
    AUTO_DIR DIR *dir = fdopendir (again);
    if (!dir)
        return -1;
    (void)take_fd (&again);
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir (dir);
        if (!entry)
            return errno ? -1 : 0;
        const char *name = entry->d_name;
        if (strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
            continue;
        if (fstatat (dirfd (dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return -1;
        if (st.st_dev == above.st_dev && copy_entry (dirfd (dir), to, name, &st, depth) < 0)
            return -1;
    }
}

int treecopy (int from, int to)
{
    /* fsmount gives an O_PATH descriptor, which takes no fchown. */
    AUTO_FD int real = openat (to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (real < 0)
        return -1;
    return copy_directory (from, real, 0);
}
