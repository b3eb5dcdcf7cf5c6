/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait: for what the kernel does with a cgroup in its own time. Private to cgroup/.
 */
#ifndef RT_CGROUP_WAIT_H
#define RT_CGROUP_WAIT_H

#include "base/patience.h"

/* Waits until cgroup.events of the v2 directory has the line `event` ("populated 0"): 1 it has, 0
 * not in time, -1 errno. Woken by the kernel. */
int wait_events (int dir, const char *event, int timeout_ms);

#endif
