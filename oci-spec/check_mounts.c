/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_mounts: the rules of config.json's `mounts`.
 */
#include "oci-spec/check.h"

#include "base/arena.h"
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
    } else if (!mount->remount && mount->type && text_equal (mount->type, "cgroup") && mount->data)
        /* What it shows is bound, and mount(2) knows no such option. */
        check_fail (check, check_pointer (check, "/mounts/%zu/options", index),
                    "invalid argument: \"%.60s\" has no effect on a mount of type cgroup",
                    mount->data);
    else if (!mount->remount && !mount->type)
        check_fail (check, check_pointer (check, "/mounts/%zu/type", index),
                    "is required without the option bind or rbind");
    else if (!mount->remount && text_equal (mount->type, "none"))
        check_fail (check, check_pointer (check, "/mounts/%zu/type", index),
                    "the type \"none\" needs the option bind or rbind");
}

static bool is_harmless_in_proc (const char *path)
{
    const char *harmless;

    for (size_t i = 0; (harmless = oci_mount_over_proc_at (i)) != NULL; i++)
        if (text_equal (path, harmless))
            return true;
    return false;
}

/* As the container sees it: absolute, without "." and "..". */
static char *clean_destination (const struct oci_mount *mount)
{
    AUTO_TEXT struct text absolute = {0};
    char *clean = malloc (strlen (mount->destination) + 3);

    if (!clean)
        memory_exhausted ();
    text_printf (&absolute, "/%s", mount->destination);
    text_clean_path (text_string (&absolute), clean);
    return clean;
}

/* A mount there would lie below the container, unseen. A remount changes the root that is there. */
static void check_root (const struct check *check, const struct oci_mount *mount, size_t index)
{
    AUTO_FREE char *path = clean_destination (mount);

    if (mount->remount)
        return;
    if (text_equal (path, "/"))
        check_fail (check, check_pointer (check, "/mounts/%zu/destination", index),
                    "the root itself is mounted by root.path, not by a mount at \"%.60s\"",
                    mount->destination);
}

/* A fake /proc would take in whoever trusts it inside (CVE-2019-16884). The host's own, for a
 * container in the host's pid namespace, is real. */
static void check_proc (const struct check *check, const struct oci_mount *mount, size_t index)
{
    AUTO_FREE char *path = clean_destination (mount);

    if (mount->remount)
        return;
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
        check_root (check, &config->mounts.items[i], i);
        check_proc (check, &config->mounts.items[i], i);
        check_idmap (check, config, &config->mounts.items[i], i);
    }
}
