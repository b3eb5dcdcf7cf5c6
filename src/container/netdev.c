/* SPDX-License-Identifier: Apache-2.0 */
/* netdev: see netdev.h. */
#include "container/netdev.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/ns.h"
#include "kernel/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>

#define DUMP_ATTEMPTS 8

struct netdev_address {
    struct netdev_address *next;
    struct ifaddrmsg header;
    struct netlink_request request; /* behind the header: the attributes */
};

/* ---- errors ---- */

static int device_at (const struct netdev *device, struct error *err)
{
    return error_at (err, "/linux/netDevices/%s", device->host_name);
}

static int device_error (const struct netdev *device, const struct netlink *netlink, int errnum,
                         const char *what, struct error *err)
{
    error_set (err, "RT-NETDEV", errnum, "cannot %s the network device \"%s\" (\"%s\" inside)%s%s",
               what, device->host_name, device->name, netlink->message[0] ? ": " : "",
               netlink->message);
    if (errnum == EPERM)
        error_hint (err, "CAP_NET_ADMIN is needed here and in the container's network namespace");
    else if (errnum == EINVAL || errnum == EOPNOTSUPP)
        error_hint (err, "some devices, lo among them, cannot leave their network namespace");
    return device_at (device, err);
}

static int taken_error (const struct netdev *device, struct error *err)
{
    error_set (err, "RT-NETDEV-EXISTS", EEXIST,
               "cannot move the network device \"%s\": the container has a device \"%s\" already",
               device->host_name, device->name);
    error_hint (err, "a name that ends in %%d lets the kernel choose a number");
    return device_at (device, err);
}

/* ---- looking ---- */

struct found {
    int index;
    unsigned int flags;
};

static int take_link (void *context, const struct netlink_reply *reply)
{
    struct found *found = context;
    struct ifinfomsg link;

    if (reply->type == RTM_NEWLINK && netlink_header (reply, &link, sizeof (link)))
        *found = (struct found){.index = link.ifi_index, .flags = link.ifi_flags};
    return 0;
}

/* ENODEV: no device of that name is there. */
static int find_link (struct netlink *netlink, const char *name, struct found *found)
{
    const struct ifinfomsg any = {0};
    struct netlink_request request;

    *found = (struct found){0};
    netlink_begin (&request, RTM_GETLINK, 0, &any, sizeof (any));
    netlink_put (&request, IFLA_IFNAME, name, strlen (name) + 1);
    if (netlink_call (netlink, &request, take_link, found) < 0)
        return -1;
    if (found->index > 0)
        return 0;
    errno = ENODEV;
    return -1;
}

/* What is said of an address anew in each namespace, or by the kernel alone. */
static bool is_of_the_place (uint16_t type)
{
    return type == IFA_LABEL || type == IFA_TARGET_NETNSID || type == IFA_FLAGS;
}

/* What may be said of an address that is added; the others tell what the kernel made of it. */
static uint32_t lasting_flags (uint32_t flags)
{
    return flags & (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE |
                    IFA_F_MCAUTOJOIN);
}

struct listing {
    struct arena *arena;
    struct netdev *device;
    struct netdev_address **end;
};

static int take_address (void *context, const struct netlink_reply *reply)
{
    struct listing *listing = context;
    struct netlink_attribute attribute;
    struct ifaddrmsg header;
    size_t offset = 0;

    if (reply->type != RTM_NEWADDR || !netlink_header (reply, &header, sizeof (header)) ||
        header.ifa_index != (uint32_t)listing->device->index)
        return 0;
    uint32_t flags = header.ifa_flags;
    while (netlink_next_attribute (reply, sizeof (header), &offset, &attribute))
        if (attribute.type == IFA_FLAGS && attribute.length == sizeof (flags))
            memcpy (&flags, attribute.data, sizeof (flags));
    if (!(flags & IFA_F_PERMANENT))
        return 0;

    struct netdev_address *address = arena_alloc (listing->arena, sizeof (*address));
    header.ifa_flags = 0;
    header.ifa_index = 0;
    address->header = header;
    netlink_begin (&address->request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header,
                   sizeof (header));
    for (offset = 0; netlink_next_attribute (reply, sizeof (header), &offset, &attribute);)
        if (!is_of_the_place (attribute.type))
            netlink_put (&address->request, attribute.type, attribute.data, attribute.length);
    flags = lasting_flags (flags);
    netlink_put (&address->request, IFA_FLAGS, &flags, sizeof (flags));
    *listing->end = address;
    listing->end = &address->next;
    return 0;
}

