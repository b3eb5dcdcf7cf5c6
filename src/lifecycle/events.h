/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: what `events` says, as lines of JSON. Types and names are runc's, of which containerd's
 * go-runc and others are readers (VRB-51 to VRB-61): numbers that are 0 are left out where runc
 * leaves them out, limits and failure counts never. What the kernel counts beyond that (burst,
 * swapOnly, ioCost..., rdma, misc) has keys of its own, which such readers pass over.
 */
#ifndef RT_LIFECYCLE_EVENTS_H
#define RT_LIFECYCLE_EVENTS_H

#include "base/text.h"
#include "cgroup/stats.h"
#include "container/rdt_stats.h"
#include "kernel/netcounters.h"

/* All that one line of type "stats" is made of. */
struct events_stats {
    struct cgroup_stats cgroup;
    bool has_rdt;
    struct rdt_stats rdt;
    bool has_interfaces; /* the container has a network namespace of its own */
    struct netcounters interfaces;
};

void events_stats_line (struct text *out, const char *id, const struct events_stats *stats);
void events_oom_line (struct text *out, const char *id);

#endif
