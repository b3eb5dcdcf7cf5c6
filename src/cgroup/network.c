/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network: net_cls and net_prio, which only v1 has (FEATURES CGR-29).
 */
#include "cgroup/knob.h"

#include <inttypes.h>

#define AT "/linux/resources/network/"

int network_class_knobs (const struct oci_resources *resources, enum cgroup_version version,
                         struct knobs *knobs, struct error *err)
{
    const struct oci_network *network = resources->network;

    if (!network || !network->class_id.present)
        return 0;
    if (version == CGROUP_VERSION_1) {
        knob_add_uint (knobs, "net_cls", "net_cls.classid", network->class_id.value, AT "classID")
            ->check = KNOB_EXACT;
        return 0;
    }
    if (network->class_id.value == 0) /* no class: so it is */
        return 0;
    return knob_inexpressible (err, version, AT "classID",
                               "there is no net_cls; packets are matched by cgroup path instead");
}

int network_priority_knobs (const struct oci_resources *resources, enum cgroup_version version,
                            struct knobs *knobs, struct error *err)
{
    const struct oci_network *network = resources->network;

    if (!network || network->priorities.count == 0)
        return 0;
    if (version == CGROUP_VERSION_2)
        return knob_inexpressible (err, version, AT "priorities", "there is no net_prio");
    for (size_t i = 0; i < network->priorities.count; i++) {
        const struct oci_interface_priority *item = &network->priorities.items[i];
        knob_add (knobs, "net_prio", "net_prio.ifpriomap",
                  arena_printf (knobs->arena, "%s %" PRIu32, item->name, item->priority),
                  arena_printf (knobs->arena, AT "priorities/%zu", i))
            ->check = KNOB_KEYED;
    }
    return 0;
}
