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
#include <stdlib.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1u << 2)
#endif

/* Calls `change` for each descriptor from `first` on, by /proc/self/fd; the listing's own among
 * them is up to it. */
static int for_each (int first, int (*change) (int fd, const int *keep, size_t count),
                     const int *keep, size_t count)
{
    uint64_t fd;
    AUTO_FD int listing = procfd_open ("self/fd", O_RDONLY | O_DIRECTORY);

    if (listing < 0)
        return -1;
    int own = listing;
    AUTO_DIR DIR *dir = fdopendir (listing);
    if (!dir)
        return -1;
    (void)take_fd (&listing); /* it is the DIR's now */
    struct dirent *entry;
    while (errno = 0, (entry = readdir (dir))) {
        if (text_to_uint64 (entry->d_name, INT_MAX, &fd) < 0 || fd < (uint64_t)first ||
            (int)fd == own)
            continue;
        if (change ((int)fd, keep, count) < 0)
            return -1;
    }
    return errno ? -1 : 0;
}

static int mark (int fd, const int *keep, size_t count)
{
    int flags = fcntl (fd, F_GETFD);

    (void)keep;
    (void)count;
    return flags < 0 ? -1 : fcntl (fd, F_SETFD, flags | FD_CLOEXEC);
}

int fds_cloexec_from (int first)
{
    if (sys_close_range ((unsigned int)first, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0)
        return 0;
    if (!sys_is_missing (errno) && errno != EINVAL)
        return -1;
    return for_each (first, mark, NULL, 0);
}

static int close_one (int fd, const int *keep, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fd == keep[i])
            return 0;
    (void)close (fd);
    return 0;
}

static int compare (const void *a, const void *b)
{
    int left = *(const int *)a;
    int right = *(const int *)b;

    return (left > right) - (left < right);
}

int fds_close_others (int first, int *keep, size_t count)
{
    unsigned int from = (unsigned int)first;

    qsort (keep, count, sizeof (*keep), compare);
    for (size_t i = 0; i <= count; i++) {
        unsigned int to = i < count ? (unsigned int)keep[i] : UINT_MAX;
        if (i < count && keep[i] < (int)from)
            continue;
        if (i == count || to > from) {
            if (sys_close_range (from, i == count ? UINT_MAX : to - 1, 0) < 0)
                return sys_is_missing (errno) ? for_each (first, close_one, keep, count) : -1;
        }
        from = to + 1;
    }
    return 0;
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
