/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_mounts: the rules of config.json's `mounts`.
 */
#include "oci-spec/check.h"

#include "base/text.h"

#include <sched.h>

static void check_kind (const struct check *check, const struct oci_mount *mount, size_t index)
{
    if (mount->bind) {
        if (!mount->source && !mount->remount)
            check_fail (check, check_pointer (check, "/mounts/%zu/source", index),
                        "is required for a bind mount");
        /* They would change the file system for all who use it. */
        if (mount->data)
            check_fail (
                check, check_pointer (check, "/mounts/%zu/options", index),
                "bind mounts cannot have any filesystem-specific options applied: \"%.60s\"",
                mount->data);
    } else if (!mount->remount && !mount->type)
        check_fail (check, check_pointer (check, "/mounts/%zu/type", index),
                    "is required without the option bind or rbind");
    else if (!mount->remount && text_equal (mount->type, "none"))
        check_fail (check, check_pointer (check, "/mounts/%zu/type", index),
                    "the type \"none\" needs the option bind or rbind");
}

static void check_idmap (const struct check *check, const struct oci_config *config,
                         const struct oci_mount *mount, size_t index)
{
    const char *uid_maps = check_pointer (check, "/mounts/%zu/uidMappings", index);
    const char *gid_maps = check_pointer (check, "/mounts/%zu/gidMappings", index);

    if (mount->idmap == OCI_IDMAP_NONE)
        return;
    if (mount->uid_mappings.count > 0 && mount->gid_mappings.count == 0)
        check_fail (check, gid_maps, "is required along with uidMappings");
    else if (mount->gid_mappings.count > 0 && mount->uid_mappings.count == 0)
        check_fail (check, uid_maps, "is required along with gidMappings");
    else if (mount->uid_mappings.count == 0 && !oci_config_namespace (config, CLONE_NEWUSER))
        check_fail (check, check_pointer (check, "/mounts/%zu/options", index),
                    "idmap and ridmap need uidMappings and gidMappings, or a user namespace");
    check_id_mappings (check, &mount->uid_mappings, uid_maps);
    check_id_mappings (check, &mount->gid_mappings, gid_maps);
}

void check_mounts (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    for (size_t i = 0; i < config->mounts.count; i++) {
        check_kind (check, &config->mounts.items[i], i);
        check_idmap (check, config, &config->mounts.items[i], i);
    }
}
