/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: everything that one exec knows. E, the rt that was called, fills it before the clone; X,
 * the process that it makes in the container, gets a copy by the clone. Only exec.c (E) and
 * exec_inside.c (X) use it. They speak as a start does (channel.h), of which little is left:
 *
 *      E, outside                               X, inside
 *      ----------                               ---------
 *      pid namespace, clone                     enters its v1 cgroups
 *      v2 cgroup where the clone could not,
 *      oom score
 *                  ---  GRANTED       --->      (only where X must wait for these)
 *                                               namespaces
 *                  <--- CHILD [pidfd] ---       (only with a first leg, which cloned X proper, and
 *                  ---  GRANTED       --->       ends; X waits until E knows of it)
 *                  <--- CONSOLE [ptmx]---       (only with a terminal)
 *                                               what of become.h needs rights
 *                  <--- READY         ---
 *      rlimits
 *                  ---  RELEASE       --->
 *                                               the last leg: become.h
 *                  <--- EXEC          ---
 *                  <--- (closed)      ---       execve was successful
 *      pid file
 *
 * X must be born in the container's pid namespace and be E's own child (ENG-11). Where E may, it
 * enters that namespace for its children and clones X itself. Else, without root, the rights come
 * with the container's user namespace, from which there is no way back: a first leg enters all, and
 * clones X with CLONE_PARENT.
 */
#ifndef RT_LIFECYCLE_EXEC_H
#define RT_LIFECYCLE_EXEC_H

#include "base/arena.h"
#include "cgroup/cgroup.h"
#include "container/seccomp.h"
#include "lifecycle/existing.h"
#include "lifecycle/join.h"
#include "lifecycle/lifecycle.h"

#include <stdbool.h>

struct exec {
    const struct exec_request *request;
    const struct oci_config *config; /* the container's */
    const struct oci_process *process;
    struct arena *arena;
    struct existing container;

    struct join join;
    int root; /* init's, where its mount namespace is not its own; else -1 */
    bool first_leg;
    bool in_cgroup; /* the clone has put X into its v2 cgroup */
    struct cgroup_doors doors;
    struct seccomp_program seccomp;
    int line; /* this side of the channel */
    int console_socket;
    int pidfd_socket;

    /* E only */
    struct oci_map cgroup;
    int cgroup_v2; /* -1 = none */
    pid_t pid;
    int pidfd;
    int ptmx;
};

/* Must X, or its first leg, wait for GRANTED? Both sides ask. */
bool exec_awaits_grant (const struct exec *exec);

/* X: ends in its process. Never returns. */
_Noreturn void exec_inside (struct exec *exec);

#endif
