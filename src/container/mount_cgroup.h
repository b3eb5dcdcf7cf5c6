/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_cgroup: a mount of type cgroup (config-linux.md, "Control groups"; FEATURES MNT-61..65).
 *
 * What the container sees is its own directory of each hierarchy, bound from the host's mount: with
 * a cgroup namespace that is its root, without one it keeps the container from the rest of the tree
 * (CVE-2023-25809). Mounting cgroup2 anew would show the same and wait for an RCU grace period.
 */
#ifndef RT_CONTAINER_MOUNT_CGROUP_H
#define RT_CONTAINER_MOUNT_CGROUP_H

#include "base/error.h"
#include "oci-spec/mounts.h"

#include <stdint.h>

/* Where the directory of hierarchy `index` is seen: a name below the destination; NULL: at the
 * destination itself. Pure. */
const char *mount_cgroup_name (const struct oci_map *cgroup, size_t index);

/* inside. On a v2 host one bind onto `target` (O_PATH of the destination below root); on v1 and
 * hybrid hosts a tmpfs with one directory a hierarchy and links for co-mounted controllers. `attr`
 * is for each of the mounts, without the read-only flag. *mount (owned by the caller) is the top
 * one; the ones below it are in `below`. */
struct mount_cgroup_result {
    int top;
    int below[32];
    unsigned int below_count;
};

int mount_cgroup_apply (const struct oci_mount *mount, const struct oci_map *cgroup, int root,
                        int target, struct mount_cgroup_result *result, struct error *err);

#endif
