/* SPDX-License-Identifier: Apache-2.0 */
/* mount_table: see mount_table.h. The tables and their comparison; mount_wanted.c has the document.
 */
#include "lifecycle/mount_table.h"

#include "base/text.h"

#include <errno.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define FLAGS (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define FIELDS 5 /* that stand before the options of a mount */

const char *mount_table_below (const char *path, const char *above)
{
    size_t length = text_equal (above, "/") ? 0 : strlen (above);

    if (strncmp (path, above, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    return text_equal (path, "/") ? "" : path + length;
}

/* A word of the table, without its escapes. */
static const char *word (struct arena *arena, const char *from, size_t length)
{
    char *copy = arena_copy (arena, from, length);
    char *to = copy;

    for (const char *at = copy; *at; at++) {
        unsigned int byte;
        if (*at == '\\' && sscanf (at + 1, "%3o", &byte) == 1) {
            *to++ = (char)byte;
            at += 3;
        } else
            *to++ = *at;
    }
    *to = '\0';
    return copy;
}

static bool has_option (const char *options, const char *name)
{
    size_t length = strlen (name);

    for (const char *at = options; *at; at += strcspn (at, ","), at += *at == ',')
        if (strncmp (at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

static uint64_t flags_of (const char *options, const char *super)
{
    return (has_option (options, "ro") || has_option (super, "ro") ? MOUNT_ATTR_RDONLY : 0) |
           (has_option (options, "nosuid") ? MOUNT_ATTR_NOSUID : 0) |
           (has_option (options, "nodev") ? MOUNT_ATTR_NODEV : 0) |
           (has_option (options, "noexec") ? MOUNT_ATTR_NOEXEC : 0);
}

/* "43 44 254:0 /root /point rw,nosuid shared:1 - ext4 /dev/vda rw" */
static int parse_line (const char *line, size_t length, struct arena *arena,
                       struct mount_view *view)
{
    char *copy = arena_copy (arena, line, length);
    const char *words[64];
    size_t count = 0;
    size_t dash = 0;

    for (char *at = copy; *at && count < 64;) {
        size_t span = strcspn (at, " ");
        bool more = at[span] == ' ';
        at[span] = '\0';
        if (dash == 0 && count > FIELDS && text_equal (at, "-"))
            dash = count;
        words[count++] = at;
        at += span + (more ? 1 : 0);
    }
    if (dash == 0 || count < dash + 4 || sscanf (words[0], "%u", &view->id) != 1)
        return -1;
    view->device = words[2];
    view->root = word (arena, words[3], strlen (words[3]));
    view->point = word (arena, words[4], strlen (words[4]));
    view->flags = flags_of (words[5], words[dash + 3]);
    for (size_t i = FIELDS + 1; i < dash; i++)
        if (text_starts_with (words[i], "shared:"))
            view->peers = words[i] + strlen ("shared:");
    view->type = words[dash + 1];
    view->source = word (arena, words[dash + 2], strlen (words[dash + 2]));
    return 0;
}

int mount_table_parse (const char *text, struct arena *arena, struct mount_views *views,
                       struct error *err)
{
    struct mount_views found = {0};
    size_t room = 1;

    for (const char *at = text; *at; at++)
        room += *at == '\n';
    found.items = arena_array (arena, room, sizeof (*found.items));
    for (const char *line = text; *line; line += strcspn (line, "\n"), line += *line == '\n')
        if (parse_line (line, strcspn (line, "\n"), arena, &found.items[found.count++]) < 0)
            return error_set (err, "RT-RESTORE-MOUNT", EPROTO, "the table of mounts says: %.*s",
                              (int)strcspn (line, "\n"), line);
    *views = found;
    return 0;
}

void mount_table_of_image (const struct criu_mounts *mounts, struct arena *arena,
                           struct mount_views *views)
{
    *views = (struct mount_views){
        .items = arena_array (arena, mounts->count + 1, sizeof (*views->items)),
        .count = mounts->count,
        .of_images = true,
    };
    for (size_t i = 0; i < mounts->count; i++) {
        const struct criu_mount *mount = &mounts->items[i];
        views->items[i] = (struct mount_view){
            .point = mount->point,
            .type = mount->plugin ? "of a plug-in" : mount->type,
            .root = mount->root,
            .source = mount->source,
            .key = mount->key,
            .flags = mount->flags & FLAGS, /* MS_* have the same numbers */
        };
    }
}

/* The mount that it is mounted on: the one with the longest way to it. */
static const struct mount_view *find_parent (const struct mount_views *views, size_t index)
{
    const struct mount_view *parent = NULL;

    for (size_t i = 0; i < views->count; i++) {
        const struct mount_view *above = &views->items[i];
        if (i != index && !text_equal (above->point, views->items[index].point) &&
            mount_table_below (views->items[index].point, above->point) &&
            (!parent || strlen (above->point) > strlen (parent->point)))
            parent = above;
    }
    return parent;
}

static bool is_same (const char *asked, const char *has)
{
    return !asked || (has && text_equal (asked, has));
}

/* Does a bind show what its parent has at this place? The images of another host say by the root
 * only. */
static bool is_of_parent (const struct mount_views *views, size_t index)
{
    const struct mount_view *view = &views->items[index];

    for (size_t i = 0; i < views->count; i++)
        if (i != index && text_equal (views->items[i].point, view->point) &&
            text_equal (views->items[i].type, view->type))
            return true;
    const struct mount_view *parent = find_parent (views, index);
    return parent && text_equal (parent->type, view->type) &&
           is_same (parent->device, view->device);
}

/* NULL: it is; otherwise what is wrong. */
static const char *find_difference (const struct mount_views *views, size_t index,
                                    const struct mount_wanted *wanted)
{
    const struct mount_view *view = &views->items[index];

    if (view->key && !(wanted->key && text_equal (wanted->key, view->key)))
        return "is something else of the host";
    if (views->of_images && wanted->key && !view->key && !wanted->optional)
        return "is not the one of the host";
    if (!is_same (wanted->type, view->type))
        return "is of another type";
    if (!is_same (wanted->source, view->source))
        return "is of another source";
    if (!views->of_images &&
        (!is_same (wanted->device, view->device) || !is_same (wanted->root, view->root)))
        return "shows something else";
    if (wanted->of_parent && !is_of_parent (views, index))
        return "is not what lies there";
    uint64_t lacks = wanted->flags & ~view->flags;
    return lacks & MOUNT_ATTR_RDONLY   ? "can be written to"
           : lacks & MOUNT_ATTR_NOSUID ? "is not nosuid"
           : lacks & MOUNT_ATTR_NODEV  ? "is not nodev"
           : lacks & MOUNT_ATTR_NOEXEC ? "is not noexec"
                                       : NULL;
}

static int mount_error (const struct mount_view *view, const char *pointer, const char *text,
                        struct error *err)
{
    bool named = view->type && view->type[0];

    error_set (err, "RT-RESTORE-MOUNT", 0, "the mount at %s of a restored container%s%s%s %s",
               view->point, named ? " (" : "", named ? view->type : "", named ? ")" : "", text);
    error_at (err, "%s", pointer);
    return error_hint (err, "these images are not of a container with this document");
}

/* Those that show nothing but what the container's own namespaces have. */
static bool is_harmless (const struct mount_view *view)
{
    static const char *const types[] = {"tmpfs", "proc", "sysfs", "devpts", "mqueue"};

    for (size_t i = 0; !view->key && i < sizeof (types) / sizeof (types[0]); i++)
        if (text_equal (view->type, types[i]))
            return true;
    return false;
}

static bool is_of_host (const struct mount_views *host, const char *peers)
{
    for (size_t i = 0; host && i < host->count; i++)
        if (host->items[i].peers && text_equal (host->items[i].peers, peers))
            return true;
    return false;
}

/* "/a/../b" would lead CRIU out of the root that it builds. */
static bool is_plain (const char *path)
{
    if (path[0] != '/')
        return false;
    for (const char *at = path; (at = strstr (at, "/..")) != NULL; at += 3)
        if (at[3] == '/' || at[3] == '\0')
            return false;
    return true;
}

/* The one with the most flags of those that fit; else one that does not, for the error. */
static struct mount_wanted *match (const struct mount_views *views, size_t index,
                                   struct mount_wanteds *wanted, const char **difference)
{
    struct mount_wanted *best = NULL;
    struct mount_wanted *other = NULL;

    *difference = NULL;
    for (size_t i = 0; i < wanted->count; i++) {
        struct mount_wanted *each = &wanted->items[i];
        if (each->found || !text_equal (each->point, views->items[index].point))
            continue;
        const char *found = find_difference (views, index, each);
        if (!found &&
            (!best || (each->flags & ~best->flags) || (best->optional && !each->optional)))
            best = each;
        if (found && (!other || other->optional)) {
            other = each;
            *difference = found;
        }
    }
    if (best)
        *difference = NULL;
    return best ? best : other;
}

int mount_table_compare (const struct mount_views *views, struct mount_wanteds *wanted,
                         const struct mount_views *host, bool may_mount, struct error *err)
{
    for (size_t i = 0; i < views->count; i++) {
        const struct mount_view *view = &views->items[i];
        const char *difference;
        if (!is_plain (view->point) || (views->of_images && strstr (view->root, "/..")))
            return mount_error (view, "/mounts", "leads out of the root file system", err);
        struct mount_wanted *each = match (views, i, wanted, &difference);
        if (difference && !(may_mount && is_harmless (view)))
            return mount_error (view, each->pointer, difference, err);
        if (!each && !(may_mount && is_harmless (view)))
            return mount_error (view, "/mounts", "is not in the document", err);
        if (each && !difference)
            each->found = true;
        if (view->peers && !(each && each->shared) && is_of_host (host, view->peers))
            return mount_error (view, each ? each->pointer : "/mounts", "propagates to the host",
                                err);
    }
    for (size_t i = 0; i < wanted->count; i++) {
        const struct mount_view missing = {.point = wanted->items[i].point,
                                           .type = wanted->items[i].type};
        if (!wanted->items[i].found && !wanted->items[i].optional)
            return mount_error (&missing, wanted->items[i].pointer, "is not there", err);
    }
    return 0;
}
