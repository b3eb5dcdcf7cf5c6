/* SPDX-License-Identifier: Apache-2.0 */
/* images_check: see images_check.h. */
#include "lifecycle/images_check.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "lifecycle/mount_table.h"
#include "lifecycle/restored.h"
#include "lifecycle/restored_view.h"
#include "oci-spec/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define IMAGE_MAX (64u << 20)
#define VERSION 2 /* of images since CRIU 1.7 */
#define HINT "these images are not of a container with this document"

static int rights_error (const char *pointer, const char *text, struct error *err)
{
    error_set (err, "RT-RESTORE-RIGHTS", 0, "a restored process %s", text);
    error_at (err, "%s", pointer);
    return error_hint (err, HINT);
}

static int image_error (const char *name, struct error *err)
{
    return error_set (err, "RT-IMAGES-FILE", 0, "%s of the images is not what CRIU writes", name);
}

/* The bytes are in the arena. NULL with err, or without where there is none and *absent. */
static const char *read_file (const struct images_check *check, const char *name,
                              struct arena *arena, size_t *length, bool *absent, struct error *err)
{
    AUTO_FD int fd = images_open_file (check->images, name, absent, err);
    AUTO_FREE char *bytes = fd < 0 ? NULL : fd_read_all (fd, IMAGE_MAX, length, name, err);

    return bytes ? arena_copy (arena, bytes, *length) : NULL;
}

static int compare_numbers (const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a;
    uint32_t second = *(const uint32_t *)b;

    return first < second ? -1 : first > second;
}

int images_check_tree (const struct criu_tree *tree, bool own_pids, struct arena *arena,
                       struct error *err)
{
    size_t count = 0;
    size_t room = 0;

    for (size_t i = 0; i < tree->count; i++)
        room += tree->items[i].threads.count;
    uint32_t *all = arena_array (arena, room + 1, sizeof (*all));
    for (size_t i = 0; i < tree->count; i++) {
        const struct criu_process *process = &tree->items[i];
        bool first = false;
        for (size_t j = 0; j < process->threads.count; j++) {
            all[count++] = process->threads.items[j];
            first = first || process->threads.items[j] == process->pid.value;
        }
        if (!first || (process->parent.value == 0) != (i == 0))
            return image_error ("pstree.img", err);
    }
    qsort (all, count, sizeof (*all), compare_numbers);
    for (size_t i = 0; i < count; i++)
        if (all[i] == 0 || all[i] > INT32_MAX || (i > 0 && all[i] == all[i - 1]))
            return image_error ("pstree.img", err);
    if (own_pids && tree->items[0].pid.value != 1)
        return rights_error ("/linux/namespaces", "is the first and has another number than 1",
                             err);
    return 0;
}

/* Is it among those that were loaded one before the other, up to `last`? */
/* The words of the door (kernel/door.h) are other ones in each filter. What an image chooses for
 * them opens no more than the calls of the door, as narrow as they are. */
static bool is_word_of_door (const struct seccomp_program *filter, const struct sock_filter *item)
{
    for (size_t i = 0; i < DOOR_WORDS; i++)
        if (item->code == (BPF_ALU | BPF_XOR | BPF_K) && item->k == filter->door[i])
            return true;
    return false;
}

static bool is_filter (const struct protobuf *bytes, const struct seccomp_program *filter)
{
    if (bytes->left != filter->count * sizeof (struct sock_filter))
        return false;
    for (size_t i = 0; i < filter->count; i++) {
        const struct sock_filter *wanted = &filter->instructions[i];
        struct sock_filter found;
        memcpy (&found, bytes->at + i * sizeof (found), sizeof (found));
        if (is_word_of_door (filter, wanted))
            found.k = wanted->k;
        if (memcmp (&found, wanted, sizeof (found)) != 0)
            return false;
    }
    return true;
}

static bool has_filter (const struct criu_filters *filters, const struct criu_number *last,
                        const struct seccomp_program *filter)
{
    const struct criu_number *at = last;

    for (size_t steps = 0; at->present && at->value < filters->count && steps < filters->count;
         steps++) {
        const struct criu_filter *each = &filters->items[at->value];
        if (is_filter (&each->program, filter))
            return true;
        at = &each->previous;
    }
    return false;
}

