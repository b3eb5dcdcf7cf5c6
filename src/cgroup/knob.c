/* SPDX-License-Identifier: Apache-2.0 */
/*
 * knob: the list of limits, and which part of the document goes to which hierarchy.
 */
#include "cgroup/knob.h"
#include "cgroup/hierarchy.h"

#include "base/text.h"

#include <inttypes.h>

struct knob *knob_add (struct knobs *knobs, const char *controller, const char *file,
                       const char *value, const char *pointer)
{
    /* Room doubles whenever the number is a power of two. */
    if ((knobs->count & (knobs->count - 1)) == 0) {
        size_t room = knobs->count ? knobs->count * 2 : 1;
        struct knob *wider = arena_array (knobs->arena, room, sizeof *wider);
        if (knobs->count)
            memcpy (wider, knobs->items, knobs->count * sizeof *wider);
        knobs->items = wider;
    }
    struct knob *knob = &knobs->items[knobs->count++];
    *knob =
        (struct knob){.controller = controller, .file = file, .value = value, .pointer = pointer};
    return knob;
}

struct knob *knob_add_uint (struct knobs *knobs, const char *controller, const char *file,
                            uint64_t value, const char *pointer)
{
    return knob_add (knobs, controller, file, arena_printf (knobs->arena, "%" PRIu64, value),
                     pointer);
}

int knob_limit_text (struct arena *arena, int64_t value, const char *unlimited, const char *pointer,
                     const char **text, struct error *err)
{
    if (value < -1) {
        error_set (err, "RT-CGROUP-VALUE", 0,
                   "limit %" PRId64 " is negative (only -1, for "
                   "unlimited, may be)",
                   value);
        return error_at (err, "%s", pointer);
    }
    *text = value == -1 ? unlimited : arena_printf (arena, "%" PRId64, value);
    return 0;
}

int knob_inexpressible (struct error *err, enum cgroup_version version, const char *pointer,
                        const char *why)
{
    error_set (err, "RT-CGROUP-INEXPRESSIBLE", 0, "cgroup v%d has no such setting: %s",
               (int)version, why);
    return error_at (err, "%s", pointer);
}

typedef int knobs_fn (const struct oci_resources *, enum cgroup_version, struct knobs *,
                      struct error *);

int knobs_for (const struct oci_map *paths, const struct oci_resources *resources,
               struct knobs *knobs, struct error *err)
{
    /* The order of FEATURES CGR-39: unified comes last, so that it wins over all others. */
    static const struct {
        const char *v1_controller;
        knobs_fn *convert;
    } parts[] = {
        {"pids", pids_knobs},
        {"memory", memory_knobs},
        {"blkio", io_knobs},
        {"cpu", cpu_knobs},
        {"cpuset", cpuset_knobs},
        {"hugetlb", hugetlb_knobs},
        {"rdma", rdma_knobs},
        {"net_cls", network_class_knobs},
        {"net_prio", network_priority_knobs},
        {NULL, unified_knobs}, /* v2's by definition */
    };
    bool has_v2 = paths->count == 0 || cgroup_path_of (paths, "") != NULL;

    if (!resources)
        return 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *controller = parts[i].v1_controller;
        bool is_v1 = !has_v2 || (controller && cgroup_path_of (paths, controller));
        if (parts[i].convert (resources, is_v1 ? CGROUP_VERSION_1 : CGROUP_VERSION_2, knobs, err) <
            0)
            return -1;
    }
    return 0;
}
