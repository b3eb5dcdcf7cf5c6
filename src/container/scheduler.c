/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler: see scheduler.h. */
#include "container/scheduler.h"

#include "kernel/sched.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <sched.h>

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif

#define RESET_ON_FORK 1 /* SCHED_FLAG_RESET_ON_FORK of linux/sched.h */

static void add_hint (const struct oci_scheduler *scheduler, int errnum, struct error *err)
{
    if (errnum == EPERM && scheduler->policy == SCHED_DEADLINE)
        (void)error_hint (err, "it needs CAP_SYS_NICE, and a cpuset with all processors of its "
                               "scheduling domain");
    else if (errnum == EPERM)
        (void)error_hint (err, "it needs CAP_SYS_NICE, or RLIMIT_NICE or RLIMIT_RTPRIO that "
                               "allow it; realtime on cgroup v1 also cpu.rt_runtime_us above 0");
    else if (errnum == EBUSY)
        (void)error_hint (err, "the processors have not enough time left for this runtime and "
                               "period");
}

static bool is_inherited (const struct oci_scheduler *scheduler)
{
    return scheduler->policy != SCHED_DEADLINE && !(scheduler->flags & RESET_ON_FORK);
}

static int set (pid_t pid, const struct oci_scheduler *scheduler, struct error *err)
{
    struct sched_parameters parameters = {
        .policy = scheduler->policy,
        .flags = scheduler->flags,
        .nice = (int32_t)scheduler->nice.value,
        .priority = (uint32_t)scheduler->priority.value,
        .runtime = scheduler->runtime.value,
        .deadline = scheduler->deadline.value,
        .period = scheduler->period.value,
    };

    if (sched_set (pid, &parameters) == 0)
        return 0;
    int errnum = errno;
    const char *policy = oci_names_of (&oci_scheduler_policies, scheduler->policy);
    error_set (err, "RT-SCHED-SET", errnum, "cannot set scheduler policy %s", policy ? policy : "");
    add_hint (scheduler, errnum, err);
    return error_at (err, "/process/scheduler");
}

int scheduler_apply (const struct oci_scheduler *scheduler, bool cloned, struct error *err)
{
    return !scheduler || (cloned && !is_inherited (scheduler)) ? 0 : set (0, scheduler, err);
}

int scheduler_grant (pid_t pid, const struct oci_scheduler *scheduler, struct error *err)
{
    return !scheduler || is_inherited (scheduler) ? 0 : set (pid, scheduler, err);
}
