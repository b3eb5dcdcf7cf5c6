/* SPDX-License-Identifier: Apache-2.0 */
/* rootless: see rootless.h. */
#include "lifecycle/rootless.h"

#include "base/log.h"
#include "base/text.h"
#include "container/subids.h"
#include "kernel/privileges.h"
#include "oci-spec/mount_options.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_privileged (void)
{
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;

    return geteuid () == 0 || capabilities_get (&effective, &permitted, &inheritable) < 0 ||
           (effective >> CAP_SYS_ADMIN & 1);
}

static bool is_mapped (const struct oci_id_mappings *mappings, uint32_t id)
{
    for (size_t i = 0; i < mappings->count; i++)
        if (id >= mappings->items[i].container_id &&
            id - mappings->items[i].container_id < mappings->items[i].size)
            return true;
    return false;
}

static int check_mapped (const struct oci_id_mappings *mappings, uint32_t id, const char *pointer,
                         struct error *err)
{
    if (is_mapped (mappings, id))
        return 0;
    error_set (err, "RT-USERNS-ROOT", 0, "%u is none of the ids that user %u may have", id,
               geteuid ());
    error_hint (err, "more come with lines in /etc/subuid and /etc/subgid and the package uidmap");
    return error_at (err, "%s", pointer);
}

/* The documents of root give the terminals to the group 5, "tty". Where the caller has no such id,
 * they keep the group that they are made with. */
static bool drop_unmapped_group (struct arena *arena, const struct oci_id_mappings *mappings,
                                 struct oci_mount *mount)
{
    const char *word = mount_options_find (mount, "gid=");
    char number[16];
    uint64_t gid;

    if (mount->bind || !mount->type || !text_equal (mount->type, "devpts") || !word)
        return false;
    (void)snprintf (number, sizeof (number), "%.*s", (int)strcspn (word + 4, ","), word + 4);
    if (text_to_uint64 (number, UINT32_MAX, &gid) < 0 || is_mapped (mappings, (uint32_t)gid))
        return false;
    mount_options_drop (arena, mount, "gid=");
    return true;
}

int rootless_complete (struct arena *arena, struct oci_config *config, const char *path,
                       struct error *err)
{
    struct oci_linux *linux_ = &config->linux;
    size_t count = linux_->namespaces.count;

    if (oci_config_namespace (config, CLONE_NEWUSER) || is_privileged ())
        return 0;
    struct oci_namespace *items = arena_array (arena, count + 1, sizeof (*items));
    for (size_t i = 0; i < count; i++)
        items[i] = linux_->namespaces.items[i];
    items[count] = (struct oci_namespace){.type = CLONE_NEWUSER};
    linux_->namespaces.items = items;
    linux_->namespaces.count = count + 1;
    subids_prepare (arena, path, &linux_->uid_mappings, &linux_->gid_mappings);

    const struct oci_user *user = &config->process->user;
    if (check_mapped (&linux_->uid_mappings, user->uid, "/process/user/uid", err) < 0 ||
        check_mapped (&linux_->gid_mappings, user->gid, "/process/user/gid", err) < 0)
        return -1;
    bool dropped = false;
    for (size_t i = 0; i < config->mounts.count; i++)
        dropped |= drop_unmapped_group (arena, &linux_->gid_mappings, &config->mounts.items[i]);
    log_warning ("without privileges the container gets a user namespace that its document does "
                 "not ask for: root inside is user %u%s",
                 geteuid (),
                 dropped ? ", and terminals keep his group, as their gid= is no id of "
                           "his"
                         : "");
    return 0;
}