/* All permanent addresses, as the dump gives them: in the order in which they were added. */
static int list_addresses (struct netdevs *devices, struct netdev *device, struct error *err)
{
    const struct ifaddrmsg filter = {.ifa_index = (uint32_t)device->index};
    struct netlink_request request;
    int result = -1;

    for (int i = 0; i < DUMP_ATTEMPTS && result < 0; i++) {
        struct listing listing = {devices->arena, device, &device->addresses};
        device->addresses = NULL;
        netlink_begin (&request, RTM_GETADDR, NLM_F_DUMP, &filter, sizeof (filter));
        result = netlink_call (&devices->outside, &request, take_address, &listing);
        if (result < 0 && errno != EINTR)
            break;
    }
    return result < 0
               ? device_error (device, &devices->outside, errno, "list the addresses of", err)
               : 0;
}

/* ---- moving ---- */

struct departure {
    int index;
    int new_index;
};

static int take_departure (void *context, const struct netlink_reply *reply)
{
    struct departure *departure = context;
    struct netlink_attribute attribute;
    struct ifinfomsg link;
    size_t offset = 0;

    if (reply->type != RTM_DELLINK || !netlink_header (reply, &link, sizeof (link)) ||
        link.ifi_index != departure->index)
        return 0;
    while (netlink_next_attribute (reply, sizeof (link), &offset, &attribute))
        if (attribute.type == IFLA_NEW_IFINDEX && attribute.length == sizeof (int))
            memcpy (&departure->new_index, attribute.data, sizeof (int));
    return 0;
}

/* Moves and renames. The index there, which the kernel announces to those who stay behind, while
 * the name may be one of its choice; -1 with errno and, where it moved all the same, *moved. */
static int move_link (struct netlink *netlink, int from, int index, int to, const char *name,
                      int *moved)
{
    const struct ifinfomsg link = {.ifi_index = index};
    struct departure departure = {.index = index};
    struct netlink watch = NETLINK_INIT;
    struct netlink_request request;
    uint32_t fd = (uint32_t)to;

    if (netlink_open (&watch, from) < 0)
        return -1;
    int result = netlink_subscribe (&watch, RTNLGRP_LINK);
    if (result == 0) {
        netlink_begin (&request, RTM_SETLINK, 0, &link, sizeof (link));
        netlink_put (&request, IFLA_NET_NS_FD, &fd, sizeof (fd));
        netlink_put (&request, IFLA_IFNAME, name, strlen (name) + 1);
        result = netlink_call (netlink, &request, NULL, NULL);
        int saved = errno;
        if (netlink_announced (&watch, take_departure, &departure) < 0 && result == 0) {
            saved = errno;
            result = -1;
        }
        errno = saved;
    }
    netlink_close (&watch);
    *moved = departure.new_index;
    if (result == 0 && departure.new_index == 0) {
        errno = ENODEV;
        return -1;
    }
    return result;
}

static int add_addresses (struct netlink *netlink, const struct netdev *device, int index, bool all)
{
    for (const struct netdev_address *one = device->addresses; one; one = one->next) {
        struct netlink_request request = one->request;
        struct ifaddrmsg header = one->header;

        if (!all && header.ifa_scope != RT_SCOPE_UNIVERSE)
            continue;
        header.ifa_index = (uint32_t)index;
        memcpy (request.bytes + NLMSG_HDRLEN, &header, sizeof (header));
        if (netlink_call (netlink, &request, NULL, NULL) < 0 && errno != EEXIST)
            return -1;
    }
    return 0;
}

static int set_up (struct netlink *netlink, int index)
{
    const struct ifinfomsg link = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct netlink_request request;

    netlink_begin (&request, RTM_SETLINK, 0, &link, sizeof (link));
    return netlink_call (netlink, &request, NULL, NULL);
}

/* ---- the verbs ---- */

