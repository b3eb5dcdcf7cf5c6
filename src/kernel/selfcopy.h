/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selfcopy: what a container can reach as /proc/PID/exe of rt is never the host's file
 * (CVE-2019-5736).
 *
 * Before any namespace of a container is entered, rt executes itself again from a copy, which has
 * an inode of its own: a lease, a lock or a watch that a container has on it is not one on the
 * host's program, and a container that keeps it open keeps no program of the host busy.
 *
 *   root         a copy that was made once and is kept (selfcopy_keep.h), through a read-only clone
 *                of its mount (selfcopy_mount.h), which nothing inside can make writable again: it
 *                is in no mount namespace
 *   else         (an ordinary user; no room, a read-only file system, a kernel before 5.12) a
 * sealed memfd, made at each start
 *
 * All containers see one kept copy. What one of them can do to it by holding it open: watch when it
 * is opened; lock it, which rt never does; and have a lease. Read leases do no harm, as rt
 * opens it for reading only. A write lease can only be had while no rt runs from it: rt finds it
 * when it opens the copy, does not wait for it, and puts a new copy in its place.
 *
 * A copy whose owner, mode, size, time or number of names is not what selfcopy_keep () left is not
 * executed: another one takes its place. Its text is not read again: only root can write there, and
 * root has no need to.
 */
#ifndef RT_KERNEL_SELFCOPY_H
#define RT_KERNEL_SELFCOPY_H

#include "base/error.h"

/* 0: this process is protected; else it does not return, or fails. `argv` is that of main (). Call
 * it before anything is opened or started. */
int selfcopy_protect (char *const argv[], struct error *err);

#endif
