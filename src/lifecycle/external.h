/* SPDX-License-Identifier: Apache-2.0 */
/*
 * external: what a container has from outside, which CRIU does not write into its images but names,
 * and is given again at a restore: the sources of bind mounts, the null device over masked files,
 * device nodes that are binds, namespaces that were joined, and the files and pipes that are its
 * standard streams.
 *
 * A bind mount is named by its destination in the document, so the document of the restore says
 * where its source is now; nothing of that is believed from the images.
 */
#ifndef RT_LIFECYCLE_EXTERNAL_H
#define RT_LIFECYCLE_EXTERNAL_H

#include "criu/criu.h"
#include "oci-spec/config.h"

#include <stdbool.h>

struct external {
    const struct oci_config *config;
    const struct oci_map *cgroup; /* the container's own directories */
    const char *bundle;           /* absolute */
    const char *rootfs_path;      /* absolute */
    bool device_binds;            /* nodes of /dev are binds of the host's */
};

/* For a dump: as the running container `pid` has them; `root` is its root directory. Everything in
 * `options` is in the arena, and the names of its standard streams: "pipe:[4711]", "file[2a:1b]"
 * for a file that no mount of the container shows, else where it leads. RT-CRIU-NAMESPACE: of a
 * kind that CRIU cannot restore. */
int external_of_dump (const struct external *external, pid_t pid, int root, struct arena *arena,
                      struct criu_options *options, const char *streams[3], struct error *err);

/* For a restore. Descriptors of namespaces are the caller's to close: those of options->inherited
 * from 3 on. `streams`: what stood at 0, 1 and 2 at the dump (external_of_dump); those that are
 * named there get the caller's. */
int external_of_restore (const struct external *external, const char *const streams[3],
                         struct arena *arena, struct criu_options *options, struct error *err);

/* Before a restore: makes the places in the root file system that are mounted upon, which may be
 * missing in a fresh copy of it. */
int external_mount_points (const struct external *external, struct error *err);

#endif
