/* SPDX-License-Identifier: Apache-2.0 */
/* image: see image.h. */
#include "criu/image.h"

#include "criu/entry.h"

#include <string.h>

#define PSTREE_MAGIC 0x50273030u
#define CORE_MAGIC 0x55053847u
#define IDS_MAGIC 0x54432030u
#define SECCOMP_MAGIC 0x64413049u
#define MNTS_MAGIC 0x55563928u
#define CGROUP_MAGIC 0x59383330u

enum { TASK_DEAD = 2, TASK_ZOMBIE = 6 };

/* A cgroup in a cgroup in a cgroup: nothing that CRIU has dumped is deeper. */
#define DEPTH_MAX 64

#define LENGTH(array) (sizeof (array) / sizeof ((array)[0]))

struct ids {
    struct criu_number ids[CRIU_NS_KINDS];
};

/* pid_ns_id is 5, and so on: their order is that of enum criu_ns. */
static int read_ids (struct protobuf body, struct arena *arena, struct criu_number *ids)
{
    struct message_row rows[CRIU_NS_KINDS];
    struct ids found = {0};

    for (size_t i = 0; i < CRIU_NS_KINDS; i++)
        rows[i] = (struct message_row){.field = 5 + (uint32_t)i,
                                       .kind = ROW_NUMBER,
                                       .offset = i * sizeof (struct criu_number)};
    if (message_read (body, rows, CRIU_NS_KINDS, arena, &found) < 0)
        return -1;
    memcpy (ids, found.ids, sizeof (found.ids));
    return 0;
}

int criu_ids_read (const void *bytes, size_t length, struct arena *arena,
                   struct criu_number ids[CRIU_NS_KINDS])
{
    struct protobuf entry;

    return entry_only (bytes, length, IDS_MAGIC, &entry) < 0 ? -1 : read_ids (entry, arena, ids);
}

struct inventory {
    struct criu_number version;
    struct protobuf root_ids;
};

int criu_inventory_read (const void *bytes, size_t length, struct arena *arena,
                         struct criu_inventory *inventory)
{
    static const struct message_row rows[] = {
        ROW (1, ROW_NUMBER, struct inventory, version),
        ROW (3, ROW_MESSAGE, struct inventory, root_ids),
    };
    struct inventory found = {0};
    struct criu_inventory told = {0};
    struct protobuf entry;

    if (entry_only (bytes, length, INVENTORY_MAGIC, &entry) < 0 ||
        message_read (entry, rows, LENGTH (rows), arena, &found) < 0 || !found.version.present)
        return -1;
    told.version = found.version;
    told.has_root_ids = found.root_ids.at != NULL;
    if (told.has_root_ids && read_ids (found.root_ids, arena, told.root_ids) < 0)
        return -1;
    *inventory = told;
    return 0;
}

int criu_tree_read (const void *bytes, size_t length, struct arena *arena, struct criu_tree *tree)
{
    static const struct message_row rows[] = {
        ROW (1, ROW_NUMBER, struct criu_process, pid),
        ROW (2, ROW_NUMBER, struct criu_process, parent),
        ROW (5, ROW_NUMBERS, struct criu_process, threads),
    };
    struct criu_tree found = {0};
    struct protobuf rest;
    struct protobuf entry;
    int more;

    if (entry_begin (bytes, length, PSTREE_MAGIC, &rest) < 0)
        return -1;
    while ((more = entry_next (&rest, &entry)) > 0) {
        struct criu_process process = {0};
        if (message_read (entry, rows, LENGTH (rows), arena, &process) < 0 ||
            !process.pid.present || !process.parent.present)
            return -1;
        found.items = entry_grow (arena, found.items, found.count, sizeof (*found.items));
        found.items[found.count++] = process;
    }
    if (more < 0 || found.count == 0)
        return -1;
    *tree = found;
    return 0;
}

struct core {
    struct protobuf task;
    struct protobuf thread;
};

struct task {
    struct criu_number state;
};

struct thread {
    struct protobuf credentials;
    struct criu_number mode;
    struct criu_number filter;
};

