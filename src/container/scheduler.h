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

int scheduler_apply (const struct oci_scheduler *scheduler, struct error *err);

#endif
