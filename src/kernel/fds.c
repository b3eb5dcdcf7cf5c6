/* SPDX-License-Identifier: Apache-2.0 */
/* fds: see fds.h. */
#include "kernel/fds.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/procfd.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1u << 2)
#endif

int fds_cloexec_from (int first)
{
    uint64_t fd;

    if (sys_close_range ((unsigned int)first, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0)
        return 0;
    if (!sys_is_missing (errno) && errno != EINVAL)
        return -1;

    AUTO_FD int listing = procfd_open ("self/fd", O_RDONLY | O_DIRECTORY);
    if (listing < 0)
        return -1;
    AUTO_DIR DIR *dir = fdopendir (listing);
    if (!dir)
        return -1;
    (void)take_fd (&listing); /* it is the DIR's now */
    struct dirent *entry;
    while (errno = 0, (entry = readdir (dir))) {
        if (text_to_uint64 (entry->d_name, INT_MAX, &fd) < 0 || fd < (uint64_t)first)
            continue;
        int flags = fcntl ((int)fd, F_GETFD);
        if (flags < 0 || fcntl ((int)fd, F_SETFD, flags | FD_CLOEXEC) < 0)
            return -1;
    }
    return errno ? -1 : 0;
}

int fds_fill_standard (void)
{
    for (int fd = 0; fd <= 2; fd++) {
        /* The lowest free number is given: going up, it is the one that is missing. Stays open
         * over exec, as what stands on these numbers must. */
        if (fcntl (fd, F_GETFD) < 0 && open ("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
            return -1;
    }
    return 0;
}

int fds_first_closed (int first, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        if (fcntl (first + (int)i, F_GETFD) < 0)
            return first + (int)i;
    }
    return -1;
}
