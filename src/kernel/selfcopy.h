/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selfcopy: what a container can reach as /proc/PID/exe of rt is never the host's file
 * (CVE-2019-5736).
 *
 * Before any namespace of a container is entered, rt executes itself again from a detached
 * read-only copy of the mount that it lies on (open_tree, mount_setattr; Linux 5.12), or from a
 * sealed memfd where that cannot be made. Nothing is done where rt already runs from a read-only
 * mount or from such a memfd.
 */
#ifndef RT_KERNEL_SELFCOPY_H
#define RT_KERNEL_SELFCOPY_H

#include "base/error.h"

/* 0: this process is protected; else it does not return, or fails. `argv` is that of main (). Call
 * it before anything is opened or started. */
int selfcopy_protect (char *const argv[], struct error *err);

#endif