struct credentials {
    struct criu_number ids[8]; /* uid, gid, euid, egid, suid, sgid, fsuid, fsgid */
    struct criu_numbers sets[5];
    struct criu_numbers groups;
    struct criu_number no_new_privs;
};

/* Two words of a set, the low one first. */
static int join_words (const struct criu_numbers *words, uint64_t *set)
{
    if (words->count > 2)
        return -1;
    *set = 0;
    for (size_t i = 0; i < words->count; i++)
        *set |= (uint64_t)words->items[i] << (32 * i);
    return 0;
}

static int read_credentials (struct protobuf body, struct arena *arena, struct criu_core *core)
{
    struct credentials found = {0};
    struct message_row rows[8 + 5 + 2];
    size_t count = 0;

    for (size_t i = 0; i < 8; i++)
        rows[count++] = (struct message_row){(uint32_t)i + 1, ROW_NUMBER,
                                             offsetof (struct credentials, ids) +
                                                 i * sizeof (struct criu_number)};
    for (size_t i = 0; i < 5; i++) /* the ambient set came last */
        rows[count++] = (struct message_row){i < 4 ? (uint32_t)i + 9 : 19, ROW_NUMBERS,
                                             offsetof (struct credentials, sets) +
                                                 i * sizeof (struct criu_numbers)};
    rows[count++] = (struct message_row)ROW (14, ROW_NUMBERS, struct credentials, groups);
    rows[count++] = (struct message_row)ROW (18, ROW_NUMBER, struct credentials, no_new_privs);
    if (message_read (body, rows, count, arena, &found) < 0)
        return -1;
    for (size_t i = 0; i < 8; i++) {
        if (!found.ids[i].present)
            return -1;
        (i % 2 ? core->gids : core->uids)[i / 2] = found.ids[i].value;
    }
    core->groups = found.groups;
    core->no_new_privs = found.no_new_privs.value != 0;
    core->has_credentials = true;
    return join_words (&found.sets[0], &core->inheritable) < 0 ||
                   join_words (&found.sets[1], &core->permitted) < 0 ||
                   join_words (&found.sets[2], &core->effective) < 0 ||
                   join_words (&found.sets[3], &core->bounding) < 0 ||
                   join_words (&found.sets[4], &core->ambient) < 0
               ? -1
               : 0;
}

int criu_core_read (const void *bytes, size_t length, struct arena *arena, struct criu_core *core)
{
    static const struct message_row core_rows[] = {
        ROW (3, ROW_MESSAGE, struct core, task),
        ROW (5, ROW_MESSAGE, struct core, thread),
    };
    static const struct message_row task_rows[] = {ROW (1, ROW_NUMBER, struct task, state)};
    static const struct message_row thread_rows[] = {
        ROW (10, ROW_MESSAGE, struct thread, credentials),
        ROW (11, ROW_NUMBER, struct thread, mode),
        ROW (12, ROW_NUMBER, struct thread, filter),
    };
    struct criu_core told = {0};
    struct thread thread = {0};
    struct core found = {0};
    struct task task = {0};
    struct protobuf entry;

    if (entry_only (bytes, length, CORE_MAGIC, &entry) < 0 ||
        message_read (entry, core_rows, LENGTH (core_rows), arena, &found) < 0 ||
        (found.task.at &&
         message_read (found.task, task_rows, LENGTH (task_rows), arena, &task) < 0) ||
        (found.thread.at &&
         message_read (found.thread, thread_rows, LENGTH (thread_rows), arena, &thread) < 0) ||
        (thread.credentials.at && read_credentials (thread.credentials, arena, &told) < 0))
        return -1;
    told.dead = task.state.value == TASK_DEAD || task.state.value == TASK_ZOMBIE;
    told.seccomp_mode = thread.mode.value;
    told.seccomp_filter = thread.filter;
    *core = told;
    return 0;
}

int criu_filters_read (const void *bytes, size_t length, struct arena *arena,
                       struct criu_filters *filters)
{
    static const struct message_row rows[] = {{1, ROW_MESSAGES, 0}};
    static const struct message_row filter_rows[] = {
        ROW (1, ROW_MESSAGE, struct criu_filter, program),
        ROW (2, ROW_NUMBER, struct criu_filter, previous),
    };
    struct criu_filters found = {0};
    struct messages messages = {0};
    struct protobuf entry;

