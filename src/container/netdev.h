/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netdev: linux.netDevices, devices of the host that move into the container's network namespace
 * (config-linux.md, "Network Devices").
 *
 * The kernel moves a device with its MTU and its hardware address, but takes its network addresses
 * away and leaves it down. Those that the specification wants kept are written down before.
 *
 * Nothing is moved back when the container is deleted: what becomes of a device of a namespace that
 * ends is the kernel's matter. Only a start that fails returns what it took.
 */
#ifndef RT_CONTAINER_NETDEV_H
#define RT_CONTAINER_NETDEV_H

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netlink.h"
#include "oci-spec/linux.h"

#include <stddef.h>

struct netdev_address; /* of one device, as the request that adds it again */

struct netdev {
    const char *host_name;
    const char *name; /* inside; may be a template: "eth%d" */
    int index;        /* on the host */
    int inside;       /* in the container; 0 = not moved */
    unsigned int flags;
    struct netdev_address *addresses;
};

struct netdevs {
    struct arena *arena;
    struct netdev *items;
    size_t count; /* 0: nothing here was opened */
    int home;     /* the namespace that the devices come from */
    int netns;    /* the container's, while it is being filled */
    struct netlink outside;
    struct netlink inside;
};

#define NETDEVS_INIT                                                                               \
    {                                                                                              \
        .home = -1, .netns = -1, .outside = NETLINK_INIT, .inside = NETLINK_INIT                   \
    }

/* outside, before the clone: finds the devices, and whether rt may move any. */
int netdev_prepare (const struct oci_linux *linux, struct arena *arena, struct netdevs *devices,
                    struct error *err);

/* outside, while the child waits: moves the devices into `netns`, which is taken over. All or none.
 */
int netdev_grant (struct netdevs *devices, int netns, struct error *err);

/* outside, after a failure, the container's processes may be dead: brings back what was moved, with
 * its name, its addresses and its state. Never loud; routes are lost. */
void netdev_undo (struct netdevs *devices);

/* Until then the container's network namespace cannot end. */
void netdev_release (struct netdevs *devices);

#endif
