/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as each kind of image that rt reads before CRIU does. The first byte says which.
 *
 *   fuzz_images -max_len=5000 tests/fuzz/corpus/images
 */
#include "base/arena.h"
#include "criu/image.h"
#include "lifecycle/images_check.h"
#include "lifecycle/mount_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

static void must (bool holds)
{
    if (!holds)
        abort ();
}

static void read_tree (const uint8_t *bytes, size_t size, struct arena *arena)
{
    struct criu_tree tree = {.count = 77};
    struct error err = {0};

    if (criu_tree_read (bytes, size, arena, &tree) < 0)
        must (tree.count == 77);
    else
        (void)images_check_tree (&tree, true, arena, &err);
}

static void read_mounts (const uint8_t *bytes, size_t size, struct arena *arena)
{
    struct mount_wanted root = {.point = "/", .pointer = "/root"};
    struct mount_wanteds wanted = {&root, 1};
    struct mount_views views;
    struct criu_mounts mounts;
    struct error err = {0};

    if (criu_mounts_read (bytes, size, arena, &mounts) < 0)
        return;
    mount_table_of_image (&mounts, arena, &views);
    if (mount_table_compare (&views, &wanted, NULL, false, &err) == 0)
        must (views.count == 1 && strcmp (views.items[0].point, "/") == 0);
}

static void read_table (const uint8_t *bytes, size_t size, struct arena *arena)
{
    struct mount_views views;
    struct error err = {0};

    (void)mount_table_parse (arena_copy (arena, (const char *)bytes, size), arena, &views, &err);
}

static void read_core (const uint8_t *bytes, size_t size, struct arena *arena)
{
    struct criu_core core;

    if (criu_core_read (bytes, size, arena, &core) == 0 && core.groups.count > 0)
        must (core.has_credentials && core.groups.count <= size);
}

static void read_cgroups (const uint8_t *bytes, size_t size, struct arena *arena)
{
    struct criu_groups groups;

    if (criu_cgroups_read (bytes, size, arena, &groups) == 0)
        for (size_t i = 0; i < groups.count; i++)
            must (!strstr (groups.items[i], "/../"));
}

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct criu_number ids[CRIU_NS_KINDS];
    struct criu_inventory inventory;
    struct criu_filters filters;

    if (size == 0)
        return 0;
    size--;
    switch (*bytes++) {
    case 'c':
        read_core (bytes, size, &arena);
        break;
    case 'g':
        read_cgroups (bytes, size, &arena);
        break;
    case 'i':
        (void)criu_inventory_read (bytes, size, &arena, &inventory);
        break;
    case 'n':
        (void)criu_ids_read (bytes, size, &arena, ids);
        break;
    case 'm':
        read_mounts (bytes, size, &arena);
        break;
    case 's':
        if (criu_filters_read (bytes, size, &arena, &filters) == 0)
            must (filters.count <= size);
        break;
    case 't':
        read_tree (bytes, size, &arena);
        break;
    default:
        read_table (bytes, size, &arena);
    }
    return 0;
}
