/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain: what the kernel's errno means for a limit. The kernel knows one EINVAL; which of a
 * cgroup's other values stands in the way can be read.
 */
#include "cgroup/apply.h"

#include "base/fdio.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>

int knob_explain_missing (const struct oci_pair *item, const struct knob *knob, struct error *err)
{
    if (item->key[0] == '\0')
        v2_explain_missing (item->value, knob->controller, knob->file, err);
    else
        error_set (err, "RT-CGROUP-LIMIT", ENOENT,
                   "this kernel's cgroup controller '%s' has no file '%s' in '%s'", item->key,
                   knob->file, item->value);
    return error_at (err, "%s", knob->pointer);
}

/* One line of a file, or false. */
static bool read_line (int dir, const char *file, char *line, size_t size)
{
    if (fd_read_file_at (dir, file, line, size) <= 0)
        return false;
    line[strcspn (line, "\n")] = '\0';
    return true;
}

static void hint_usage (int dir, const struct knob *knob, struct error *err)
{
    char usage[64], peak[64];

    (void)knob;
    if (read_line (dir, "memory.usage_in_bytes", usage, sizeof usage) &&
        read_line (dir, "memory.max_usage_in_bytes", peak, sizeof peak))
        error_hint (err, "the container uses %s bytes, at most %s until now", usage, peak);
}

/* v1 wants limit <= memory plus swap at each moment. */
static void hint_memory (int dir, const struct knob *knob, struct error *err)
{
    char limit[64], both[64];

    (void)knob;
    if (read_line (dir, "memory.limit_in_bytes", limit, sizeof limit) &&
        read_line (dir, "memory.memsw.limit_in_bytes", both, sizeof both))
        error_hint (err,
                    "memory is limited to %s bytes now, memory plus swap to %s: the second "
                    "cannot be less than the first; give both",
                    limit, both);
}

/* v1: no more than the cgroup above has (in proportion). */
static void hint_bandwidth (int dir, const struct knob *knob, struct error *err)
{
    char quota[64], period[64];

    (void)knob;
    if (read_line (dir, "../cpu.cfs_quota_us", quota, sizeof quota) &&
        read_line (dir, "../cpu.cfs_period_us", period, sizeof period) && quota[0] != '-')
        error_hint (err, "the cgroup above has %s us of each %s us", quota, period);
    else
        error_hint (err, "a period is 1000 to 1000000 us, a quota at least 1000 us, and a burst at "
                         "most the quota");
}

static void hint_share (int dir, const struct knob *knob, struct error *err)
{
    char idle[64];

    (void)knob;
    if (read_line (dir, "cpu.idle", idle, sizeof idle) && text_equal (idle, "1"))
        error_hint (err, "the container is idle (cpu.idle), and takes no shares: set idle to 0");
}

/* A processor or memory node that the host does not have, or the cgroup above. */
static void hint_cpuset (int dir, const struct knob *knob, struct error *err)
{
    char name[64], above[192];

    (void)snprintf (name, sizeof name, "../%s.effective", knob->file);
    bool known = read_line (dir, name, above, sizeof above);
    (void)snprintf (name, sizeof name, "../%s", knob->file);
    if (known || read_line (dir, name, above, sizeof above))
        error_hint (err, "the cgroup above has %s", above);
}

int knob_explain_write (int dir, const struct oci_pair *item, const struct knob *knob, int errnum,
                        struct error *err)
{
    static const struct {
        int errnum;
        const char *file; /* or the start of its name */
        void (*hint) (int dir, const struct knob *knob, struct error *err);
    } reasons[] = {
        {EBUSY, "memory.limit_in_bytes", hint_usage},
        {EBUSY, "memory.memsw.limit_in_bytes", hint_usage},
        {EINVAL, "memory.limit_in_bytes", hint_memory},
        {EINVAL, "memory.memsw.limit_in_bytes", hint_memory},
        {EINVAL, "cpu.cfs_", hint_bandwidth},
        {EINVAL, "cpu.max", hint_bandwidth},
        {EINVAL, "cpu.shares", hint_share},
        {EINVAL, "cpu.weight", hint_share},
        {EACCES, "cpuset.", hint_cpuset},
        {EINVAL, "cpuset.", hint_cpuset},
        {ERANGE, "cpuset.", hint_cpuset},
    };

    error_set (err, "RT-CGROUP-LIMIT", errnum, "write '%s' to '%s/%s'", knob->value, item->value,
               knob->file);
    error_at (err, "%s", knob->pointer);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].errnum != errnum || !text_starts_with (knob->file, reasons[i].file))
            continue;
        reasons[i].hint (dir, knob, err);
        return -1;
    }
    if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
        error_hint (err, "this cgroup is not delegated to the user, or the parent's limits forbid "
                         "it");
    return -1;
}
