/* SPDX-License-Identifier: Apache-2.0 */
/* mount_idmapped: see mount_idmapped.h. */
#include "container/mount_idmapped.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "container/idmap.h"
#include "kernel/ns.h"

#include <errno.h>
#include <sched.h>

static const char *joined_userns (const struct oci_linux *linux)
{
    for (size_t i = 0; i < linux->namespaces.count; i++)
        if (linux->namespaces.items[i].type == CLONE_NEWUSER)
            return linux->namespaces.items[i].path;
    return NULL;
}

/* Ids of the container become the host's; all of a range by one mapping. */
static bool resolve (const struct oci_id_mapping *asked, const struct oci_id_mappings *container,
                     struct oci_id_mapping *found)
{
    *found = *asked;
    if (!asked->relative)
        return true;
    for (size_t i = 0; i < container->count; i++) {
        const struct oci_id_mapping *one = &container->items[i];
        if (asked->host_id < one->container_id || asked->size > one->size ||
            asked->host_id - one->container_id > one->size - asked->size)
            continue;
        found->host_id = one->host_id + (asked->host_id - one->container_id);
        return true;
    }
    return false;
}

static int own_text (const struct oci_id_mappings *asked, const struct oci_id_mappings *container,
                     struct text *out)
{
    for (size_t i = 0; i < asked->count; i++) {
        struct oci_id_mapping one;
        if (!resolve (&asked->items[i], container, &one)) {
            errno = ERANGE;
            return -1;
        }
        idmap_text (&(struct oci_id_mappings){.count = 1, .items = &one}, out);
    }
    return 0;
}

static int open_userns (const struct oci_mount *mount, const struct oci_linux *linux)
{
    AUTO_TEXT struct text uid = {0};
    AUTO_TEXT struct text gid = {0};
    const char *path = joined_userns (linux);
    bool own = mount->uid_mappings.count > 0;

    if (!own && path)
        return ns_open (path);
    if (own_text (own ? &mount->uid_mappings : &linux->uid_mappings, &linux->uid_mappings, &uid) <
            0 ||
        own_text (own ? &mount->gid_mappings : &linux->gid_mappings, &linux->gid_mappings, &gid) <
            0)
        return -1;
    if (uid.length == 0) {
        errno = 0;
        return -1;
    }
    return ns_user_with_maps (text_string (&uid), text_string (&gid));
}

int mount_idmapped_open (const struct oci_mount *mount, size_t index, const struct oci_linux *linux,
                         struct error *err)
{
    int userns = open_userns (mount, linux);

    if (userns >= 0)
        return userns;
    int saved = errno;
    error_set (err, "RT-MOUNT-IDMAP", saved,
               saved ? "cannot make the user namespace for the id-mapped mount at \"%s\""
                     : "the id-mapped mount at \"%s\" has no mappings, and the container has no "
                       "user namespace to take them from",
               mount->destination);
    error_at (err, "/mounts/%zu", index);
    return saved == ERANGE ? error_hint (err, "a range with \"@\" must be in one of the "
                                              "container's own mappings")
                           : -1;
}

int mount_idmapped_failed (const struct oci_mount *mount, size_t index, int errnum,
                           struct error *err)
{
    error_set (err, "RT-MOUNT-IDMAP", errnum, "cannot map the ids of \"%s\" for \"%s\"",
               mount->source, mount->destination);
    error_at (err, "/mounts/%zu", index);
    if (errnum == EINVAL)
        return error_hint (err,
                           "the file system of the source does not support id-mapped mounts, or "
                           "is id-mapped already");
    if (errnum == ENOSYS)
        return error_hint (err, "id-mapped mounts need Linux 5.12");
    return -1;
}