    if (entry_only (bytes, length, SECCOMP_MAGIC, &entry) < 0 ||
        message_read (entry, rows, LENGTH (rows), arena, &messages) < 0)
        return -1;
    found.items = arena_array (arena, messages.count + 1, sizeof (*found.items));
    for (; found.count < messages.count; found.count++)
        if (message_read (messages.items[found.count], filter_rows, LENGTH (filter_rows), arena,
                          &found.items[found.count]) < 0 ||
            !found.items[found.count].program.at)
            return -1;
    *filters = found;
    return 0;
}

/* fstype of mnt.proto: those that CRIU has a number for. */
static const char *const file_systems[] = {
    [1] = "proc",     [2] = "sysfs",   [3] = "devtmpfs", [4] = "binfmt_misc", [5] = "tmpfs",
    [6] = "devpts",   [7] = "simfs",   [8] = "pstore",   [9] = "securityfs",  [10] = "fusectl",
    [11] = "debugfs", [12] = "cgroup", [13] = "aufs",    [14] = "mqueue",     [15] = "fuse",
    [17] = "overlay", [18] = "autofs", [19] = "tracefs", [23] = "cgroup2",
};
#define AUTO_TYPE 16 /* called by its name */

struct mount {
    struct criu_number type;
    struct criu_number device;
    struct criu_number flags;
    struct criu_number plugin;
    const char *root;
    const char *point;
    const char *source;
    const char *name;
    const char *key;
};

static const char *type_of (const struct mount *mount)
{
    uint32_t type = mount->type.value;

    if (type == AUTO_TYPE)
        return mount->name ? mount->name : "";
    return type < LENGTH (file_systems) && file_systems[type] ? file_systems[type] : "";
}

int criu_mounts_read (const void *bytes, size_t length, struct arena *arena,
                      struct criu_mounts *mounts)
{
    static const struct message_row rows[] = {
        ROW (1, ROW_NUMBER, struct mount, type),    ROW (3, ROW_NUMBER, struct mount, device),
        ROW (5, ROW_NUMBER, struct mount, flags),   ROW (6, ROW_STRING, struct mount, root),
        ROW (7, ROW_STRING, struct mount, point),   ROW (8, ROW_STRING, struct mount, source),
        ROW (12, ROW_NUMBER, struct mount, plugin), ROW (14, ROW_STRING, struct mount, name),
        ROW (18, ROW_STRING, struct mount, key),
    };
    struct criu_mounts found = {0};
    struct protobuf rest;
    struct protobuf entry;
    int more;

    if (entry_begin (bytes, length, MNTS_MAGIC, &rest) < 0)
        return -1;
    while ((more = entry_next (&rest, &entry)) > 0) {
        struct mount mount = {0};
        if (message_read (entry, rows, LENGTH (rows), arena, &mount) < 0 || !mount.type.present ||
            !mount.device.present || !mount.flags.present || !mount.root || !mount.point ||
            !mount.source)
            return -1;
        found.items = entry_grow (arena, found.items, found.count, sizeof (*found.items));
        found.items[found.count++] = (struct criu_mount){
            .type = type_of (&mount),
            .point = mount.point,
            .root = mount.root,
            .source = mount.source,
            .key = mount.key,
            .device = mount.device.value,
            .flags = mount.flags.value,
            .plugin = mount.plugin.value != 0,
        };
    }
    if (more < 0)
        return -1;
    *mounts = found;
    return 0;
}

struct group {
    const char *name;
    struct messages children;
    struct messages properties;
};

struct property {
    const char *name;
    const char *value;
};

static bool is_component (const char *name)
{
    return name[0] != '\0' && !strchr (name, '/') && strcmp (name, ".") != 0 &&
           strcmp (name, "..") != 0;
}

