/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_idmapped: the options idmap and ridmap, and a mount's own mappings (config.md,
 * mounts[].uidMappings; mount_setattr(2), Linux 5.12).
 */
#ifndef RT_CONTAINER_MOUNT_IDMAPPED_H
#define RT_CONTAINER_MOUNT_IDMAPPED_H

#include "base/error.h"
#include "kernel/mountfd.h"
#include "oci-spec/linux.h"
#include "oci-spec/mounts.h"

#include <stddef.h>

/* outside: maps the ids of the copied source; by the mount's own mappings, else by those of the
 * container's user namespace. */
int mount_idmapped_prepare (const struct oci_mount *mount, size_t index,
                            const struct oci_linux *linux, struct mountfd *source,
                            struct error *err);

#endif
