/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory: limits of memory and swap (FEATURES CGR-01 to CGR-13).
 *
 * `swap` is memory plus swap, as in v1. v2 counts swap alone, so there the limit is subtracted.
 */
#include "cgroup/knob.h"

#include "base/text.h"

#include <inttypes.h>
#include <unistd.h>

#define AT "/linux/resources/memory/"

static struct knob *add_bytes (struct knobs *knobs, const char *file, const char *value,
                               const char *pointer)
{
    struct knob *knob = knob_add (knobs, "memory", file, value, pointer);

    knob->check = KNOB_ROUNDED;
    knob->unit = (uint64_t)sysconf (_SC_PAGESIZE);
    return knob;
}

/* 0 is how engines say "not set". */
static bool is_set (struct oci_int64 value)
{
    return value.present && value.value != 0;
}

/* The total of memory and swap that is asked for: -1 none, 0 not asked. */
static int swap_total (const struct oci_memory *memory, int64_t *total, struct error *err)
{
    *total = 0;
    if (!is_set (memory->swap)) {
        /* Without a limit of memory, one of swap would only surprise (CGR-07). */
        if (is_set (memory->limit) && memory->limit.value == -1)
            *total = -1;
        return 0;
    }
    if (memory->swap.value < -1) {
        error_set (err, "RT-CGROUP-VALUE", 0,
                   "limit %" PRId64 " is negative (only -1, for "
                   "unlimited, may be)",
                   memory->swap.value);
        return error_at (err, AT "swap");
    }
    if (memory->swap.value > 0 && !is_set (memory->limit)) {
        error_set (err, "RT-CGROUP-VALUE", 0,
                   "a limit of memory plus swap needs memory.limit beside it");
        return error_at (err, AT "swap");
    }
    if (memory->swap.value > 0 && memory->limit.value > memory->swap.value) {
        error_set (err, "RT-CGROUP-VALUE", 0,
                   "the limit of memory plus swap, %" PRId64
                   ", is less than that of memory, %" PRId64,
                   memory->swap.value, memory->limit.value);
        return error_at (err, AT "swap");
    }
    *total = memory->swap.value;
    return 0;
}

static int add_limit (struct knobs *knobs, const struct oci_memory *memory, const char *file,
                      const char *unlimited, unsigned flags, struct error *err)
{
    const char *text;

    if (!is_set (memory->limit))
        return 0;
    if (knob_limit_text (knobs->arena, memory->limit.value, unlimited, AT "limit", &text, err) < 0)
        return -1;
    if (memory->check_before_update.present && memory->check_before_update.value)
        flags |= KNOB_ABOVE_USAGE;
    add_bytes (knobs, file, text, AT "limit")->flags = flags;
    return 0;
}

static int add_plain (struct knobs *knobs, struct oci_int64 value, const char *file,
                      const char *unlimited, const char *pointer, struct error *err)
{
    const char *text;

    if (!is_set (value))
        return 0;
    if (knob_limit_text (knobs->arena, value.value, unlimited, pointer, &text, err) < 0)
        return -1;
    add_bytes (knobs, file, text, pointer);
    return 0;
}

/* Linux 5.16 and later keep the file, and refuse what is written (EOPNOTSUPP) or ignore it; the
 * specification calls it NOT RECOMMENDED, and memory.limit counts kernel memory too. */
static int add_kernel (struct knobs *knobs, struct oci_int64 value, struct error *err)
{
    size_t before = knobs->count;

    if (add_plain (knobs, value, "memory.kmem.limit_in_bytes", "-1", AT "kernel", err) < 0)
        return -1;
    if (knobs->count > before)
        knobs->items[before].flags |= KNOB_MAY_BE_GONE;
    return 0;
}

static int v1_knobs (const struct oci_memory *memory, int64_t total, struct knobs *knobs,
                     struct error *err)
{
    const char *text;

