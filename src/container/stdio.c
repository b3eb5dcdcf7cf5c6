/* SPDX-License-Identifier: Apache-2.0 */
/* stdio: see stdio.h. */
#include "container/stdio.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static bool is_null_device (int fd)
{
    struct stat st;

    return fstat (fd, &st) == 0 && S_ISCHR (st.st_mode) && st.st_rdev == makedev (1, 3);
}

/* The container's null device, or -1. Looked at before it is opened for use, since opening alone
 * can do something with a device or a FIFO; and after it, since the image's owner may be quick. */
static int open_null (int root, int access)
{
    AUTO_FD int seen = inroot_open (root, "/dev/null", O_PATH | O_NOFOLLOW);

    if (seen < 0 || !is_null_device (seen))
        return -1;
    AUTO_FD int null = inroot_open (root, "/dev/null", access | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    if (null < 0 || !is_null_device (null) || fcntl (null, F_SETFL, access) < 0)
        return -1;
    return take_fd (&null);
}

static int replace_null (int root, int fd, struct error *err)
{
    int flags = fcntl (fd, F_GETFL);

    if (flags < 0)
        return error_set (err, "RT-STDIO", errno, "descriptor %d", fd);
    AUTO_FD int null = open_null (root, flags & O_ACCMODE);
    if (null < 0) {
        log_debug ("descriptor %d stays on the host's /dev/null: the container's is not the null "
                   "device",
                   fd);
        return 0;
    }
    if (dup3 (null, fd, 0) < 0)
        return error_set (err, "RT-STDIO", errno, "cannot put /dev/null on descriptor %d", fd);
    return 0;
}

static int give (int fd, const struct stat *st, uid_t uid, struct error *err)
{
    if (!S_ISFIFO (st->st_mode) || st->st_uid == uid)
        return 0;
    if (fchown (fd, uid, (gid_t)-1) == 0)
        return 0;
    if (errno != EPERM && errno != EROFS && errno != EINVAL)
        return error_set (err, "RT-STDIO", errno, "cannot give the pipe on descriptor %d to uid %u",
                          fd, uid);
    log_debug ("the pipe on descriptor %d keeps its owner: %s", fd, error_words (errno));
    return 0;
}

int stdio_apply (int root, uid_t uid, struct error *err)
{
    struct stat st;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fstat (fd, &st) < 0) {
            if (errno == EBADF)
                continue; /* closed by the caller: so be it */
            return error_set (err, "RT-STDIO", errno, "descriptor %d", fd);
        }
        int done = is_null_device (fd) ? replace_null (root, fd, err) : give (fd, &st, uid, err);
        if (done < 0)
            return -1;
    }
    return 0;
}
