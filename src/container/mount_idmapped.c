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

static int open_userns (const struct oci_mount *mount, const struct oci_linux *linux)
{
    AUTO_TEXT struct text uid = {0};
    AUTO_TEXT struct text gid = {0};
    const char *path = joined_userns (linux);
    bool own = mount->uid_mappings.count > 0;

    if (!own && path)
        return ns_open (path);
    idmap_text (own ? &mount->uid_mappings : &linux->uid_mappings, &uid);
    idmap_text (own ? &mount->gid_mappings : &linux->gid_mappings, &gid);
    if (uid.length == 0) {
        errno = 0;
        return -1;
    }
    return ns_user_with_maps (text_string (&uid), text_string (&gid));
}

int mount_idmapped_prepare (const struct oci_mount *mount, size_t index,
                            const struct oci_linux *linux, struct mountfd *source,
                            struct error *err)
{
    AUTO_FD int userns = open_userns (mount, linux);

    if (userns < 0) {
        int saved = errno;
        error_set (err, "RT-MOUNT-IDMAP", saved,
                   saved
                       ? "cannot make the user namespace for the id-mapped mount at \"%s\""
                       : "the id-mapped mount at \"%s\" has no mappings, and the container has no "
                         "user namespace to take them from",
                   mount->destination);
        return error_at (err, "/mounts/%zu", index);
    }
    if (mountfd_idmap (source, userns, mount->idmap == OCI_RIDMAP) == 0)
        return 0;

    int saved = errno;
    error_set (err, "RT-MOUNT-IDMAP", saved, "cannot map the ids of \"%s\" for \"%s\"",
               mount->source, mount->destination);
    error_at (err, "/mounts/%zu", index);
    if (saved == EINVAL)
        return error_hint (err,
                           "the file system of the source does not support id-mapped mounts, or "
                           "is id-mapped already");
    if (saved == ENOSYS)
        return error_hint (err, "id-mapped mounts need Linux 5.12");
    return -1;
}
