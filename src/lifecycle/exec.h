/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: everything that one exec knows. The parent, the rt that was called, fills it before the
 * clone; the child, which clones the new process of the container, gets a copy by the clone. Only
 * exec.c (the parent) and exec_inside.c (the child) use it. They speak as a start does (channel.h),
 * of which little is left:
 *
 *      parent, outside                          child, inside
 *      ---------------                          -------------
 *      clone                                    enters its v1 cgroups
 *      v2 cgroup where the clone could not,
 *      oom score
 *                  ---  GRANTED       --->      (only where the child must wait for these)
 *                                               namespaces
 *                  <--- CONSOLE [ptmx]---       (only with a terminal)
 *                                               what of become.h needs rights
 *                  <--- READY         ---       (only where the child may not raise an rlimit)
 *      rlimits
 *                  ---  RELEASE       --->
 *                                               gives up its rights, leaves rt's memory (launch.h)
 *                  <--- LISTENER [fd] ---       (only where calls are notified)
 *                                               clones the new process, and ends
 *                  <--- EXEC          ---       by the new process
 *      compares (verify.h)
 *                  ---  GO            --->
 *                  <--- (closed)      ---       execve was successful
 *      pid file
 *
 * The new process must be born in the container's pid namespace and be the parent's own child
 * (ENG-11, CLONE_PARENT). Whatever in the container may trace it sees it from its first instant: so
 * the child, which no pid namespace of the container shows, does all that takes rights before, and
 * what is born has no more than its process object says. Where the container shares rt's pid
 * namespace all of rt can be seen, by the document's choice.
 */
#ifndef RT_LIFECYCLE_EXEC_H
#define RT_LIFECYCLE_EXEC_H

#include "base/arena.h"
#include "cgroup/cgroup.h"
#include "container/seccomp.h"
#include "kernel/descendants.h"
#include "lifecycle/existing.h"
#include "lifecycle/join.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/verify.h"

#include <stdbool.h>

struct exec {
    const struct exec_request *request;
    const struct oci_config *config; /* the container's */
    const struct oci_process *process;
    struct arena *arena;
    struct existing container;

    struct join join;
    int root;       /* init's, where its mount namespace is not its own; else -1 */
    bool in_cgroup; /* the clone has put the child into its v2 cgroup */
    struct cgroup_doors doors;
    struct seccomp_program seccomp;
    int line; /* this side of the channel */
    int console_socket;
    int pidfd_socket;

    /* The parent only */
    struct oci_map cgroup;
    int cgroup_v2; /* -1 = none */
    pid_t pid;     /* of the child; of the new process when that is there */
    int pidfd;
    struct descendants_before before; /* what rt's caller has left to it */
    int cloner; /* the child's, then; -1 = it is not there any more, or not yet */
    int ptmx;
    int listener;
    struct verify verify;
};

/* Must the child wait for GRANTED? Both sides ask. */
bool exec_awaits_grant (const struct exec *exec);

/* The child: ends in the new process. Never returns. */
_Noreturn void exec_inside (struct exec *exec);

#endif
