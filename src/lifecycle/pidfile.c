/* SPDX-License-Identifier: Apache-2.0 */
/* pidfile: see pidfile.h. */
#include "lifecycle/pidfile.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/patience.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* The file that pidfile_write () has made. */
static struct {
    dev_t device;
    ino_t inode; /* 0 = none */
} made;

static int fail (const char *path, int errnum, struct error *err)
{
    return error_set (err, "RT-PIDFILE", errnum, "cannot write the pid file %s", path);
}

/* What is there, not what it points to. */
static int look (const char *path, struct stat *st)
{
    AUTO_FD int fd = open (path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? -1 : fstat (fd, st);
}

static int replace (const char *path, const char *digits, struct error *err)
{
    char temporary[PATH_MAX];
    struct stat st;

    if (snprintf (temporary, sizeof (temporary), "%s.%d", path, getpid ()) >= PATH_MAX)
        return fail (path, ENAMETOOLONG, err);
    AUTO_FD int fd = open (temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return fail (path, errno, err);
    if (fchmod (fd, 0644) < 0 || fd_write_all (fd, digits, strlen (digits)) < 0 ||
        fstat (fd, &st) < 0 || rename (temporary, path) < 0) {
        int saved = errno;
        (void)unlink (temporary);
        return fail (path, saved, err);
    }
    made.device = st.st_dev;
    made.inode = st.st_ino;
    return 0;
}

/* A device, a pipe, a link (/dev/stdout): it belongs to the host, and stays what it is. */
static int write_in_place (const char *path, const char *digits, struct error *err)
{
    struct stat st;
    AUTO_FD int fd = open (path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0) {
        int saved = errno;
        (void)fail (path, saved, err);
        if (saved == ENXIO)
            return error_hint (err, "a pipe needs a reader, a socket cannot be one");
        return saved == ENOENT ? error_hint (err, "it is a link to a file that is not there") : -1;
    }
    if (fstat (fd, &st) < 0 || (S_ISREG (st.st_mode) && ftruncate (fd, 0) < 0) ||
        fd_write_within (fd, digits, strlen (digits), patience_ms ()) < 0)
        return fail (path, errno, err);
    return 0;
}

int pidfile_write (const char *path, pid_t pid, struct error *err)
{
    char digits[16];
    struct stat st;

    (void)snprintf (digits, sizeof (digits), "%d", pid);
    if (look (path, &st) < 0)
        return errno == ENOENT ? replace (path, digits, err) : fail (path, errno, err);
    return S_ISREG (st.st_mode) ? replace (path, digits, err) : write_in_place (path, digits, err);
}

void pidfile_remove (const char *path)
{
    struct stat st;

    if (made.inode != 0 && look (path, &st) == 0 && st.st_dev == made.device &&
        st.st_ino == made.inode)
        (void)unlink (path);
    made.inode = 0;
}
