/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_tmpfs: the data of a new file system, and the option tmpcopyup.
 */
#ifndef RT_CONTAINER_MOUNT_TMPFS_H
#define RT_CONTAINER_MOUNT_TMPFS_H

#include "base/error.h"
#include "kernel/mountfd.h"
#include "oci-spec/mounts.h"

#include <stdbool.h>

/* The mount's data words (to be freed; NULL = none): a tmpfs takes the mode of the directory that
 * it covers (`target`; -1 = rt has just made it) unless the document says one (MNT-51); `label`
 * becomes context="..." (or what `context_type` says; NULL = that) where the file system knows that
 * and the document does not say one (LSM-06, LSM-07). */
char *mount_tmpfs_data (const struct oci_mount *mount, int target, const char *label,
                        const char *context_type);

/* The label of a file system that knows no such data but keeps a label of its root, as mqueue does
 * (MNT-58); nothing for all others. `made` is attached. -1 with errno. */
int mount_tmpfs_set_label (const struct oci_mount *mount, const struct mountfd *made,
                           const char *label);

/* inside, before it is attached: fills the new tmpfs with what the directory `target` holds: modes,
 * owners, extended attributes, links, special files (MNT-47). */
int mount_tmpfs_copy_up (struct mountfd *made, int target, struct error *err);

#endif
