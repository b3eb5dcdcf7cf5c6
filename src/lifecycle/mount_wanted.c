/* SPDX-License-Identifier: Apache-2.0 */
/* mount_wanted: the mounts that a document asks for; see mount_table.h. */
#include "lifecycle/mount_table.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "container/devices.h"
#include "container/mount_bind.h"
#include "container/mount_cgroup.h"
#include "kernel/inroot.h"
#include "kernel/mountfd.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define FLAGS (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* Read-only paths in read-only paths copy what is below them again, each time. */
#define WANTED_MAX 100000

/* What is gathered, and for which container. */
struct list {
    const struct external *external;
    const struct mount_views *host;
    struct arena *arena;
    struct mount_wanteds wanted;
    int root;
    const char *root_path; /* how the kernel calls it */
    bool sources;
};

static struct mount_wanted *add (struct list *list, const struct mount_wanted *wanted)
{
    struct mount_wanteds *all = &list->wanted;

    if ((all->count & (all->count - 1)) == 0) { /* full: a power of two */
        struct mount_wanted *more =
            arena_array (list->arena, all->count ? 2 * all->count : 1, sizeof (*more));
        if (all->count > 0)
            memcpy (more, all->items, all->count * sizeof (*more));
        all->items = more;
    }
    all->items[all->count] = *wanted;
    return &all->items[all->count++];
}

static const char *path_of (int fd, struct arena *arena)
{
    char link[32];
    char target[PATH_MAX];

    (void)snprintf (link, sizeof (link), "self/fd/%d", fd);
    return procfd_link (link, target, sizeof (target)) < 0 ? NULL : arena_string (arena, target);
}

/* "/a//b/./c/" is "/a/b/c"; ".." takes what is before it. */
static const char *clean (struct arena *arena, const char *path)
{
    char *out = arena_alloc (arena, strlen (path) + 2);
    size_t length = 0;

    for (const char *at = path + strspn (path, "/"); *at; at += strspn (at, "/")) {
        size_t span = strcspn (at, "/");
        if (span == 2 && strncmp (at, "..", 2) == 0)
            while (length > 0 && out[--length] != '/')
                ;
        else if (!(span == 1 && *at == '.')) {
            out[length++] = '/';
            memcpy (out + length, at, span);
            length += span;
        }
        at += span;
    }
    if (length == 0)
        out[length++] = '/';
    out[length] = '\0';
    return out;
}

/* Where a destination is, through the links of the root file system: what exists of it is looked
 * up, the rest follows. */
static const char *find_point (struct list *list, const char *destination, bool nofollow)
{
    const char *path = clean (list->arena, destination);
    char *head = arena_string (list->arena, path);

    for (;;) {
        bool whole = strlen (head) == strlen (path);
        AUTO_FD int fd =
            inroot_open (list->root, head, O_PATH | (whole && nofollow ? O_NOFOLLOW : 0));
        const char *found = fd < 0 ? NULL : path_of (fd, list->arena);
        const char *below = found ? mount_table_below (found, list->root_path) : NULL;
        if (below)
            return clean (list->arena,
                          arena_printf (list->arena, "/%s%s", below, path + strlen (head)));
        char *slash = strrchr (head, '/');
        if (!slash || slash == head)
            return path;
        *slash = '\0';
    }
}

static int source_error (const char *path, int errnum, struct error *err)
{
    return error_set (err, "RT-RESTORE-MOUNT", errnum, "cannot see which mount %s is on", path);
}

/* Device and root of what a bind of `path` shows, as the host's table tells. */
static int find_source (struct list *list, const char *path, int flags, struct mount_wanted *wanted,
                        const struct mount_view **on, struct error *err)
{
    AUTO_FD int fd = open (path, O_PATH | O_CLOEXEC | flags);
    uint64_t id;

    *on = NULL;
    if (fd < 0)
        return source_error (path, errno, err);
    if (mountfd_id (fd, &id) < 0)
        return source_error (path, errno, err);
    const char *found = path_of (fd, list->arena);
    if (!found)
        return source_error (path, EPROTO, err);
    for (size_t i = 0; i < list->host->count; i++) {
        const struct mount_view *view = &list->host->items[i];
        const char *below = view->id == id ? mount_table_below (found, view->point) : NULL;
        if (!below)
            continue;
        wanted->device = view->device;
        wanted->root = clean (list->arena, arena_printf (list->arena, "%s/%s", view->root, below));
        *on = view;
        return 0;
    }
    return source_error (path, ENOENT, err);
}

