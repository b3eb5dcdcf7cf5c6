/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdma: handles and objects of a host channel adapter (FEATURES CGR-30). Both versions have the
 * same file.
 */
#include "cgroup/knob.h"

#include <inttypes.h>

int rdma_knobs (const struct oci_resources *resources, enum cgroup_version version,
                struct knobs *knobs, struct error *err)
{
    struct arena *arena = knobs->arena;

    (void)version;
    for (size_t i = 0; i < resources->rdma.count; i++) {
        const struct oci_rdma *item = &resources->rdma.items[i];
        const char *handles = "", *objects = "";
        const char *pointer = arena_printf (arena, "/linux/resources/rdma/%s", item->device);

        if (!item->hca_handles.present && !item->hca_objects.present) {
            error_set (err, "RT-CGROUP-VALUE", 0,
                       "rdma device '%s' has neither hcaHandles nor hcaObjects", item->device);
            return error_at (err, "%s", pointer);
        }
        if (item->hca_handles.present)
            handles = arena_printf (arena, " hca_handle=%" PRIu64, item->hca_handles.value);
        if (item->hca_objects.present)
            objects = arena_printf (arena, " hca_object=%" PRIu64, item->hca_objects.value);
        knob_add (knobs, "rdma", "rdma.max",
                  arena_printf (arena, "%s%s%s", item->device, handles, objects), pointer)
            ->check = KNOB_KEYED;
    }
    return 0;
}
