/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu: shares, bandwidth, idle, and the sets of processors and memory nodes
 * (FEATURES CGR-14 to CGR-20).
 */
#include "cgroup/cpu.h"
#include "cgroup/knob.h"

#include <inttypes.h>

#define AT "/linux/resources/cpu/"

/*
 * cpu.weight = ceil (10 ^ ((l^2 + 125 l) / 612 - 7/34)) with l = log2 (shares): a curve through
 * 2 -> 1, 1024 -> 100 and 262144 -> 10000, so that the default stays the default. It is computed
 * without libm: log2 by squaring, 10^y by its series.
 */
static double log2_of (double x)
{
    double result = 0, bit = 0.5;

    for (; x >= 2; x /= 2)
        result++;
    for (int i = 0; i < 52; i++, bit /= 2) {
        x *= x;
        if (x >= 2) {
            x /= 2;
            result += bit;
        }
    }
    return result;
}

static double power_of_10 (double y)
{
    double whole = 1, z, term = 1, sum = 1;

    for (; y >= 1; y--)
        whole *= 10;
    z = y * 2.302585092994045684;
    for (int i = 1; i < 40; i++) {
        term *= z / i;
        sum += term;
    }
    return whole * sum;
}

uint64_t cpu_shares_to_weight (uint64_t shares)
{
    if (shares <= 2)
        return 1;
    if (shares >= 262144)
        return 10000;
    double l = log2_of ((double)shares);
    double weight = power_of_10 ((l * l + 125 * l) / 612 - 7.0 / 34);
    uint64_t floor = (uint64_t)weight;
    /* What is a whole number but for the last bits of a double is that number. */
    return weight - (double)floor > 1e-9 ? floor + 1 : floor;
}

static bool is_set_uint (struct oci_uint64 value)
{
    return value.present && value.value != 0;
}

static bool is_set_int (struct oci_int64 value)
{
    return value.present && value.value != 0;
}

static void add_idle (const struct oci_cpu *cpu, struct knobs *knobs, int64_t when)
{
    if (cpu->idle.present && (cpu->idle.value == 0) == (when == 0))
        knob_add (knobs, "cpu", "cpu.idle",
                  arena_printf (knobs->arena, "%" PRId64, cpu->idle.value), AT "idle")
            ->check = KNOB_EXACT;
}

static void v1_bandwidth (const struct oci_cpu *cpu, struct knobs *knobs)
{
    /* The kernel checks each against the others that are there now. */
    struct knob *knob;

    if (is_set_int (cpu->realtime_runtime) || is_set_uint (cpu->realtime_period)) {
        if (is_set_uint (cpu->realtime_period)) {
            knob = knob_add_uint (knobs, "cpu", "cpu.rt_period_us", cpu->realtime_period.value,
                                  AT "realtimePeriod");
            knob->check = KNOB_EXACT;
            knob->flags = KNOB_ANY_ORDER;
        }
        if (is_set_int (cpu->realtime_runtime)) {
            knob = knob_add (knobs, "cpu", "cpu.rt_runtime_us",
                             arena_printf (knobs->arena, "%" PRId64, cpu->realtime_runtime.value),
                             AT "realtimeRuntime");
            knob->check = KNOB_EXACT;
            knob->flags = KNOB_ANY_ORDER;
        }
    }
    if (is_set_uint (cpu->period)) {
        knob = knob_add_uint (knobs, "cpu", "cpu.cfs_period_us", cpu->period.value, AT "period");
        knob->check = KNOB_EXACT;
        knob->flags = KNOB_ANY_ORDER;
    }
    if (is_set_int (cpu->quota)) {
        knob = knob_add (knobs, "cpu", "cpu.cfs_quota_us",
                         arena_printf (knobs->arena, "%" PRId64, cpu->quota.value), AT "quota");
        knob->check = KNOB_EXACT;
        knob->flags = KNOB_ANY_ORDER;
    }
    if (cpu->burst.present) {
        knob = knob_add_uint (knobs, "cpu", "cpu.cfs_burst_us", cpu->burst.value, AT "burst");
        knob->check = KNOB_EXACT;
        knob->flags = KNOB_ANY_ORDER | (cpu->burst.value == 0 ? KNOB_OPTIONAL : 0);
    }
}