static bool is_outside (const struct list *list, const struct oci_mount *mount,
                        char source[PATH_MAX])
{
    struct error ignored;

    return mount->bind && mount_bind_path (mount, list->external->bundle, source, &ignored) == 0 &&
           !mount_bind_below (source, list->external->rootfs_path);
}

static bool is_shared (const struct oci_mount *mount)
{
    for (size_t i = 0; i < mount->propagation.count; i++)
        if (mount->propagation.items[i] & MS_SHARED)
            return true;
    return false;
}

/* Those that lie below the source of a recursive bind now. */
static void add_below (struct list *list, const struct oci_mount *mount, const char *source,
                       const struct mount_wanted *top)
{
    for (size_t i = 0; mount->recursive && i < list->host->count; i++) {
        const struct mount_view *view = &list->host->items[i];
        const char *below = mount_table_below (view->point, source);
        if (!below || below[strspn (below, "/")] == '\0')
            continue;
        below += strspn (below, "/");
        add (list, &(struct mount_wanted){
                       .point = clean (list->arena,
                                       arena_printf (list->arena, "%s/%s", top->point, below)),
                       .pointer = top->pointer,
                       .key = arena_printf (list->arena, "%s/%s", mount->destination, below),
                       .device = view->device,
                       .root = view->root,
                       .flags = mount->rec_set & FLAGS,
                       .optional = true, /* one mount may cover another */
                       .shared = top->shared,
                   });
    }
}

static int want_bind (struct list *list, const struct oci_mount *mount, struct mount_wanted *wanted,
                      struct error *err)
{
    const struct mount_view *on;
    char source[PATH_MAX];

    wanted->flags |= mount->rec_set & FLAGS;
    if (!is_outside (list, mount, source)) {
        add (list, wanted);
        return 0;
    }
    wanted->key = mount->destination;
    if (list->sources &&
        find_source (list, source, mount->src_nofollow ? O_NOFOLLOW : 0, wanted, &on, err) < 0)
        return error_at (err, "%s/source", wanted->pointer);
    add (list, wanted);
    if (list->sources && mount->recursive) {
        AUTO_FD int fd = open (source, O_PATH | O_CLOEXEC);
        const char *real = fd < 0 ? NULL : path_of (fd, list->arena);
        if (!real)
            return source_error (source, errno, err);
        add_below (list, mount, real, wanted);
    }
    return 0;
}

/* mount_cgroup.h says how. */
static int want_cgroups (struct list *list, const struct oci_mount *mount,
                         struct mount_wanted *wanted, struct error *err)
{
    const struct oci_map *cgroup = list->external->cgroup;
    const struct mount_view *on;

    if (cgroup->count > 0 && mount_cgroup_name (cgroup, 0)) {
        struct mount_wanted top = *wanted;
        top.type = "tmpfs";
        add (list, &top);
    }
    for (size_t i = 0; i < cgroup->count; i++) {
        const char *below = mount_cgroup_name (cgroup, i);
        struct mount_wanted each = *wanted;
        each.key = mount->destination;
        if (below) {
            each.key = arena_printf (list->arena, "%s/%s", mount->destination, below);
            each.point =
                clean (list->arena, arena_printf (list->arena, "%s/%s", each.point, below));
        }
        if (list->sources && find_source (list, cgroup->items[i].value, 0, &each, &on, err) < 0)
            return -1;
        add (list, &each);
    }
    return 0;
}

static void remount (struct list *list, const char *point, const struct oci_mount *mount)
{
    for (size_t i = list->wanted.count; i-- > 0;)
        if (text_equal (list->wanted.items[i].point, point)) {
            list->wanted.items[i].flags &= ~mount->attr_clear;
            list->wanted.items[i].flags |= mount->attr_set & FLAGS;
            return;
        }
}

/* Those of the kernel itself need no source. */
static bool has_source (const char *type)
{
    static const char *const without[] = {"proc",   "sysfs",   "tmpfs",      "devpts",
                                          "mqueue", "cgroup",  "cgroup2",    "ramfs",
                                          "bpf",    "tracefs", "securityfs", "debugfs"};

    for (size_t i = 0; i < sizeof (without) / sizeof (without[0]); i++)
        if (text_equal (type, without[i]))
            return false;
    return true;
}

