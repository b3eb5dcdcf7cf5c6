/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout: finds out which cgroup hierarchies this host has (FEATURES CGM-01 to CGM-03, CGM-15).
 */
#include "cgroup/hierarchy.h"

#include "base/text.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool is_mounted (const char *path, long magic)
{
    struct statfs fs;

    return statfs (path, &fs) == 0 && fs.f_type == magic;
}

static enum cgroup_layout detect (void)
{
    struct statfs fs;

    if (statfs (CGROUP_MOUNT, &fs) != 0)
        return CGROUP_NONE;
    if (fs.f_type == CGROUP2_SUPER_MAGIC)
        return CGROUP_V2;
    /* systemd and others put the v1 mounts into a tmpfs; a few hosts use a plain directory of
     * sysfs. */
    if (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC)
        return CGROUP_NONE;
    return is_mounted (CGROUP_MOUNT "/unified", CGROUP2_SUPER_MAGIC) ? CGROUP_HYBRID : CGROUP_V1;
}

enum cgroup_layout cgroup_layout (void)
{
    static enum cgroup_layout layout;
    static bool known;

    if (!known) {
        layout = detect ();
        known = true;
    }
    return layout;
}

bool hierarchy_has (const char *key, const char *controller)
{
    size_t length = strlen (controller);

    for (;;) {
        size_t word = strcspn (key, ",");
        if (word == length && memcmp (key, controller, length) == 0)
            return true;
        if (key[word] == '\0')
            return false;
        key += word + 1;
    }
}

const char *cgroup_path_of (const struct oci_map *paths, const char *controller)
{
    for (size_t i = 0; i < paths->count; i++)
        if (hierarchy_has (paths->items[i].key, controller))
            return paths->items[i].value;
    return NULL;
}

size_t hierarchy_mount_length (const char *key, const char *path)
{
    size_t length = strlen (CGROUP_MOUNT);

    if (*key == '\0' && cgroup_layout () == CGROUP_V2)
        return length;
    return length + 1 + strcspn (path + length + 1, "/");
}

int hierarchies_parse (struct arena *arena, const char *text, struct hierarchy **items,
                       size_t *count, struct error *err)
{
    struct hierarchy *list = arena_array (arena, CGROUP_HIERARCHIES_MAX, sizeof *list);
    size_t found = 0;

    while (*text) {
        size_t length = strcspn (text, "\n");
        const char *line = arena_copy (arena, text, length);
        char *key = strchr (line, ':');
        char *own = key ? strchr (key + 1, ':') : NULL;

        if (!own || own[1] != '/')
            return error_set (err, "RT-CGROUP-LAYOUT", 0, "/proc/self/cgroup: unknown line '%s'",
                              line);
        if (found == CGROUP_HIERARCHIES_MAX)
            return error_set (err, "RT-CGROUP-LAYOUT", 0, "more than %d cgroup hierarchies",
                              CGROUP_HIERARCHIES_MAX);
        *own = '\0';
        list[found].key = key + 1;
        list[found].own = own + 1;
        found++;
        text += length + (text[length] == '\n');
    }
    *items = list;
    *count = found;
    return 0;
}

/* A v1 hierarchy lies in a directory with the name of its controllers; where several share one,
 * their order may differ from that of /proc/self/cgroup, but each has a link or a directory of its
 * own. */
static const char *find_v1_mount (struct arena *arena, const char *key)
{
    const char *name = text_starts_with (key, "name=") ? key + strlen ("name=") : key;
    const char *path = arena_printf (arena, CGROUP_MOUNT "/%s", name);

    if (is_mounted (path, CGROUP_SUPER_MAGIC))
        return path;
    while (*name) {
        size_t length = strcspn (name, ",");
        path = arena_printf (arena, CGROUP_MOUNT "/%.*s", (int)length, name);
        if (is_mounted (path, CGROUP_SUPER_MAGIC))
            return path;
        name += length + (name[length] == ',');
    }
    return NULL;
}

static const char *find_mount (struct arena *arena, enum cgroup_layout layout, const char *key)
{
    if (*key)
        return layout == CGROUP_V2 ? NULL : find_v1_mount (arena, key);
    switch (layout) {
    case CGROUP_V2:
        return CGROUP_MOUNT;
    case CGROUP_HYBRID:
        return CGROUP_MOUNT "/unified";
    default:
        return NULL;
    }
}

int cgroup_host_read (struct arena *arena, bool rootless, struct cgroup_host *host,
                      struct error *err)
{
    struct cgroup_host found = {.layout = cgroup_layout ()};
    size_t size = 64 * 1024;
    char *text = arena_alloc (arena, size);

    /* What v2 says of this process is only needed to go beside it. */
    if (found.layout == CGROUP_V2 && !rootless) {
        found.items = arena_alloc (arena, sizeof *found.items);
        found.items[0] =
            (struct hierarchy){.key = "", .own = "/", .mount = CGROUP_MOUNT, .writable = true};
        found.count = 1;
        *host = found;
        return 0;
    }
    if (procfd_read ("self/cgroup", text, size) < 0)
        return error_set (err, "RT-CGROUP-LAYOUT", errno, "read /proc/self/cgroup");
    if (hierarchies_parse (arena, text, &found.items, &found.count, err) < 0)
        return -1;
    for (size_t i = 0; i < found.count; i++) {
        struct hierarchy *item = &found.items[i];

        item->mount = find_mount (arena, found.layout, item->key);
        item->writable =
            !rootless || !item->mount || faccessat (AT_FDCWD, item->mount, W_OK, AT_EACCESS) == 0;
    }
    *host = found;
    return 0;
}
