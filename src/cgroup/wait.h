/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait: for what the kernel does with a cgroup in its own time. Private to cgroup/.
 */
#ifndef RT_CGROUP_WAIT_H
#define RT_CGROUP_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* Waits until cgroup.events of the v2 directory has the line `event` ("populated 0"): 1 it has, 0
 * not in time, -1 errno. Woken by the kernel. */
int wait_events (int dir, const char *event, int timeout_ms);

/* v1 tells nobody: short sleeps that grow from 0.25 ms to 16 ms. */
struct wait {
    int64_t deadline_ns;
    int64_t step_ns;
};
struct wait wait_begin (int timeout_ms);
/* Sleeps; false where the time was over before. */
bool wait_more (struct wait *wait);
/* Milliseconds left, not less than 0. */
int wait_left (const struct wait *wait);

#endif
