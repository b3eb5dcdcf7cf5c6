/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: which namespaces are made by which clone. Pure.
 *
 * One clone is enough where nothing is joined that decides about the others: C is born in the new
 * namespaces and joins the rest itself. Two are needed where
 *   - a pid namespace is joined: it holds only for children;
 *   - a user namespace is joined: what is made new must be owned by it (NSP-09);
 *   - a user namespace is made and others are joined: they belong to the one outside, so C would
 * have no rights. Then the first leg joins and clones C with CLONE_PARENT, so that C is P's child
 * all the same.
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
    uint64_t make; /* CLONE_NEW* of the clone that makes C; without time and what is late */
    uint64_t join; /* CLONE_NEW* of those with a path */
    bool first_leg;
    int make_late;  /* CLONE_NEW* that C unshares as its own root, in its cgroup */
    bool make_time; /* C unshares it likewise, and enters it (timens.h) */
    bool userns;    /* made or joined */
};

void plan_namespaces (const struct oci_linux *linux, struct plan *plan);

/* Is the container's v2 cgroup to be given to the user of its process (config-linux.md, "Cgroup
 * ownership")? Only with a cgroup namespace of its own, a writable cgroup mount, and a user other
 * than the host's root; *uid is the host's id of that user. */
bool plan_delegation (const struct oci_config *config, uid_t *uid);

#endif
