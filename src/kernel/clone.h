/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone: a new process in new namespaces and, where the kernel can, born in its cgroup.
 *
 * Like fork: returns twice, the child has a copy of everything. Only for single-threaded processes,
 * as rt is. Linux 5.3 (clone3), 5.7 (CLONE_INTO_CGROUP); clone(2) where clone3 is missing or
 * denied.
 */
#ifndef RT_KERNEL_CLONE_H
#define RT_KERNEL_CLONE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct clone_request {
    uint64_t flags; /* CLONE_NEW*, CLONE_PARENT */
    int cgroup;     /* v2 directory to be born in, or -1 */
};

/* The child's pid (0 in the child) or -1 with errno. *pidfd (close-on-exec) and *in_cgroup are set
 * in the parent. ENOSPC: a namespace limit of /proc/sys/user is reached. */
pid_t clone_child (const struct clone_request *request, int *pidfd, bool *in_cgroup);

#endif
