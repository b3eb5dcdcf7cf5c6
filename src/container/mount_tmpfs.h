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
 * becomes context="..." where the file system knows that (LSM-06). */
char *mount_tmpfs_data (const struct oci_mount *mount, int target, const char *label);

/* Takes the word that starts so out of `data`, in place; false where there is none. */
bool mount_tmpfs_drop_word (char *data, const char *start);

/* inside, before it is attached: fills the new tmpfs with what the directory `target` holds: modes,
 * owners, extended attributes, links, special files (MNT-47). */
int mount_tmpfs_copy_up (struct mountfd *made, int target, struct error *err);

#endif
