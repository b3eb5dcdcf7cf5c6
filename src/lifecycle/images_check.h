/* SPDX-License-Identifier: Apache-2.0 */
/*
 * images_check: do images say more than the document? Asked before CRIU reads them, since it acts
 * on them as root: it mounts, makes processes and writes files long before rt can look at the
 * outcome (restored.h), and what is in a filter only the images tell.
 *
 *   inventory.img, ids-PID.img   namespaces that the document makes are not the host's
 *   pstree.img                   one tree, of processes that are there once
 *   core-TID.img                 each thread's ids, groups and capabilities; that it has any
 *   seccomp.img                  the document's filter is among those of each thread, word by word
 *   mountpoints-NS.img           the mounts (mount_table.h)
 *   cgroup.img                   where CRIU is asked to believe it: names that are one component,
 *                                so that none leads out of the mounts of cgroups
 *   apparmor.img                 none: CRIU would load what is in it into the host's kernel
 */
#ifndef RT_LIFECYCLE_IMAGES_CHECK_H
#define RT_LIFECYCLE_IMAGES_CHECK_H

#include "container/seccomp.h"
#include "criu/image.h"
#include "lifecycle/external.h"
#include "lifecycle/images.h"

struct images_check {
    const struct images *images;
    const struct external *external;      /* with the document */
    const struct seccomp_program *filter; /* of the document; without instructions: none */
    bool believe_cgroups;
};

/* outside: all of it. RT-RESTORE-RIGHTS, RT-RESTORE-MOUNT, RT-RESTORE-CGROUP, at the property that
 * is not kept to; RT-IMAGES-FILE for what is no image. */
int images_check (const struct images_check *check, struct error *err);

/* The parts that need no files. Pure. */
int images_check_tree (const struct criu_tree *tree, bool own_pids, struct arena *arena,
                       struct error *err);
int images_check_core (const struct oci_config *config, const struct criu_core *core,
                       const struct criu_filters *filters, const struct seccomp_program *filter,
                       struct error *err);

#endif
