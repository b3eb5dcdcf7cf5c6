/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_mounts: the rules of config.json's `mounts`.
 */
#include "oci-spec/check.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <sched.h>
#include <string.h>

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

/* What may lie over a procfs without taking anything away that rt or a security module relies on
 * (as runc has it). */
static bool is_harmless_in_proc (const char *path)
{
    static const char *const files[] = {
        "/proc/cpuinfo",
        "/proc/diskstats",
        "/proc/meminfo",
        "/proc/stat",
        "/proc/swaps",
        "/proc/uptime",
        "/proc/loadavg",
        "/proc/slabinfo",
        "/proc/sys/kernel/ns_last_pid",
        "/proc/sys/crypto/fips_enabled",
    };

    for (size_t i = 0; i < sizeof (files) / sizeof (files[0]); i++)
        if (text_equal (path, files[i]))
            return true;
    return false;
}

/* A fake /proc would take in whoever trusts it inside (CVE-2019-16884). The host's own, for a
 * container in the host's pid namespace, is real. */
static void check_proc (const struct check *check, const struct oci_mount *mount, size_t index)
{
    AUTO_FREE char *path = malloc (strlen (mount->destination) + 2);

    if (!path || mount->remount)
        return;
    text_clean_path (mount->destination, path);
    if (text_equal (path, "/proc")) {
        bool real = mount->bind ? mount->source && text_equal (mount->source, "/proc")
                                : mount->type && text_equal (mount->type, "proc");
        if (!real)
            check_fail (check, check_pointer (check, "/mounts/%zu/destination", index),
                        "only a procfs can be mounted at /proc");
    } else if (text_starts_with (path, "/proc/") && !is_harmless_in_proc (path))
        check_fail (check, check_pointer (check, "/mounts/%zu/destination", index),
                    "\"%.100s\" cannot be mounted because it is inside /proc", mount->destination);
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
        check_proc (check, &config->mounts.items[i], i);
        check_idmap (check, config, &config->mounts.items[i], i);
    }
}
