/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self: rt itself in a container's cgroup, as a hook, an agent or an administrator who went there
 * may call it.
 */
#include "cgroup/hierarchy.h"
#include "cgroup/tree.h"
#include "cgroup/within.h"

#include "base/cleanup.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

enum { CGROUP_TEXT = 64 * 1024 };

static bool has_self (const struct tree *tree)
{
    const pid_t self = getpid ();

    for (size_t i = 0; i < tree->process_count; i++)
        if (tree->processes[i] == self)
            return true;
    return false;
}

/* Does the kernel list rt in the directory that its name of rt's own cgroup leads to? In another
 * cgroup namespace than that of the mount it is the name of another cgroup, or of none. */
static bool is_named (struct arena *arena, const struct oci_pair *item, const char *own)
{
    const char *mount =
        arena_copy (arena, item->value, hierarchy_mount_length (item->key, item->value));
    const char *name = own_below_mount (arena, mount, own);
    AUTO_FD int dir = !name ? -1
                            : openat (AT_FDCWD, arena_printf (arena, "%s%s", mount, name),
                                      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct tree tree = {0};

    return dir >= 0 && tree_processes_at (arena, dir, false, &tree) == 0 && has_self (&tree);
}

/* Asked only where names do not tell: what is below may be a lot. */
static int is_listed (struct arena *arena, const struct oci_pair *item, struct error *err)
{
    AUTO_FD int dir = openat (AT_FDCWD, item->value, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct tree tree = {0};

    if (dir < 0 && (errno == ENOENT || errno == ENODEV))
        return 0;
    if (dir < 0 || tree_list (arena, dir, &tree) < 0 || tree_processes (arena, dir, &tree) < 0)
        return error_set (err, "RT-CGROUP-PROCESSES", errno, "look for rt itself in cgroup '%s'",
                          item->value);
    return has_self (&tree);
}

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
    int within = cgroup_within (&arena, &map, text, &outside, &instead, err);
    if (within != 0 || is_named (&arena, item, instead))
        return within;
    return is_listed (&arena, item, err);
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