    /* The kernel wants limit <= memsw at each moment: which one goes first depends on what is
     * there. */
    if (add_limit (knobs, memory, "memory.limit_in_bytes", "-1", KNOB_ANY_ORDER, err) < 0)
        return -1;
    if (total != 0) {
        const char *pointer = is_set (memory->swap) ? AT "swap" : AT "limit";
        if (knob_limit_text (knobs->arena, total, "-1", pointer, &text, err) < 0)
            return -1;
        add_bytes (knobs, "memory.memsw.limit_in_bytes", text, pointer)->flags =
            KNOB_ANY_ORDER | (total == -1 ? KNOB_OPTIONAL : 0);
    }
    if (add_plain (knobs, memory->reservation, "memory.soft_limit_in_bytes", "-1", AT "reservation",
                   err) < 0 ||
        add_kernel (knobs, memory->kernel, err) < 0 ||
        add_plain (knobs, memory->kernel_tcp, "memory.kmem.tcp.limit_in_bytes", "-1",
                   AT "kernelTCP", err) < 0)
        return -1;
    if (memory->use_hierarchy.present)
        knob_add_uint (knobs, "memory", "memory.use_hierarchy", memory->use_hierarchy.value,
                       AT "useHierarchy")
            ->check = KNOB_EXACT;
    if (memory->swappiness.present && memory->swappiness.value != UINT64_MAX)
        knob_add_uint (knobs, "memory", "memory.swappiness", memory->swappiness.value,
                       AT "swappiness")
            ->check = KNOB_EXACT;
    if (memory->disable_oom_killer.present) {
        bool disable = memory->disable_oom_killer.value;
        struct knob *knob =
            knob_add_uint (knobs, "memory", "memory.oom_control", disable, AT "disableOOMKiller");
        knob->check = KNOB_KEYED;
        knob->shown = disable ? "oom_kill_disable 1" : "oom_kill_disable 0";
    }
    return 0;
}

static int v2_refuse (const struct oci_memory *memory, struct error *err)
{
    /* Unlimited is what v2 has. */
    if (is_set (memory->kernel) && memory->kernel.value != -1)
        return knob_inexpressible (err, CGROUP_VERSION_2, AT "kernel",
                                   "kernel memory is part of memory.limit");
    if (is_set (memory->kernel_tcp) && memory->kernel_tcp.value != -1)
        return knob_inexpressible (err, CGROUP_VERSION_2, AT "kernelTCP",
                                   "kernel TCP memory is part of memory.limit");
    if (memory->swappiness.present && memory->swappiness.value != UINT64_MAX)
        return knob_inexpressible (err, CGROUP_VERSION_2, AT "swappiness",
                                   "swappiness is set for the whole host");
    if (memory->disable_oom_killer.present && memory->disable_oom_killer.value)
        return knob_inexpressible (err, CGROUP_VERSION_2, AT "disableOOMKiller",
                                   "the OOM killer cannot be disabled");
    if (memory->use_hierarchy.present && !memory->use_hierarchy.value)
        return knob_inexpressible (err, CGROUP_VERSION_2, AT "useHierarchy",
                                   "limits always hold for all below");
    return 0;
}

static int v2_knobs (const struct oci_memory *memory, int64_t total, struct knobs *knobs,
                     struct error *err)
{
    if (v2_refuse (memory, err) < 0)
        return -1;
    if (total != 0) {
        bool unlimited_memory = memory->limit.value == -1 || !is_set (memory->limit);
        int64_t swap = total == -1 || unlimited_memory ? total : total - memory->limit.value;
        const char *text = swap == -1 ? "max" : arena_printf (knobs->arena, "%" PRId64, swap);
        /* No such file: no swap at all, or no accounting of it (CGR-08). */
        add_bytes (knobs, "memory.swap.max", text, is_set (memory->swap) ? AT "swap" : AT "limit")
            ->flags = swap == -1 || swap == 0 ? KNOB_OPTIONAL : 0;
    }
    if (add_limit (knobs, memory, "memory.max", "max", 0, err) < 0)
        return -1;
    return add_plain (knobs, memory->reservation, "memory.low", "max", AT "reservation", err);
}

int memory_knobs (const struct oci_resources *resources, enum cgroup_version version,
                  struct knobs *knobs, struct error *err)
{
    const struct oci_memory *memory = resources->memory;
    int64_t total;

    if (!memory)
        return 0;
    if (memory->swappiness.present && memory->swappiness.value > 100 &&
        memory->swappiness.value != UINT64_MAX) {
        error_set (err, "RT-CGROUP-VALUE", 0, "swappiness %" PRIu64 " is not within 0 and 100",
                   memory->swappiness.value);
        return error_at (err, AT "swappiness");
    }
    if (swap_total (memory, &total, err) < 0)
        return -1;
    return version == CGROUP_VERSION_1 ? v1_knobs (memory, total, knobs, err)
                                       : v2_knobs (memory, total, knobs, err);
}