static int want_mount (struct list *list, size_t index, struct error *err)
{
    const struct oci_config *config = list->external->config;
    const struct oci_mount *mount = &config->mounts.items[index];
    struct mount_wanted wanted = {
        .point = find_point (list, mount->destination, mount->dest_nofollow),
        .pointer = arena_printf (list->arena, "/mounts/%zu", index),
        .flags = mount->attr_set & FLAGS,
        .shared = is_shared (mount) || (config->linux.rootfs_propagation & MS_SHARED),
    };

    if (mount->remount) {
        remount (list, wanted.point, mount);
        return 0;
    }
    if (mount->bind)
        return want_bind (list, mount, &wanted, err);
    if (mount->type && text_equal (mount->type, "cgroup"))
        return want_cgroups (list, mount, &wanted, err);
    wanted.type = mount->type;
    if (mount->type && has_source (mount->type))
        wanted.source = mount->source;
    add (list, &wanted);
    return 0;
}

/* Recursive binds of what lies there: all below stands there twice. */
static int want_readonly (struct list *list, struct error *err)
{
    const struct oci_strings *paths = &list->external->config->linux.readonly_paths;

    for (size_t i = 0; i < paths->count; i++) {
        const struct mount_wanted readonly = {
            .point = find_point (list, paths->items[i], false),
            .pointer = arena_printf (list->arena, "/linux/readonlyPaths/%zu", i),
            .flags = MOUNT_ATTR_RDONLY,
            .optional = true,
            .of_parent = true,
        };
        size_t count = list->wanted.count;
        for (size_t j = 0; j < count; j++) {
            struct mount_wanted copy = list->wanted.items[j];
            if (!mount_table_below (copy.point, readonly.point) ||
                text_equal (copy.point, readonly.point))
                continue;
            copy.flags |= MOUNT_ATTR_RDONLY;
            copy.optional = true;
            add (list, &copy);
        }
        add (list, &readonly);
        if (list->wanted.count > WANTED_MAX)
            return error_set (err, "RT-RESTORE-MOUNT", 0, "too many mounts to compare");
    }
    return 0;
}

/* What rt mounts without being asked for each. */
static void want_own (struct list *list)
{
    const struct oci_config *config = list->external->config;
    const struct oci_strings *masked = &config->linux.masked_paths;

    for (size_t i = 0; i < masked->count; i++) {
        struct mount_wanted mask = {
            .point = find_point (list, masked->items[i], false),
            .pointer = arena_printf (list->arena, "/linux/maskedPaths/%zu", i),
            .key = masked->items[i],
            .optional = true,
        };
        add (list, &mask);
    }
    for (size_t i = 0; list->external->device_binds && i < DEVICES_DEFAULT_COUNT; i++)
        add (list, &(struct mount_wanted){.point = devices_default[i].path,
                                          .pointer = "/linux/devices",
                                          .key = devices_default[i].path,
                                          .optional = true});
    for (size_t i = 0; list->external->device_binds && i < config->linux.devices.count; i++) {
        const char *path = config->linux.devices.items[i].path;
        add (list,
             &(struct mount_wanted){.point = find_point (list, path, true),
                                    .pointer = arena_printf (list->arena, "/linux/devices/%zu", i),
                                    .key = path,
                                    .optional = true});
    }
    /* Where only the images have a terminal, that is what the error says. */
    add (list, &(struct mount_wanted){.point = "/dev/console",
                                      .pointer = "/process/terminal",
                                      .type = "devpts",
                                      .optional = true});
    add (list, &(struct mount_wanted){.point = "/run/notify",
                                      .pointer = "/mounts",
                                      .type = "tmpfs",
                                      .flags = MOUNT_ATTR_RDONLY,
                                      .optional = true});
}

int mount_table_want (const struct external *external, int root, const struct mount_views *host,
                      bool sources, struct arena *arena, struct mount_wanteds *wanted,
                      struct error *err)
{
    struct list list = {.external = external,
                        .host = host,
                        .arena = arena,
                        .root = root,
                        .root_path = path_of (root, arena),
                        .sources = sources};
    const struct oci_config *config = external->config;
    struct mount_wanted top = {
        .point = "/",
        .pointer = config->root->readonly ? "/root/readonly" : "/root",
        .flags = config->root->readonly ? MOUNT_ATTR_RDONLY : 0,
        .shared = (config->linux.rootfs_propagation & MS_SHARED) != 0,
    };
    const struct mount_view *on;

    if (!list.root_path)
        return error_set (err, "RT-RESTORE-MOUNT", errno, "cannot see where the root is");
    if (sources && find_source (&list, external->rootfs_path, 0, &top, &on, err) < 0)
        return error_at (err, "/root/path");
    add (&list, &top);
    for (size_t i = 0; i < config->mounts.count; i++)
        if (want_mount (&list, i, err) < 0)
            return -1;
    if (want_readonly (&list, err) < 0)
        return -1;
    want_own (&list);
    *wanted = list.wanted;
    return 0;
}
