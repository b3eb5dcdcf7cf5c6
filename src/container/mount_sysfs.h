/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_sysfs: the host's /sys in a user namespace, where a new sysfs may be refused.
 *
 * It brings the host's cgroups along, in mounts of their own that "ro" does not reach. Who owns a
 * cgroup there, as a user with a systemd session does, could change it from inside
 * (CVE-2023-25809).
 */
#ifndef RT_CONTAINER_MOUNT_SYSFS_H
#define RT_CONTAINER_MOUNT_SYSFS_H

#include "base/error.h"
#include "oci-spec/mounts.h"

/* inside, for a recursive bind that is asked to be read-only and attached as `bound`: if it is one
 * of sysfs, all that is mounted below it now becomes read-only, too. */
int mount_sysfs_close (int bound, const struct oci_mount *mount, int root, struct error *err);

/* inside: hides the cgroups below mount->destination. A later mount of the document may show the
 * container's own there. */
int mount_sysfs_cover_cgroups (const struct oci_mount *mount, int root, struct error *err);

#endif
