/* SPDX-License-Identifier: Apache-2.0 */
/*
 * maskpaths: linux.maskedPaths and linux.readonlyPaths (config-linux.md).
 *
 * A masked file gets the host's /dev/null bound over it, never the container's (CVE-2025-31133),
 * checked to be character device 1:3; a masked directory gets an empty read-only tmpfs, one for all
 * of them. Paths that do not exist are skipped; those that cannot be looked at are an error. "/" of
 * readonlyPaths is the root's own mount, as root.readonly; it cannot be masked.
 */
#ifndef RT_CONTAINER_MASKPATHS_H
#define RT_CONTAINER_MASKPATHS_H

#include "base/error.h"
#include "oci-spec/linux.h"

/* inside, after mounts and devices. Read-only paths first: masking then covers what is masked below
 * them. */
int maskpaths_apply (const struct oci_linux *linux, int root, struct error *err);

#endif
