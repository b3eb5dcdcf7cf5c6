/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fds: the descriptors of this process as a whole. Rule 5 of the security model: what a program
 * inherits is decided right before exec, whatever flag was forgotten before.
 */
#ifndef RT_KERNEL_FDS_H
#define RT_KERNEL_FDS_H

#include <stddef.h>

/* Sets close-on-exec on all descriptors from `first` on. close_range with CLOSE_RANGE_CLOEXEC is
 * Linux 5.11; before that, and where it is denied, each entry of /proc/self/fd. -1 with errno. */
int fds_cloexec_from (int first);

/* Closes all descriptors from `first` on but those of `keep` (-1 = none), which it sorts. Where
 * close_range is missing it reads /proc/self/fd. -1 with errno. */
int fds_close_others (int first, int *keep, size_t count);

/* Opens /dev/null on those of 0, 1 and 2 that are closed, so that nothing that rt opens later is
 * taken for a standard stream. The first thing in main (). */
int fds_fill_standard (void);

/* The first of `count` descriptors from `first` on that is not open; -1 where all are. */
int fds_first_closed (int first, unsigned int count);

#endif
