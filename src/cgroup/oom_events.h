/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oom_events: to be woken when the kernel kills a process of the container for want of memory
 * (FEATURES VRB-54).
 *
 * v2 counts such kills in memory.events, those of cgroups below too, and wakes who polls that file.
 * v1 has an eventfd that adds up, made for memory.oom_control, which has a counter as well. The
 * kernel adds to the eventfd once more for the removal of the cgroup, from a worker, which may take
 * a while: of the kills before it only who removes the cgroup can be sure (oom_events_total).
 */
#ifndef RT_CGROUP_OOM_EVENTS_H
#define RT_CGROUP_OOM_EVENTS_H

#include "cgroup/cgroup.h"

#include <stdint.h>

struct oom_events {
    int fd;        /* to be polled for POLLIN and POLLPRI; -1 = no memory controller */
    int control;   /* v1: memory.oom_control */
    uint64_t seen; /* kills that have been told of, or were before */
};

#define OOM_EVENTS_INIT                                                                            \
    {                                                                                              \
        .fd = -1, .control = -1                                                                    \
    }
#define AUTO_OOM_EVENTS __attribute__ ((cleanup (oom_events_close)))
void oom_events_close (struct oom_events *events);

/* From now on. Without a memory controller fd stays -1, and nothing will happen. */
int oom_events_open (const struct oci_map *paths, struct oom_events *events, struct error *err);

/* How many there were since the last call: 1; or 0: the cgroup is gone, and the counter with it;
 * then `count` is how often fd was woken (v1), for oom_events_guess. -1: it could not be read. To
 * be called when fd is ready and, so that none is missed, once more when the container has stopped.
 */
int oom_events_count (struct oom_events *events, uint64_t *count, struct error *err);

/* The same by the counter as somebody else has read it at last. */
uint64_t oom_events_since (struct oom_events *events, uint64_t kills);

/* The same where nobody has: one of the wakes is the removal, or that one comes soon. */
uint64_t oom_events_guess (const struct oom_events *events, uint64_t wakes);

/* The counter as it is now: 1, or 0 where there is none (any more); -1: it could not be read. Where
 * no process is left in the cgroup it is the last word. */
int oom_events_total (const struct oci_map *paths, uint64_t *kills, struct error *err);

#endif
