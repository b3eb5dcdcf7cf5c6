/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path: from cgroupsPath to one directory in each hierarchy (FEATURES CGM-04 to CGM-08).
 *
 *   "/a/b" and "a/b"   a/b below the root of each mount; so the same value is always the same place
 *   absent             the container's id below the root of each mount
 *
 * Without privileges (rootless) the root of the mount usually belongs to somebody else. A relative
 * path and an absent one then start beside rt's own cgroup, in what was delegated to the user; or
 * in it, where systemd delegated that very cgroup.
 */
#include "cgroup/hierarchy.h"

#include "base/text.h"

/* "/user.slice/a.scope" is "/user.slice"; "/a" and "/" are "". */
static const char *parent_of (struct arena *arena, const char *own)
{
    const char *slash = strrchr (own, '/');

    return arena_copy (arena, own, slash ? (size_t)(slash - own) : 0);
}

static const char *clean_path (struct arena *arena, const struct cgroup_request *request,
                               struct error *err)
{
    const char *asked = request->cgroups_path ? request->cgroups_path : request->id;
    char *path = arena_alloc (arena, strlen (asked) + 2);

    text_clean_path (asked, path);
    const char *clean = *path == '/' ? path + 1 : path;
    if (*clean == '\0' || text_equal (clean, ".")) {
        error_set (err, "RT-CGROUP-PATH", 0,
                   "cgroup path '%s' is the root of the hierarchy, which cannot be a container's",
                   asked);
        error_at (err, "/linux/cgroupsPath");
        return NULL;
    }
    if (strchr (clean, '\n')) {
        error_set (err, "RT-CGROUP-PATH", 0, "cgroup path has a line break");
        error_at (err, "/linux/cgroupsPath");
        return NULL;
    }
    return clean;
}

int cgroup_plan_on (struct arena *arena, const struct cgroup_request *request,
                    const struct cgroup_host *host, struct oci_map *paths, struct error *err)
{
    const char *path = clean_path (arena, request, err);
    bool absolute = request->cgroups_path && request->cgroups_path[0] == '/';

    if (!path)
        return -1;
    struct oci_pair *items = arena_array (arena, host->count + 1, sizeof *items);
    size_t count = 0;
    for (size_t i = 0; i < host->count; i++) {
        const struct hierarchy *item = &host->items[i];
        const char *below = "";

        if (!item->mount)
            continue;
        if (!item->writable && !absolute)
            below = item->delegated ? item->own : parent_of (arena, item->own);
        items[count].key = item->key;
        items[count].value = arena_printf (arena, "%s%s/%s", item->mount, below, path);
        count++;
    }
    if (count == 0 && !request_forgives (request)) {
        error_set (err, "RT-CGROUP-NONE", 0,
                   "no cgroup hierarchy is mounted below " CGROUP_MOUNT ": %s", host->why);
        return error_hint (err, "mount cgroup2 there, or switch cgroups off");
    }
    *paths = (struct oci_map){.count = count, .items = items, .present = true};
    return 0;
}

int cgroup_plan (struct arena *arena, const struct cgroup_request *request, struct oci_map *paths,
                 struct error *err)
{
    struct cgroup_host host;

    switch (request->driver) {
    case CGROUP_DRIVER_DISABLED:
    case CGROUP_DRIVER_SYSTEMD:
        *paths = (struct oci_map){.present = true};
        return 0;
    case CGROUP_DRIVER_FS:
        break;
    }
    if (cgroup_host_read (arena, request->rootless, &host, err) < 0)
        return -1;
    return cgroup_plan_on (arena, request, &host, paths, err);
}
