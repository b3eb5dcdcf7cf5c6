/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_options: the words of mounts[].options. The only place that reads them.
 */
#ifndef OCI_SPEC_MOUNT_OPTIONS_H
#define OCI_SPEC_MOUNT_OPTIONS_H

#include "base/arena.h"
#include "oci-spec/mounts.h"

/* Turns mount->options into the other members of `mount`. Cannot fail: what is no known word is for
 * the file system (mount->data). */
void mount_options_read (struct arena *arena, struct oci_mount *mount);

#endif
