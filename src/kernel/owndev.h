/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owndev: whether a container's /dev is its own.
 *
 * A node, a link, a file or an owner that is changed in the host's /dev is changed for the whole
 * host. So it is asked of the kernel which mount the container's /dev is on: its name says nothing,
 * since a bind of "/dev/." or at "/host/dev", with a link of the image from /host to "/", is there
 * too. The host's /dev need not be a mount of its own: a root that shows the host's files shows it
 * as well.
 */
#ifndef RT_KERNEL_OWNDEV_H
#define RT_KERNEL_OWNDEV_H

#include "kernel/mountfd.h"

/* inside, before the root is entered. `dev`: a descriptor of the container's /dev; `own`: the
 * mounts that are the container's alone. 1 yes, 0 no, -1 with errno. */
int owndev_is_own (int dev, const struct mountfd_ids *own);

#endif
