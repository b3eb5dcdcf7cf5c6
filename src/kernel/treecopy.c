/* SPDX-License-Identifier: Apache-2.0 */
/* treecopy: see treecopy.h. */
#include "kernel/treecopy.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "kernel/inroot.h"
#include "kernel/mountfd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define DEPTH_MAX 64
#define XATTR_MAX 65536 /* of one value, and of all names (xattr(7)) */
#define CHUNK (1 << 20)

struct copying {
    uint64_t mount; /* the only one that is copied from */
    char names[XATTR_MAX];
    char value[XATTR_MAX];
};

/* Attributes that the target's file system does not take are no loss that a caller could mend. */
static int copy_xattrs (struct copying *copying, int from, int to)
{
    ssize_t length = flistxattr (from, copying->names, sizeof (copying->names));

    if (length < 0)
        return errno == ENOTSUP ? 0 : -1;
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen (copying->names + at) + 1) {
        const char *name = copying->names + at;
        ssize_t size = fgetxattr (from, name, copying->value, sizeof (copying->value));
        if (size < 0 && errno != ENODATA && errno != ENOTSUP && errno != EPERM)
            return -1;
        if (size >= 0 && fsetxattr (to, name, copying->value, (size_t)size, 0) < 0 &&
            errno != ENOTSUP && errno != EPERM)
            return -1;
    }
    return 0;
}

/* Owner first: chown takes the set-id bits away. */
static int copy_attributes (struct copying *copying, int from, int to, const struct stat *st)
{
    if (fchown (to, st->st_uid, st->st_gid) < 0 || fchmod (to, st->st_mode & 07777) < 0)
        return -1;
    return copy_xattrs (copying, from, to);
}

/* The bytes from `at` to `end`, or less where the file has become shorter. */
static int copy_bytes (int from, int to, off_t at, off_t end)
{
    if (lseek (to, at, SEEK_SET) < 0)
        return -1;
    while (at < end) {
        off_t left = end - at;
        ssize_t sent = sendfile (to, from, &at, left < CHUNK ? (size_t)left : CHUNK);
        if (sent < 0 && errno != EINTR)
            return -1;
        if (sent == 0)
            break;
    }
    return 0;
}

/* Holes stay holes: they may be larger than all memory. A file of the kernel's own or of FUSE may
 * say that it is empty, and is not. */
static int copy_content (int from, int to, off_t size)
{
    off_t hole;

    if (size == 0)
        return copy_bytes (from, to, 0, INT64_MAX);
    for (off_t at = 0; at < size; at = hole) {
        at = lseek (from, at, SEEK_DATA);
        if (at < 0 && errno == ENXIO)
            break;
        if (at < 0 && errno != EINVAL)
            return -1;
        if (at < 0) /* the file system does not tell */
            return copy_bytes (from, to, 0, size);
        hole = lseek (from, at, SEEK_HOLE);
        if (hole < 0 && errno == ENXIO)
            break;
        if (hole < 0)
            return -1;
        if (hole > size)
            hole = size;
        if (copy_bytes (from, to, at, hole) < 0)
            return -1;
    }
    return ftruncate (to, size);
}

static int copy_file (struct copying *copying, int place, int to_dir, const char *name,
                      const struct stat *st)
{
    AUTO_FD int from = inroot_reopen (place, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    AUTO_FD int to =
        openat (to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (from < 0 || to < 0 || copy_content (from, to, st->st_size) < 0)
        return -1;
    return copy_attributes (copying, from, to, st);
}

static int copy_directory (struct copying *copying, int from, int to, unsigned int depth);

static int copy_subdirectory (struct copying *copying, int place, int to_dir, const char *name,
                              const struct stat *st, unsigned int depth)
{
    if (mkdirat (to_dir, name, 0700) < 0)
        return -1;
    AUTO_FD int from = openat (place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int to = openat (to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0 || to < 0 || copy_directory (copying, from, to, depth + 1) < 0)
        return -1;
    return copy_attributes (copying, from, to, st);
}

static int copy_link (int place, int to_dir, const char *name, const struct stat *st)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat (place, "", target, sizeof (target) - 1);

    if (length < 0)
        return -1;
    target[length] = '\0';
    if (symlinkat (target, to_dir, name) < 0)
        return -1;
    return fchownat (to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW);
}

/* The name is looked up once. All else is asked of the descriptor: what may write to the directory
 * could put another file there in between, and get the content of one with the owner and the
 * set-user-ID bit of the other. */
static int copy_entry (struct copying *copying, int from, int to, const char *name,
                       unsigned int depth)
{
    struct stat st;
    uint64_t mount;
    AUTO_FD int place = openat (from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (place < 0)
        return errno == ENOENT ? 0 : -1; /* gone since its directory was read */
    if (fstat (place, &st) < 0 || mountfd_id (place, &mount) < 0)
        return -1;
    if (mount != copying->mount)
        return 0;
    switch (st.st_mode & S_IFMT) {
    case S_IFREG:
        return copy_file (copying, place, to, name, &st);
    case S_IFDIR:
        return copy_subdirectory (copying, place, to, name, &st, depth);
    case S_IFLNK:
        return copy_link (place, to, name, &st);
    default:
        if (mknodat (to, name, st.st_mode, st.st_rdev) < 0 ||
            fchownat (to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
            return -1;
        return fchmodat (to, name, st.st_mode & 07777, 0);
    }
}

static int copy_directory (struct copying *copying, int from, int to, unsigned int depth)
{
    AUTO_FD int again = openat (from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (depth > DEPTH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    AUTO_DIR DIR *dir = again < 0 ? NULL : fdopendir (again);
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
        if (copy_entry (copying, dirfd (dir), to, name, depth) < 0)
            return -1;
    }
}

int treecopy (int from, int to)
{
    /* fsmount gives an O_PATH descriptor, which takes no fchown. */
    AUTO_FD int real = openat (to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FREE struct copying *copying = malloc (sizeof (*copying));

    if (!copying)
        memory_exhausted ();
    if (real < 0 || mountfd_id (from, &copying->mount) < 0)
        return -1;
    return copy_directory (copying, from, real, 0);
}