int netdev_prepare (const struct oci_linux *linux, struct arena *arena, struct netdevs *devices,
                    struct error *err)
{
    uint64_t effective = 0, permitted, inheritable;
    size_t count = linux->net_devices.count;

    if (count == 0)
        return 0;
    if (capabilities_get (&effective, &permitted, &inheritable) < 0 ||
        !(effective >> CAP_NET_ADMIN & 1)) {
        error_set (err, "RT-NETDEV", EPERM, "cannot move network devices without CAP_NET_ADMIN");
        error_hint (err, "rootless containers cannot have netDevices");
        return error_at (err, "/linux/netDevices");
    }
    devices->arena = arena;
    devices->items = arena_array (arena, count, sizeof (*devices->items));
    devices->home = ns_open_own ("net");
    if (devices->home < 0 || netlink_open (&devices->outside, -1) < 0) {
        error_set (err, "RT-NETDEV", errno, "cannot open a netlink socket");
        return error_at (err, "/linux/netDevices");
    }
    for (size_t i = 0; i < count; i++) {
        const struct oci_net_device *asked = &linux->net_devices.items[i];
        struct netdev *device = &devices->items[i];
        struct found found;

        device->host_name = asked->host_name;
        device->name = asked->name ? asked->name : asked->host_name;
        if (find_link (&devices->outside, device->host_name, &found) < 0)
            return device_error (device, &devices->outside, errno, "find", err);
        device->index = found.index;
        device->flags = found.flags;
    }
    devices->count = count;
    return 0;
}

static bool is_same_namespace (int a, int b)
{
    struct stat first, second;

    return fstat (a, &first) == 0 && fstat (b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static int grant_one (struct netdevs *devices, struct netdev *device, struct error *err)
{
    struct found found;

    /* Asked before: the kernel tries the name only when the device is there already. */
    if (!strchr (device->name, '%')) {
        if (find_link (&devices->inside, device->name, &found) == 0)
            return taken_error (device, err);
        if (errno != ENODEV)
            return device_error (device, &devices->inside, errno, "find", err);
    }
    if (list_addresses (devices, device, err) < 0)
        return -1;
    if (move_link (&devices->outside, devices->home, device->index, devices->netns, device->name,
                   &device->inside) < 0)
        return errno == EEXIST ? taken_error (device, err)
                               : device_error (device, &devices->outside, errno, "move", err);
    if (add_addresses (&devices->inside, device, device->inside, false) < 0)
        return device_error (device, &devices->inside, errno, "add the addresses of", err);
    if (set_up (&devices->inside, device->inside) < 0)
        return device_error (device, &devices->inside, errno, "set up", err);
    log_debug ("network device %s has moved", device->host_name);
    return 0;
}

int netdev_grant (struct netdevs *devices, int netns, struct error *err)
{
    drop_fd (&devices->netns);
    devices->netns = netns;
    if (is_same_namespace (devices->home, netns)) {
        error_set (err, "RT-NETDEV", 0, "the container's network namespace is the host's");
        return error_at (err, "/linux/netDevices");
    }
    if (netlink_open (&devices->inside, netns) < 0) {
        error_set (err, "RT-NETDEV", errno, "cannot enter the container's network namespace");
        return error_at (err, "/linux/netDevices");
    }
    for (size_t i = 0; i < devices->count; i++) {
        if (grant_one (devices, &devices->items[i], err) < 0) {
            netdev_undo (devices);
            return -1;
        }
    }
    return 0;
}

void netdev_undo (struct netdevs *devices)
{
    for (size_t i = devices->count; i-- > 0;) {
        struct netdev *device = &devices->items[i];
        int index = 0;

        if (device->inside == 0)
            continue;
        int result = move_link (&devices->inside, devices->netns, device->inside, devices->home,
                                device->host_name, &index);
        device->inside = 0;
        if (index > 0 && add_addresses (&devices->outside, device, index, true) < 0)
            result = -1;
        if (index > 0 && (device->flags & IFF_UP) && set_up (&devices->outside, index) < 0)
            result = -1;
        if (result < 0)
            log_debug ("network device %s did not come back whole", device->host_name);
    }
}

void netdev_release (struct netdevs *devices)
{
    netlink_close (&devices->outside);
    netlink_close (&devices->inside);
    drop_fd (&devices->home);
    drop_fd (&devices->netns);
}