static int v2_bandwidth (const struct oci_cpu *cpu, struct knobs *knobs, struct error *err)
{
    struct knob *knob;

    if (is_set_int (cpu->realtime_runtime))
        return knob_inexpressible (err, CGROUP_VERSION_2, AT "realtimeRuntime",
                                   "realtime processes are not limited");
    if (is_set_uint (cpu->realtime_period))
        return knob_inexpressible (err, CGROUP_VERSION_2, AT "realtimePeriod",
                                   "realtime processes are not limited");
    if (is_set_int (cpu->quota)) {
        const char *quota = cpu->quota.value == -1
                                ? "max"
                                : arena_printf (knobs->arena, "%" PRId64, cpu->quota.value);
        const char *both = is_set_uint (cpu->period) ? arena_printf (knobs->arena, "%s %" PRIu64,
                                                                     quota, cpu->period.value)
                                                     : quota; /* the kernel keeps the period */
        knob = knob_add (knobs, "cpu", "cpu.max", both, AT "quota");
        knob->check = KNOB_WORDS;
        knob->flags = KNOB_ANY_ORDER;
    } else if (is_set_uint (cpu->period)) {
        knob = knob_add_uint (knobs, "cpu", "cpu.max", cpu->period.value, AT "period");
        knob->check = KNOB_WORDS;
        knob->flags = KNOB_AFTER_FIRST | KNOB_ANY_ORDER;
    }
    if (cpu->burst.present) {
        knob = knob_add_uint (knobs, "cpu", "cpu.max.burst", cpu->burst.value, AT "burst");
        knob->check = KNOB_EXACT;
        knob->flags = KNOB_ANY_ORDER | (cpu->burst.value == 0 ? KNOB_OPTIONAL : 0);
    }
    return 0;
}

int cpu_knobs (const struct oci_resources *resources, enum cgroup_version version,
               struct knobs *knobs, struct error *err)
{
    const struct oci_cpu *cpu = resources->cpu;

    if (!cpu)
        return 0;
    if (cpu->quota.present && cpu->quota.value < -1) {
        error_set (err, "RT-CGROUP-VALUE", 0,
                   "quota %" PRId64 " is negative (only -1, for "
                   "unlimited, may be)",
                   cpu->quota.value);
        return error_at (err, AT "quota");
    }
    /* An idle group takes no weight: leave idle before it, enter idle after it. */
    add_idle (cpu, knobs, 0);
    if (is_set_uint (cpu->shares)) {
        if (version == CGROUP_VERSION_1)
            knob_add_uint (knobs, "cpu", "cpu.shares", cpu->shares.value, AT "shares")->check =
                KNOB_EXACT;
        else
            knob_add_uint (knobs, "cpu", "cpu.weight", cpu_shares_to_weight (cpu->shares.value),
                           AT "shares")
                ->check = KNOB_EXACT;
    }
    if (version == CGROUP_VERSION_1)
        v1_bandwidth (cpu, knobs);
    else if (v2_bandwidth (cpu, knobs, err) < 0)
        return -1;
    add_idle (cpu, knobs, 1);
    return 0;
}

int cpuset_knobs (const struct oci_resources *resources, enum cgroup_version version,
                  struct knobs *knobs, struct error *err)
{
    const struct oci_cpu *cpu = resources->cpu;

    (void)version; /* the files are the same */
    (void)err;
    if (cpu && cpu->cpus && *cpu->cpus)
        knob_add (knobs, "cpuset", "cpuset.cpus", cpu->cpus, AT "cpus")->check = KNOB_SET;
    if (cpu && cpu->mems && *cpu->mems)
        knob_add (knobs, "cpuset", "cpuset.mems", cpu->mems, AT "mems")->check = KNOB_SET;
    return 0;
}
