/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self: rt itself in a container's cgroup, as a hook, an agent or an administrator who went there
 * may call it.
 */
#include "cgroup/hierarchy.h"
#include "cgroup/within.h"

#include "kernel/procfd.h"

#include <errno.h>
#include <stdint.h>

enum { CGROUP_TEXT = 64 * 1024 };

int self_is_in (const struct oci_pair *item, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_map map = {
        .count = 1, .items = (struct oci_pair *)(uintptr_t)item, .present = true};
    const struct oci_pair *outside;
    const char *instead;
    char *text = arena_alloc (&arena, CGROUP_TEXT);

    if (procfd_read ("self/cgroup", text, CGROUP_TEXT) < 0)
        return error_set (err, "RT-CGROUP-LAYOUT", errno, "read /proc/self/cgroup");
    return cgroup_within (&arena, &map, text, &outside, &instead, err);
}

int self_hint (struct error *err)
{
    return error_hint (err, "rt itself runs in this cgroup: call it from outside");
}

int cgroup_check_freezable (const struct oci_map *paths, struct error *err)
{
    const struct oci_pair *item = cgroup_item_of (paths, "freezer");

    if (!item)
        item = cgroup_item_of (paths, "");
    int inside = item ? self_is_in (item, err) : 0;
    if (inside < 1)
        return inside;
    error_set (err, "RT-CGROUP-SELF", 0, "freeze cgroup '%s': rt would stand still with it",
               item->value);
    return self_hint (err);
}
