/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: which namespaces are made by which clone. Pure.
 *
 * One clone is enough where nothing is joined that decides about the others: the child is born in
 * the new namespaces and joins the rest itself. It is not enough where
 *   - a user namespace is joined: what is made new must be owned by it (NSP-09);
 *   - a user namespace is made and others are joined: they belong to the one outside, so the child
 *     would have no rights. Then an intermediate process joins first, and clones the child with
 *     CLONE_PARENT, so that it is the parent's all the same;
 *   - a pid namespace is joined: its processes may be allowed to trace the child. So the child
 * stays outside of it until all is done, and clones the process proper last (launch.h, step 3). It
 *     unshares what the intermediate process would have cloned it with.
 *
 * The cgroup namespace is never made by a clone: it would show the parent's cgroup as its root.
 * With a user namespace the ipc namespace is not, either: its mqueue belongs to whom made it, and
 * that shall be the container's root.
 */
#ifndef RT_LIFECYCLE_PLAN_H
#define RT_LIFECYCLE_PLAN_H

#include "oci-spec/config.h"

#include <stdbool.h>
#include <stdint.h>

struct plan {
    uint64_t make;     /* CLONE_NEW* of the clone that makes C; without time and what is late */
    uint64_t join;     /* CLONE_NEW* of those with a path */
    bool intermediate; /* joins come before what is made */
    bool birth;        /* a pid namespace is joined */
    int make_late;     /* CLONE_NEW* that the child unshares as its own root, in its cgroup */
    bool make_time;    /* likewise; it is entered by itself (timens.h) */
    bool userns;       /* made or joined */
};

void plan_namespaces (const struct oci_linux *linux, struct plan *plan);

/* Is the container's v2 cgroup to be given to the user of its process (config-linux.md, "Cgroup
 * ownership")? Only with a cgroup namespace of its own, a writable cgroup mount, and a user other
 * than the host's root; *uid is the host's id of that user. */
bool plan_delegation (const struct oci_config *config, uid_t *uid);

#endif
