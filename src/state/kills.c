/* SPDX-License-Identifier: Apache-2.0 */
/* kills: see kills.h. */
#include "state/kills.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int kills_listen (int dir, struct error *err)
{
    int fd = openat (dir, KILLS_FILE, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0 && errno != ENOENT)
        return error_set (err, "RT-STATE-KILLS", errno, "make `%s` in the state directory",
                          KILLS_FILE);
    return fd;
}

int kills_are_heard (int dir, struct error *err)
{
    struct stat unused;

    if (fstatat (dir, KILLS_FILE, &unused, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return errno == ENOENT ? 0
                           : error_set (err, "RT-STATE-KILLS", errno,
                                        "look for `%s` in the state directory", KILLS_FILE);
}

int kills_leave (int dir, uint64_t count, struct error *err)
{
    AUTO_FD int fd = openat (dir, KILLS_FILE, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || pwrite (fd, &count, sizeof count, 0) != sizeof count)
        return error_set (err, "RT-STATE-KILLS", errno, "write `%s` in the state directory",
                          KILLS_FILE);
    return 0;
}

int kills_read (int fd, uint64_t *count)
{
    ssize_t length = pread (fd, count, sizeof *count, 0);

    return length < 0 ? -1 : length == sizeof *count;
}