/* "/a/b", without "." and "..", or "". */
static bool is_plain_path (const char *path)
{
    while (*path) {
        char name[256];
        path += *path == '/';
        size_t length = strcspn (path, "/");
        if (length >= sizeof (name))
            return false;
        memcpy (name, path, length);
        name[length] = '\0';
        if (length > 0 && !is_component (name))
            return false;
        path += length;
    }
    return true;
}

static void add_group (struct arena *arena, struct criu_groups *groups, const char *path)
{
    size_t count = groups->count;

    groups->items = entry_grow (arena, groups->items, count, sizeof (*groups->items));
    groups->items[groups->count++] = path;
}

static int read_group (struct protobuf body, unsigned int depth, struct arena *arena,
                       struct criu_groups *groups)
{
    static const struct message_row rows[] = {
        ROW (1, ROW_STRING, struct group, name),
        ROW (2, ROW_MESSAGES, struct group, children),
        ROW (3, ROW_MESSAGES, struct group, properties),
    };
    static const struct message_row property_rows[] = {ROW (1, ROW_STRING, struct property, name),
                                                       ROW (2, ROW_STRING, struct property, value)};
    struct group group = {0};

    if (depth > DEPTH_MAX || message_read (body, rows, LENGTH (rows), arena, &group) < 0 ||
        !group.name || (depth == 0 ? !is_plain_path (group.name) : !is_component (group.name)))
        return -1;
    if (depth == 0)
        add_group (arena, groups, group.name);
    for (size_t i = 0; i < group.properties.count; i++) {
        struct property property = {0};
        if (message_read (group.properties.items[i], property_rows, LENGTH (property_rows), arena,
                          &property) < 0 ||
            !property.name || !is_component (property.name))
            return -1;
    }
    for (size_t i = 0; i < group.children.count; i++)
        if (read_group (group.children.items[i], depth + 1, arena, groups) < 0)
            return -1;
    return 0;
}

struct cgroups {
    struct messages sets;
    struct messages controllers;
};

struct set {
    struct messages members;
};

struct member {
    const char *path;
};

static int read_set (struct protobuf body, struct arena *arena, struct criu_groups *groups)
{
    static const struct message_row rows[] = {ROW (2, ROW_MESSAGES, struct set, members)};
    static const struct message_row member_rows[] = {ROW (2, ROW_STRING, struct member, path)};
    struct set set = {0};

    if (message_read (body, rows, LENGTH (rows), arena, &set) < 0)
        return -1;
    for (size_t i = 0; i < set.members.count; i++) {
        struct member member = {0};
        if (message_read (set.members.items[i], member_rows, LENGTH (member_rows), arena, &member) <
                0 ||
            !member.path || !is_plain_path (member.path))
            return -1;
        add_group (arena, groups, member.path);
    }
    return 0;
}

struct controller {
    struct messages groups;
};

int criu_cgroups_read (const void *bytes, size_t length, struct arena *arena,
                       struct criu_groups *groups)
{
    static const struct message_row rows[] = {ROW (1, ROW_MESSAGES, struct cgroups, sets),
                                              ROW (2, ROW_MESSAGES, struct cgroups, controllers)};
    static const struct message_row controller_rows[] = {
        ROW (2, ROW_MESSAGES, struct controller, groups)};
    struct criu_groups found = {0};
    struct cgroups cgroups = {0};
    struct protobuf entry;

    if (entry_only (bytes, length, CGROUP_MAGIC, &entry) < 0 ||
        message_read (entry, rows, LENGTH (rows), arena, &cgroups) < 0)
        return -1;
    for (size_t i = 0; i < cgroups.sets.count; i++)
        if (read_set (cgroups.sets.items[i], arena, &found) < 0)
            return -1;
    for (size_t i = 0; i < cgroups.controllers.count; i++) {
        struct controller controller = {0};
        if (message_read (cgroups.controllers.items[i], controller_rows, LENGTH (controller_rows),
                          arena, &controller) < 0)
            return -1;
        for (size_t j = 0; j < controller.groups.count; j++)
            if (read_group (controller.groups.items[j], 0, arena, &found) < 0)
                return -1;
    }
    *groups = found;
    return 0;
}
