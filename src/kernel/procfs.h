/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procfs: a new procfs that shows another pid namespace than that of the process which mounts it.
 *
 * The kernel is asked for it by the option "pidns" (Linux 6.17). Before that a procfs shows the pid
 * namespace of the process that calls fsopen (2), and the processes of that namespace may be
 * allowed to trace it. So that one call is made by a process that has nothing else: an empty root,
 * no descriptor but a socket, no memory of rt's (kernel/launch.h), and CAP_SYS_ADMIN alone, from
 * its birth on to its end right behind the call.
 */
#ifndef RT_KERNEL_PROCFS_H
#define RT_KERNEL_PROCFS_H

/* The context of such a procfs, as of fsopen (2), not yet created. `pid_ns`: a descriptor of the
 * pid namespace. Needs CAP_SYS_ADMIN over it and over the mount namespace. -1 with errno: ENOSYS
 * where fsopen is missing or an outer seccomp profile denies it (mount(2) could only be called by a
 * process that has a mount namespace to lose); ETIMEDOUT where a process of that pid namespace
 * holds the one that opens for as long as base/patience.h says. The caller must have no children,
 * as they may be ended then. */
int procfs_open (int pid_ns);

#endif
