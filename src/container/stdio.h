/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stdio: the descriptors 0, 1 and 2 that the container gets where it has no terminal of its own.
 *
 * apply   inside, after the mounts and the entry into the root (`root` is a descriptor of it),
 * while CAP_CHOWN is there.
 *
 * Two things happen, and nothing else to any other kind of file:
 *   - the null device of the host becomes that of the container, if what the container has at
 *     /dev/null is the null device (PRC-17): 1:3, not through a link (CVE-2026-88265);
 *   - pipes are given to `uid`, so that it may open /dev/stdout (PRC-16, TTY-15); the group stays.
 *     Not so regular files, terminals and devices: they have names on the host, and an owner there
 *     who would lose or share them.
 * What cannot be given away (EPERM of an unmapped owner, EROFS, EINVAL) stays as it is.
 * RT-STDIO otherwise.
 */
#ifndef RT_CONTAINER_STDIO_H
#define RT_CONTAINER_STDIO_H

#include "base/error.h"

#include <sys/types.h>

int stdio_apply (int root, uid_t uid, struct error *err);

#endif