int images_check_core (const struct oci_config *config, const struct criu_core *core,
                       const struct criu_filters *filters, const struct seccomp_program *filter,
                       struct error *err)
{
    const struct restored_rights rights = {
        .uids = {core->uids[0], core->uids[1], core->uids[2], core->uids[3]},
        .gids = {core->gids[0], core->gids[1], core->gids[2], core->gids[3]},
        .groups = core->groups.items,
        .group_count = core->groups.count,
        .inheritable = core->inheritable,
        .permitted = core->permitted,
        .effective = core->effective,
        .bounding = core->bounding,
        .ambient = core->ambient,
        .no_new_privs = core->no_new_privs,
    };

    if (core->dead)
        return 0;
    if (!core->has_credentials)
        return rights_error ("/process", "has no credentials in the images, and would keep all",
                             err);
    if (restored_check_rights (config, &rights, err) < 0)
        return -1;
    if (!config->linux.seccomp)
        return 0;
    if (core->seccomp_mode != SECCOMP_MODE_FILTER)
        return rights_error ("/linux/seccomp", "has no filter for its system calls", err);
    if (has_filter (filters, &core->seccomp_filter, filter))
        return 0;
    rights_error ("/linux/seccomp", "has another filter for its system calls", err);
    return error_hint (err, HINT ", or another rt has compiled its filter: checkpoint it again");
}

/* One thread; `filters` are read already. */
static int check_core (const struct images_check *check, uint32_t thread,
                       const struct criu_filters *filters, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct criu_core core;
    char name[32];
    size_t length;

    (void)snprintf (name, sizeof (name), "core-%u.img", thread);
    const char *bytes = read_file (check, name, &arena, &length, NULL, err);
    if (!bytes)
        return -1;
    if (criu_core_read (bytes, length, &arena, &core) < 0)
        return image_error (name, err);
    return images_check_core (check->external->config, &core, filters, check->filter, err);
}

static int read_inventory (const struct images_check *check, struct arena *arena,
                           struct criu_inventory *inventory, struct error *err)
{
    size_t length;
    const char *bytes = read_file (check, "inventory.img", arena, &length, NULL, err);

    if (!bytes)
        return -1;
    if (criu_inventory_read (bytes, length, arena, inventory) < 0)
        return image_error ("inventory.img", err);
    if (inventory->version.value == VERSION && inventory->has_root_ids)
        return 0;
    error_set (err, "RT-IMAGES-FILE", 0, "the images have the version %u",
               inventory->version.value);
    return error_hint (err, "rt reads version %d, which CRIU has written since 1.7", VERSION);
}

/* In the order of enum criu_ns. */
static const int types[CRIU_NS_KINDS] = {CLONE_NEWPID, CLONE_NEWNET,  CLONE_NEWIPC,    CLONE_NEWUTS,
                                         CLONE_NEWNS,  CLONE_NEWUSER, CLONE_NEWCGROUP, 0};

static int check_ids (const struct images_check *check, uint32_t pid,
                      const struct criu_inventory *inventory, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct criu_number ids[CRIU_NS_KINDS];
    char name[32];
    size_t length;
    bool absent;

    (void)snprintf (name, sizeof (name), "ids-%u.img", pid);
    const char *bytes = read_file (check, name, &arena, &length, &absent, err);
    if (!bytes)
        return absent ? 0 : -1; /* of a process that is dead */
    if (criu_ids_read (bytes, length, &arena, ids) < 0)
        return image_error (name, err);
    for (size_t i = 0; i < CRIU_NS_KINDS; i++) {
        const struct oci_namespace *asked =
            types[i] ? oci_config_namespace (check->external->config, types[i]) : NULL;
        /* The cgroup namespace is made by rt where the images' cgroups do not count. */
        if (!asked || asked->path || types[i] == CLONE_NEWCGROUP || !ids[i].present)
            continue;
        if (inventory->root_ids[i].present && ids[i].value == inventory->root_ids[i].value) {
            error_set (err, "RT-RESTORE-RIGHTS", 0,
                       "a restored process is in the host's %s namespace",
                       oci_names_of (&oci_namespaces, (uint64_t)types[i]));
            error_at (err, "/linux/namespaces");
            return error_hint (err, HINT);
        }
    }
    return 0;
}

