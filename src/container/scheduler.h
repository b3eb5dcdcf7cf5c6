/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler: process.scheduler (config.md; sched(7)).
 *
 * apply   inside, before capabilities are dropped (CAP_SYS_NICE), and before a cpuset narrows the
 *         processors: SCHED_DEADLINE is refused on less than all of them (PRC-30). NULL = absent.
 *
 * The combinations that make no sense were refused when the document was read. RT-SCHED-SET at
 * /process/scheduler.
 */
#ifndef RT_CONTAINER_SCHEDULER_H
#define RT_CONTAINER_SCHEDULER_H

#include "base/error.h"
#include "oci-spec/process.h"

#include <stdbool.h>
#include <sys/types.h>

/* `cloned`: the process proper will be cloned from this one. What a clone does not inherit
 * (deadline, SCHED_FLAG_RESET_ON_FORK) is left to scheduler_grant () then. */
int scheduler_apply (const struct oci_scheduler *scheduler, bool cloned, struct error *err);

/* outside, for the process proper `pid` that was cloned: what scheduler_apply () has left. */
int scheduler_grant (pid_t pid, const struct oci_scheduler *scheduler, struct error *err);

#endif
