/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_target: the place that a mount goes to. Of mounts.c only.
 *
 * It is judged by what was opened, never by its name in the document: links of the image may lead
 * anywhere below the root (CVE-2019-16884, CVE-2025-52881).
 */
#ifndef RT_CONTAINER_MOUNT_TARGET_H
#define RT_CONTAINER_MOUNT_TARGET_H

#include "base/error.h"
#include "oci-spec/mounts.h"

#include <stdbool.h>
#include <stddef.h>

struct mount_target {
    bool file;      /* a file is mounted, not a directory */
    bool real_proc; /* a new procfs, or the host's own: the only thing that may lie over a procfs */
    bool made;      /* the answer: the directory is new */
};

/* inside: opens (O_PATH) the directory or file to mount on, made where it is missing. Never the
 * root itself, on which a mount would lie unseen, and of a procfs only the files that lxcfs and its
 * like replace. -1: the error says why. */
int mount_target_open (const struct oci_mount *mount, size_t index, int root,
                       struct mount_target *target, struct error *err);

#endif
