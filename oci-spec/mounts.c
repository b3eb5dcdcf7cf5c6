/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts: see mounts.h.
 */
#include "oci-spec/mounts.h"

#include "base/text.h"
#include "oci-spec/mount_options.h"
#include "oci-spec/sections.h"

static const char *const over_proc[] = {
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

const char *oci_mount_over_proc_at (size_t index)
{
    return index < sizeof (over_proc) / sizeof (over_proc[0]) ? over_proc[index] : NULL;
}

static void finish_mount (struct decoder *decoder, const struct place *at, void *target)
{
    struct oci_mount *mount = target;

    (void)at;
    mount_options_read (decoder->arena, mount);
    /* Engines write the type "bind" with the option "rbind" or "bind"; some write the type alone.
     */
    if (mount->type && text_equal (mount->type, "bind"))
        mount->bind = true;
    if (mount->idmap == OCI_IDMAP_NONE &&
        (mount->uid_mappings.count > 0 || mount->gid_mappings.count > 0))
        mount->idmap = OCI_IDMAP;
}

static const struct decode_row mount_rows[] = {
    ROW_STRING ("destination", struct oci_mount, destination, REQUIRED),
    ROW_STRING ("source", struct oci_mount, source),
    ROW_STRING ("type", struct oci_mount, type),
    ROW_STRINGS ("options", struct oci_mount, options),
    ROW_OBJECTS ("uidMappings", struct oci_mount, uid_mappings, oci_id_mapping_table),
    ROW_OBJECTS ("gidMappings", struct oci_mount, gid_mappings, oci_id_mapping_table),
};
DECODE_TABLE_DEFINE (oci_mount_table, mount_rows, finish_mount);
