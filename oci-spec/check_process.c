/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_process: the rules of a process, for config.json and for exec's process.json.
 */
#include "oci-spec/check.h"

#include "base/text.h"

#include <sched.h>
#include <string.h>

#define CPU_MAX 65535

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif

bool check_cpu_list (const char *list)
{
    const char *at = list;

    for (;;) {
        uint64_t ends[2] = {0, 0};
        size_t count = 0;
        do {
            char digits[8] = "";
            at += strspn (at, " ");
            size_t length = strspn (at, "0123456789");
            if (length == 0 || length >= sizeof (digits))
                return false;
            memcpy (digits, at, length);
            if (text_to_uint64 (digits, CPU_MAX, &ends[count++]) < 0)
                return false;
            at += length;
            at += strspn (at, " ");
        } while (count < 2 && *at == '-' && *at++);
        if (count == 2 && ends[0] > ends[1])
            return false;
        if (*at == '\0')
            return true;
        if (*at++ != ',')
            return false;
    }
}

static void check_args (const struct check *check, const void *section)
{
    const struct oci_process *process = section;

    if (process->args.count == 0)
        check_fail (check, check_pointer (check, "/args"), "args must not be empty");
}

static void check_cwd (const struct check *check, const void *section)
{
    const struct oci_process *process = section;

    if (process->cwd[0] != '/')
        check_fail (check, check_pointer (check, "/cwd"),
                    "must be an absolute path, not \"%.100s\"", process->cwd);
}

/* Never prints an entry: it may be a secret whose name was forgotten. */
static void check_env (const struct check *check, const void *section)
{
    const struct oci_process *process = section;

    for (size_t i = 0; i < process->env.count; i++) {
        const char *equals = strchr (process->env.items[i], '=');
        if (!equals)
            check_fail (check, check_pointer (check, "/env/%zu", i),
                        "must be NAME=VALUE, has no '='");
        else if (equals == process->env.items[i])
            check_fail (check, check_pointer (check, "/env/%zu", i),
                        "must be NAME=VALUE, has no name");
    }
}

static void check_rlimits (const struct check *check, const void *section)
{
    const struct oci_process *process = section;
    uint64_t seen = 0;

    for (size_t i = 0; i < process->rlimits.count; i++) {
        const struct oci_rlimit *rlimit = &process->rlimits.items[i];
        const char *name = oci_names_of (&oci_rlimit_types, (uint64_t)rlimit->type);
        if (seen & (UINT64_C (1) << rlimit->type))
            check_fail (check, check_pointer (check, "/rlimits/%zu/type", i), "%s is listed twice",
                        name);
        seen |= UINT64_C (1) << rlimit->type;
        if (rlimit->soft > rlimit->hard)
            check_fail (check, check_pointer (check, "/rlimits/%zu/soft", i),
                        "the soft limit of %s must not be above the hard one", name);
    }
}

/* The specification ties nice to no policy: the kernel ignores it where it has no meaning. */
static void check_nice (const struct check *check, const struct oci_scheduler *scheduler)
{
    if (scheduler->nice.value < -20 || scheduler->nice.value > 19)
        check_fail (check, check_pointer (check, "/scheduler/nice"),
                    "must be an integer from -20 to 19");
}

static void check_priority (const struct check *check, const struct oci_scheduler *scheduler)
{
    const char *pointer = check_pointer (check, "/scheduler/priority");
    bool realtime = scheduler->policy == SCHED_FIFO || scheduler->policy == SCHED_RR;

    if (realtime && (scheduler->priority.value < 1 || scheduler->priority.value > 99))
        check_fail (check, pointer, "must be an integer from 1 to 99 with SCHED_FIFO and SCHED_RR");
    else if (!realtime && scheduler->priority.value != 0)
        check_fail (check, pointer, "goes only with the policies SCHED_FIFO and SCHED_RR");
}

static void check_deadline (const struct check *check, const struct oci_scheduler *scheduler)
{
    uint64_t runtime = scheduler->runtime.value;
    uint64_t deadline = scheduler->deadline.value;
    uint64_t period = scheduler->period.value;

    if (scheduler->policy != SCHED_DEADLINE) {
        if (runtime != 0)
            check_fail (check, check_pointer (check, "/scheduler/runtime"),
                        "goes only with the policy SCHED_DEADLINE");
        if (deadline != 0)
            check_fail (check, check_pointer (check, "/scheduler/deadline"),
                        "goes only with the policy SCHED_DEADLINE");
        if (period != 0)
            check_fail (check, check_pointer (check, "/scheduler/period"),
                        "goes only with the policy SCHED_DEADLINE");
        return;
    }
    if (runtime == 0)
        check_fail (check, check_pointer (check, "/scheduler/runtime"),
                    "must be set with SCHED_DEADLINE");
    if (deadline == 0)
        check_fail (check, check_pointer (check, "/scheduler/deadline"),
                    "must be set with SCHED_DEADLINE");
    else if (runtime > deadline)
        check_fail (check, check_pointer (check, "/scheduler/runtime"),
                    "must not be longer than the deadline");
    if (period != 0 && deadline > period) /* 0: the same as the deadline */
        check_fail (check, check_pointer (check, "/scheduler/deadline"),
                    "must not be longer than the period");
}

static void check_scheduler (const struct check *check, const void *section)
{
    const struct oci_process *process = section;

    if (!process->scheduler)
        return;
    check_nice (check, process->scheduler);
    check_priority (check, process->scheduler);
    check_deadline (check, process->scheduler);
}

static void check_affinity (const struct check *check, const void *section)
{
    const struct oci_process *process = section;

    if (process->affinity_initial && !check_cpu_list (process->affinity_initial))
        check_fail (check, check_pointer (check, "/execCPUAffinity/initial"),
                    "must be a list of CPUs like \"0-3,7\", not \"%.60s\"",
                    process->affinity_initial);
    if (process->affinity_final && !check_cpu_list (process->affinity_final))
        check_fail (check, check_pointer (check, "/execCPUAffinity/final"),
                    "must be a list of CPUs like \"0-3,7\", not \"%.60s\"",
                    process->affinity_final);
}

static const struct check_rule process_rules[] = {
    {check_args, "RT-CONFIG-ARGS", {"/args"}},
    {check_cwd, "RT-CONFIG-CWD", {"/cwd"}},
    {check_env, "RT-CONFIG-ENV", {"/env"}},
    {check_rlimits, "RT-CONFIG-RLIMIT", {"/rlimits"}},
    {check_scheduler, "RT-CONFIG-SCHEDULER", {"/scheduler"}},
    {check_affinity, "RT-CONFIG-AFFINITY", {"/execCPUAffinity"}},
};

void check_process (struct findings *findings, const struct oci_process *process,
                    const char *prefix)
{
    CHECK_RUN (findings, prefix, process, process_rules);
}
