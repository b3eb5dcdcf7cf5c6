/* SPDX-License-Identifier: Apache-2.0 */
/* rlimits: see rlimits.h. */
#include "container/rlimits.h"

#include "oci-spec/names.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>

static int set (pid_t pid, const struct oci_rlimit *limit)
{
    const struct rlimit64 value = {.rlim_cur = limit->soft, .rlim_max = limit->hard};

    return prlimit64 (pid, limit->type, &value, NULL);
}

bool rlimits_take (const struct oci_process *process)
{
    for (size_t i = 0; i < process->rlimits.count; i++)
        if (set (0, &process->rlimits.items[i]) < 0)
            return false;
    return true;
}

static void add_hint (pid_t pid, const struct oci_rlimit *limit, int errnum, struct error *err)
{
    struct rlimit64 now;

    if (errnum == EINVAL && limit->soft > limit->hard)
        (void)error_hint (err, "soft must not be above hard");
    if (errnum != EPERM || prlimit64 (pid, limit->type, NULL, &now) < 0)
        return;
    if (limit->hard > now.rlim_max)
        (void)error_hint (
            err, "hard is above the caller's own %" PRIu64 ": raising it needs CAP_SYS_RESOURCE%s",
            (uint64_t)now.rlim_max,
            limit->type == RLIMIT_NOFILE ? " and a number up to fs.nr_open" : "");
}

int rlimits_grant (pid_t pid, const struct oci_process *process, struct error *err)
{
    for (size_t i = 0; i < process->rlimits.count; i++) {
        const struct oci_rlimit *limit = &process->rlimits.items[i];

        if (set (pid, limit) == 0)
            continue;
        int errnum = errno;
        const char *name = oci_names_of (&oci_rlimit_types, (uint64_t)limit->type);
        error_set (err, "RT-RLIMIT-SET", errnum, "cannot set %s to soft %" PRIu64 ", hard %" PRIu64,
                   name ? name : "rlimit", limit->soft, limit->hard);
        add_hint (pid, limit, errnum, err);
        return error_at (err, "/process/rlimits/%zu", i);
    }
    return 0;
}
