/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_idmapped: the options idmap and ridmap, and a mount's own mappings (config.md,
 * mounts[].uidMappings; mount_setattr(2), Linux 5.12).
 */
#ifndef RT_CONTAINER_MOUNT_IDMAPPED_H
#define RT_CONTAINER_MOUNT_IDMAPPED_H

#include "base/error.h"
#include "oci-spec/linux.h"
#include "oci-spec/mounts.h"

#include <stddef.h>

/* outside: the user namespace whose mappings it has (a descriptor, the caller's): the mount's own,
 * else those of the container's user namespace. -1. */
int mount_idmapped_open (const struct oci_mount *mount, size_t index, const struct oci_linux *linux,
                         struct error *err);

/* Why mountfd_idmap refused. -1. */
int mount_idmapped_failed (const struct oci_mount *mount, size_t index, int errnum,
                           struct error *err);

#endif
