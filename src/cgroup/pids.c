/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pids: the number of tasks (FEATURES CGR-21, CGR-22).
 *
 * The specification says that 0 is a real limit, so 0 is what the kernel gets: the container's
 * processes stay, no further one can be made.
 */
#include "cgroup/knob.h"

int pids_knobs (const struct oci_resources *resources, enum cgroup_version version,
                struct knobs *knobs, struct error *err)
{
    static const char pointer[] = "/linux/resources/pids/limit";
    const char *text;

    (void)version; /* the file is the same */
    if (!resources->pids_limit.present)
        return 0;
    if (knob_limit_text (knobs->arena, resources->pids_limit.value, "max", pointer, &text, err) < 0)
        return -1;
    knob_add (knobs, "pids", "pids.max", text, pointer)->check = KNOB_EXACT;
    return 0;
}
