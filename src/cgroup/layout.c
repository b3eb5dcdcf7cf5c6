/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout: finds out which cgroup hierarchies this host has (FEATURES CGM-01 to CGM-03, CGM-15).
 */
#include "cgroup/hierarchy.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MOUNTINFO_MAX = 64 * 1024 * 1024, PROC_CGROUP_MAX = 64 * 1024 };

/* The first look at a file system that failed otherwise than as "there is none". */
static struct {
    char path[128];
    int errnum;
} failed_look;

static long type_of (const char *path)
{
    struct statfs fs;

    if (statfs (path, &fs) == 0)
        return (long)fs.f_type;
    if (errno != ENOENT && errno != ENOTDIR && failed_look.errnum == 0) {
        failed_look.errnum = errno;
        (void)snprintf (failed_look.path, sizeof failed_look.path, "%s", path);
    }
    return 0;
}

/* To an ordinary user what is not for him is not there. */
static int check_looks (bool rootless, struct error *err)
{
    bool denied = failed_look.errnum == EACCES || failed_look.errnum == EPERM;

    if (failed_look.errnum == 0 || (rootless && denied))
        return 0;
    return error_set (err, "RT-CGROUP-LAYOUT", failed_look.errnum, "look at `%s`",
                      failed_look.path);
}

static bool is_mounted (const char *path, long magic)
{
    return type_of (path) == magic;
}

enum cgroup_layout layout_decide (long top, long unified, const char **why)
{
    switch (top) {
    case 0:
        *why = CGROUP_MOUNT " is not there";
        return CGROUP_NONE;
    case CGROUP2_SUPER_MAGIC:
        *why = CGROUP_MOUNT " is cgroup2";
        return CGROUP_V2;
    case CGROUP_SUPER_MAGIC:
        *why = CGROUP_MOUNT " is a v1 hierarchy itself, not a directory of hierarchies";
        return CGROUP_NONE;
    case SYSFS_MAGIC:
        *why = "nothing is mounted on " CGROUP_MOUNT;
        return CGROUP_NONE;
    default: /* a tmpfs, as systemd and others make it, or a directory of some root file system */
        break;
    }
    if (unified == CGROUP2_SUPER_MAGIC) {
        *why = CGROUP_MOUNT "/unified is cgroup2";
        return CGROUP_HYBRID;
    }
    *why = "neither " CGROUP_MOUNT " nor " CGROUP_MOUNT "/unified is cgroup2";
    return CGROUP_V1;
}

static enum cgroup_layout detect (const char **why)
{
    return layout_decide (type_of (CGROUP_MOUNT), type_of (CGROUP_MOUNT "/unified"), why);
}

static const char *layout_why; /* a constant string */

enum cgroup_layout cgroup_layout (void)
{
    static enum cgroup_layout layout;
    static bool known;

