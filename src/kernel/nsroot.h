/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nsroot: the root directory of the mount namespace. Below a chroot (a rescue root, a test bed, a
 * snap) that of the process is another one, and then
 *   - pivot_root(2) changes the root of those processes only that have the caller's. The host's
 * file system stays the root of the namespace: setns(2) leads there, and so does chroot(2) for a
 *     process that has CAP_SYS_CHROOT;
 *   - what is said of "/" and all below it leaves out the mounts above the chroot.
 *
 * Inside, in a mount namespace of this process's own. Both need CAP_SYS_ADMIN and CAP_SYS_CHROOT,
 * and ask the kernel by setns(2), which puts a process at the root of the namespace that it joins:
 * its own. RT-ROOT-NAMESPACE with errno.
 */
#ifndef RT_KERNEL_NSROOT_H
#define RT_KERNEL_NSROOT_H

#include "base/error.h"

#include <stdbool.h>

/* Root and working directory are the namespace's root from now on. */
int nsroot_enter (struct error *err);

/* Sets the propagation (MS_*) of the namespace's root, with MS_REC of all mounts. The root of the
 * process is what it was, its working directory is that root. *below, if not NULL: is it another
 * one than the namespace's? RT-ROOT-PROPAGATION where the kernel refuses the propagation. */
int nsroot_propagate (unsigned long propagation, bool *below, struct error *err);

#endif
