/* SPDX-License-Identifier: Apache-2.0 */
/* within: see within.h. */
#include "cgroup/within.h"

#include "cgroup/hierarchy.h"

#include "base/text.h"

#include <string.h>

static bool is_below (const char *path, const char *directory)
{
    size_t length = strlen (directory);

    while (length > 0 && directory[length - 1] == '/')
        length--;
    return strncmp (path, directory, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* The path of the hierarchy and that below the mount are one where the mount shows all of it; only
 * else the mount has to be looked up. */
static bool is_in (struct arena *arena, const struct oci_pair *item, const char *own)
{
    const char *below = cgroup_path_below_mount (item->key, item->value);
    const char *mount = arena_copy (arena, item->value, (size_t)(below - item->value));

    if (is_below (own, below))
        return true;
    const char *named = own_below_mount (arena, mount, own);
    return named && is_below (named, below);
}

int cgroup_within (struct arena *arena, const struct oci_map *paths, const char *text,
                   const struct oci_pair **outside, const char **instead, struct error *err)
{
    struct hierarchy *hierarchies;
    size_t count;

    if (hierarchies_parse (arena, text, &hierarchies, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < paths->count; i++) {
        const struct oci_pair *item = &paths->items[i];
        const char *own = NULL;

        for (size_t j = 0; j < count; j++)
            if (text_equal (hierarchies[j].key, item->key))
                own = hierarchies[j].own;
        if (own && is_in (arena, item, own))
            continue;
        *outside = item;
        *instead = own ? own : "(no such hierarchy)";
        return 0;
    }
    return 1;
}