static int check_processes (const struct images_check *check, struct arena *arena,
                            struct error *err)
{
    const struct oci_namespace *pids = oci_config_namespace (check->external->config, CLONE_NEWPID);
    struct criu_inventory inventory;
    struct criu_filters filters = {0};
    struct criu_tree tree;
    size_t length;
    bool absent;

    if (read_inventory (check, arena, &inventory, err) < 0)
        return -1;
    const char *bytes = read_file (check, "pstree.img", arena, &length, NULL, err);
    if (!bytes)
        return -1;
    if (criu_tree_read (bytes, length, arena, &tree) < 0)
        return image_error ("pstree.img", err);
    if (images_check_tree (&tree, pids && !pids->path, arena, err) < 0)
        return -1;
    bytes = read_file (check, "seccomp.img", arena, &length, &absent, err);
    if (!bytes && !absent)
        return -1;
    if (bytes && criu_filters_read (bytes, length, arena, &filters) < 0)
        return image_error ("seccomp.img", err);
    for (size_t i = 0; i < tree.count; i++) {
        if (check_ids (check, tree.items[i].pid.value, &inventory, err) < 0)
            return -1;
        for (size_t j = 0; j < tree.items[i].threads.count; j++)
            if (check_core (check, tree.items[i].threads.items[j], &filters, err) < 0)
                return -1;
    }
    return 0;
}

static int check_table (const struct images_check *check, const char *name, int root,
                        struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct mount_wanteds wanted;
    struct mount_views host;
    struct mount_views views;
    struct criu_mounts mounts;
    size_t length;
    const char *bytes = read_file (check, name, &arena, &length, NULL, err);

    if (!bytes)
        return -1;
    if (criu_mounts_read (bytes, length, &arena, &mounts) < 0)
        return image_error (name, err);
    mount_table_of_image (&mounts, &arena, &views);
    /* The sources are those of now only in the outcome. But which mounts are below one counts. */
    return restored_view_host (&host, &arena, err) < 0 ||
                   mount_table_want (check->external, root, &host, true, &arena, &wanted, err) < 0
               ? -1
               : mount_table_compare (&views, &wanted, NULL,
                                      restored_may_mount (check->external->config), err);
}

static bool is_table (const char *name)
{
    return text_starts_with (name, "mountpoints-");
}

static int check_mounts (const struct images_check *check, struct error *err)
{
    int fd = openat (check->images->images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR DIR *listing = fd < 0 ? NULL : fdopendir (fd);
    AUTO_FD int root = open (check->external->rootfs_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const struct dirent *entry;
    bool found = false;

    if (!listing || root < 0)
        return error_set (err, "RT-IMAGES-OPEN", errno, "cannot list the directory of the images");
    if (!oci_config_own_mounts (check->external->config))
        return 0;
    while ((entry = readdir (listing)) != NULL) {
        if (!is_table (entry->d_name))
            continue;
        found = true;
        if (check_table (check, entry->d_name, root, err) < 0)
            return -1;
    }
    return found ? 0 : image_error ("mountpoints-*.img, which is missing,", err);
}

static int check_cgroups (const struct images_check *check, struct arena *arena, struct error *err)
{
    struct criu_groups groups;
    size_t length;

    if (!check->believe_cgroups)
        return 0;
    const char *bytes = read_file (check, "cgroup.img", arena, &length, NULL, err);
    if (!bytes)
        return -1;
    if (criu_cgroups_read (bytes, length, arena, &groups) < 0)
        return error_set (err, "RT-RESTORE-CGROUP", 0,
                          "cgroup.img of the images leads out of its own cgroups");
    return 0;
}

static int check_apparmor (const struct images_check *check, struct error *err)
{
    bool absent;
    AUTO_FD int fd = images_open_file (check->images, "apparmor.img", &absent, err);

    if (fd < 0)
        return absent ? 0 : -1;
    return error_set (err, "RT-RESTORE-RIGHTS", 0,
                      "the images have an AppArmor policy, which would become the host's");
}

int images_check (const struct images_check *check, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;

    return check_apparmor (check, err) < 0 || check_processes (check, &arena, err) < 0 ||
                   check_mounts (check, err) < 0 || check_cgroups (check, &arena, err) < 0
               ? -1
               : 0;
}
