/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oldroot: what is left below a root directory that another mount was moved over (--no-pivot).
 *
 * The kernel lets a new user namespace mount a procfs or sysfs of its own only where it sees a
 * whole one already, and then gives it one without masks. The host's are out of reach below the new
 * root, but the kernel counts them all the same; so they have to go. All other mounts of the host
 * go with them.
 */
#ifndef RT_KERNEL_OLDROOT_H
#define RT_KERNEL_OLDROOT_H

#include "base/error.h"

#include <stdbool.h>

/* One line of /proc/PID/mountinfo. The strings are inside the text that was read. */
struct oldroot_mount {
    int id;
    int parent;
    const char *root;  /* of the mount, in its file system */
    const char *point; /* as seen from the process's root */
    const char *type;
};

/* Pure: takes the next line off *rest, which it cuts into strings. False at the end, and where it
 * is no such line. */
bool oldroot_next (char **rest, struct oldroot_mount *mount);

/* Inside, in a mount namespace of the container's own whose propagation is cut. "/" is still the
 * old root, which `root` was moved over. Detaches all that is mounted below "/" but `root`. What is
 * locked, as the mount namespace came from that of another user, cannot be detached: then an empty
 * tmpfs is laid over each whole procfs and sysfs. Needs /proc (kernel/procfd.h). RT-ROOT-BELOW. */
int oldroot_clear (int root, struct error *err);

#endif
