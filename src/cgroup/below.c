/* SPDX-License-Identifier: Apache-2.0 */
/*
 * below: other directories than the container's own, for processes that come later.
 */
#include "cgroup/hierarchy.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>

/* The container may have made directories, but none of them is above it. */
static int check_below (const char *path, struct error *err)
{
    for (const char *part = path; *part;) {
        size_t length = strcspn (part, "/");
        if (length == 2 && memcmp (part, "..", 2) == 0) {
            error_set (err, "RT-CGROUP-BELOW", 0, "bad sub cgroup path '%s'", path);
            return error_hint (err, "--cgroup is a path below the container's cgroup");
        }
        part += length + (part[length] == '/');
    }
    return 0;
}

static const char *put_below (struct arena *arena, const char *directory, const char *path)
{
    char *clean = arena_alloc (arena, strlen (path) + 2);

    text_clean_path (path + strspn (path, "/"), clean);
    return *clean == '\0' || text_equal (clean, ".")
               ? directory
               : arena_printf (arena, "%s/%s", directory, clean);
}

static struct oci_pair *find (struct oci_map *map, const char *controller)
{
    for (size_t i = 0; i < map->count; i++)
        if (map->items[i].key[0] != '\0' && hierarchy_has (map->items[i].key, controller))
            return &map->items[i];
    return NULL;
}

/* "CONTROLLER[,CONTROLLER]:PATH", whose colon is at `colon`. */
static int put_controllers (struct arena *arena, const char *asked, const char *colon,
                            const struct oci_map *paths, struct oci_map *below, struct error *err)
{
    for (const char *word = asked; word <= colon;) {
        size_t length = strcspn (word, ",:");
        const char *controller = arena_copy (arena, word, length);
        struct oci_pair *item = length > 0 ? find (below, controller) : NULL;
        if (!item)
            return error_set (err, "RT-CGROUP-BELOW", 0,
                              "--cgroup '%s': the container has no v1 controller '%s'", asked,
                              controller);
        item->value = put_below (arena, paths->items[item - below->items].value, colon + 1);
        word += length + 1;
    }
    return 0;
}

int cgroup_below (struct arena *arena, const struct oci_map *paths, const char *const *asked,
                  size_t count, struct oci_map *below, struct error *err)
{
    struct oci_map map = *paths;

    map.items = arena_array (arena, paths->count + 1, sizeof *map.items);
    if (paths->count > 0)
        memcpy (map.items, paths->items, paths->count * sizeof *map.items);
    for (size_t i = 0; i < count; i++) {
        const char *colon = strchr (asked[i], ':');

        if (check_below (colon ? colon + 1 : asked[i], err) < 0)
            return -1;
        if (colon && put_controllers (arena, asked[i], colon, paths, &map, err) < 0)
            return -1;
        if (colon)
            continue;
        if (count > 1)
            return error_set (err, "RT-CGROUP-BELOW", 0,
                              "--cgroup '%s': give several with their controllers", asked[i]);
        for (size_t j = 0; j < map.count; j++)
            map.items[j].value = put_below (arena, map.items[j].value, asked[i]);
    }
    *below = map;
    return 0;
}

int cgroup_of_process (struct arena *arena, const struct oci_map *paths, pid_t pid,
                       struct oci_map *present, struct error *err)
{
    struct oci_map map = *paths;
    struct hierarchy *hierarchies;
    size_t count;
    char file[32];

    (void)snprintf (file, sizeof file, "%d/cgroup", (int)pid);
    if (hierarchies_read (arena, file, &hierarchies, &count, err) < 0)
        return -1;
    map.items = arena_array (arena, paths->count + 1, sizeof *map.items);
    for (size_t i = 0; i < map.count; i++) {
        const struct oci_pair *item = &paths->items[i];
        const char *mount =
            arena_copy (arena, item->value, hierarchy_mount_length (item->key, item->value));

        map.items[i] = *item;
        for (size_t j = 0; j < count; j++) {
            const char *own = text_equal (hierarchies[j].key, item->key)
                                  ? own_below_mount (arena, mount, hierarchies[j].own)
                                  : NULL;
            if (own)
                map.items[i].value = arena_printf (arena, "%s%s", mount, own);
        }
    }
    *present = map;
    return 0;
}

int cgroup_of_caller (struct arena *arena, struct oci_map *present, struct error *err)
{
    struct cgroup_host host;
    size_t count = 0;

    if (cgroup_host_read (arena, false, &host, err) < 0)
        return -1;
    struct oci_pair *items = arena_array (arena, host.count + 1, sizeof *items);
    for (size_t i = 0; i < host.count; i++) {
        const struct hierarchy *item = &host.items[i];

        if (item->mount)
            items[count++] = (struct oci_pair){
                .key = item->key, .value = arena_printf (arena, "%s%s", item->mount, item->own)};
    }
    *present = (struct oci_map){.count = count, .items = items, .present = true};
    return 0;
}
