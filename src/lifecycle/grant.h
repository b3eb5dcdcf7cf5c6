/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant: what only the outside may do for the container's first process: ids, its cgroup, limits,
 * network devices, the seccomp program.
 */
#ifndef RT_LIFECYCLE_GRANT_H
#define RT_LIFECYCLE_GRANT_H

#include "lifecycle/start.h"

/* The limits of the container's cgroup; when, see cgroup_limits_first (). */
int start_limit (struct start *start, struct error *err);

/* Once C exists: all that it waits for, then GRANTED, then what can be done while it builds the
 * root. `in_cgroup`: the clone put it into its v2 cgroup. */
int start_grant (struct start *start, bool in_cgroup, struct error *err);

#endif
