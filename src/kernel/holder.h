/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holder: a process that does nothing but be there, for what must not be without processes:
 * systemd makes no scope without one, and ends a scope that has lost its last one.
 */
#ifndef RT_KERNEL_HOLDER_H
#define RT_KERNEL_HOLDER_H

#include <sys/types.h>

/* Born as this process's child, without any descriptor; dies with this process. *pidfd is
 * close-on-exec. Its pid, or -1 with errno. */
pid_t holder_begin (int *pidfd);

/* Kills and reaps it, and closes *pidfd; -1 is fine. When this returns it is in no cgroup. */
void holder_end (int *pidfd);

#endif