    if (!known) {
        layout = detect (&layout_why);
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

const struct oci_pair *cgroup_item_of (const struct oci_map *paths, const char *controller)
{
    for (size_t i = 0; i < paths->count; i++)
        if (hierarchy_has (paths->items[i].key, controller))
            return &paths->items[i];
    return NULL;
}

const char *cgroup_path_of (const struct oci_map *paths, const char *controller)
{
    const struct oci_pair *item = cgroup_item_of (paths, controller);

    return item ? item->value : NULL;
}

size_t hierarchy_mount_length (const char *key, const char *path)
{
    size_t length = strlen (CGROUP_MOUNT);

    if (*key == '\0' && cgroup_layout () == CGROUP_V2)
        return length;
    return length + 1 + strcspn (path + length + 1, "/");
}

bool cgroup_are_places (const struct oci_map *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        const struct oci_pair *item = &paths->items[i];
        if (!text_starts_with (item->value, CGROUP_MOUNT "/"))
            return false;
        const char *below = item->value + hierarchy_mount_length (item->key, item->value);
        if (below[strspn (below, "/")] == '\0')
            return false;
    }
    return true;
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

int hierarchies_read (struct arena *arena, const char *file, struct hierarchy **items,
                      size_t *count, struct error *err)
{
    AUTO_FREE char *text = malloc (PROC_CGROUP_MAX);

    if (!text)
        memory_exhausted ();
    if (procfd_read (file, text, PROC_CGROUP_MAX) < 0)
        return error_set (err, "RT-CGROUP-LAYOUT", errno, "read /proc/%s", file);
    return hierarchies_parse (arena, text, items, count, err);
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

static const char *layout_name (enum cgroup_layout layout)
{
    static const char *const names[] = {
        [CGROUP_NONE] = "none", [CGROUP_V1] = "v1", [CGROUP_HYBRID] = "hybrid", [CGROUP_V2] = "v2"};

    return names[layout];
}

/* What was found, and why: what goes wrong with cgroups is mostly another host than was thought. */
static void tell (const struct cgroup_host *host)
{
    AUTO_TEXT struct text found = {0}, missing = {0};

    if (!log_enabled (LOG_LEVEL_DEBUG))
        return;
    for (size_t i = 0; i < host->count; i++) {
        const struct hierarchy *item = &host->items[i];
        const char *key = *item->key ? item->key : "v2";
        if (item->mount)
            text_printf (&found, "; %s at %s, we in %s%s", key, item->mount, item->own,
                         item->writable ? "" : " (not ours)");
        else
            text_printf (&missing, "%s%s", missing.length ? " " : "; not mounted: ", key);
    }
    log_debug ("cgroups: %s, as %s%s%s", layout_name (host->layout), host->why,
               text_string (&found), text_string (&missing));
}

/* The path in a hierarchy that is the root of the mount at `mount`: not "/" where a container's
 * engine has mounted no more than the container's own part. NULL = it cannot be found. */
static const char *mount_root (struct arena *arena, const char *mount)
{
    struct error ignored = {0};
    size_t length;
    const char *root = NULL;
    AUTO_FD int fd = procfd_open ("self/mountinfo", O_RDONLY);
    AUTO_FREE char *list =
        fd < 0 ? NULL : fd_read_all (fd, MOUNTINFO_MAX, &length, "mountinfo", &ignored);

    for (char *line = list; line && *line;) {
        char *next = line + strcspn (line, "\n");
        char *fields[5] = {line};
        size_t count = 1;

        next += *next == '\n';
        for (char *c = line; c < next && count < 5; c++)
            if (*c == ' ') {
                *c = '\0';
                fields[count++] = c + 1;
            }
        if (count == 5) {
            fields[4][strcspn (fields[4], " \n")] = '\0';
            if (text_equal (fields[4], mount)) /* the last one lies on top */
                root = arena_string (arena, fields[3]);
        }
        line = next;
    }
    return root;
}

const char *own_below_mount (struct arena *arena, const char *mount, const char *own)
{
    bool outside = text_starts_with (own, "/..") && (own[3] == '/' || own[3] == '\0');

    /* The cgroup namespace begins below it: it has no name here. */
    if (outside)
        return NULL;
    if (access (arena_printf (arena, "%s%s", mount, own), F_OK) == 0)
        return own;
    const char *root = mount_root (arena, mount);
    size_t length = root ? strlen (root) : 0;
    if (length == 0 || text_equal (root, "/") || !text_starts_with (own, root) ||
        (own[length] != '/' && own[length] != '\0'))
        return NULL;
    return own[length] ? own + length : "/";
}

int cgroup_host_read (struct arena *arena, bool rootless, struct cgroup_host *host,
                      struct error *err)
{
    struct cgroup_host found = {.layout = cgroup_layout ()};

    found.why = layout_why;
    /* What v2 says of this process is only needed to go beside it. */
    if (found.layout == CGROUP_V2 && !rootless) { /* a look that failed is no v2 */
        found.items = arena_alloc (arena, sizeof *found.items);
        found.items[0] =
            (struct hierarchy){.key = "", .own = "/", .mount = CGROUP_MOUNT, .writable = true};
        found.count = 1;
        tell (&found);
        *host = found;
        return 0;
    }
    if (hierarchies_read (arena, "self/cgroup", &found.items, &found.count, err) < 0)
        return -1;
    for (size_t i = 0; i < found.count; i++) {
        struct hierarchy *item = &found.items[i];

        item->mount = find_mount (arena, found.layout, item->key);
        item->writable =
            !rootless || !item->mount || faccessat (AT_FDCWD, item->mount, W_OK, AT_EACCESS) == 0;
        item->delegated = item->mount && *item->key == '\0' &&
                          v2_is_delegated (arena_printf (arena, "%s%s", item->mount, item->own));
        if (item->writable)
            continue;
        const char *own = own_below_mount (arena, item->mount, item->own);
        item->own = own ? own : "/";
    }
    if (check_looks (rootless, err) < 0)
        return -1;
    tell (&found);
    *host = found;
    return 0;
}
