/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netlink: rtnetlink(7) with its lengths checked: requests are built in a buffer that cannot
 * overflow, answers are read attribute by attribute within what the kernel sent.
 *
 *   struct netlink_request request;
 *   netlink_begin (&request, RTM_SETLINK, 0, &link, sizeof (link));
 *   netlink_put (&request, IFLA_IFNAME, name, strlen (name) + 1);
 *   if (netlink_call (&netlink, &request, NULL, NULL) < 0) ...
 *
 * Failures are -1 with errno.
 */
#ifndef RT_KERNEL_NETLINK_H
#define RT_KERNEL_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A socket of one network namespace, which it keeps alive. */
struct netlink {
    int fd;
    uint32_t sequence; /* of the last request */
    char message[128]; /* what the kernel said about the last refusal, or "" */
};

#define NETLINK_INIT                                                                               \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Opens a socket in the network namespace `netns`, -1 = that of this process; the process is where
 * it was when this returns. */
int netlink_open (struct netlink *netlink, int netns);
void netlink_close (struct netlink *netlink);

/* ---- requests ---- */

#define NETLINK_REQUEST_MAX 512

struct netlink_request {
    size_t length;
    bool overflow; /* something did not fit: netlink_call refuses it with EMSGSIZE */
    _Alignas(8) unsigned char bytes[NETLINK_REQUEST_MAX];
};

/* flags: NLM_F_DUMP and its like; the request for an answer is added when it is sent. `header` is
 * the family's own (struct ifinfomsg ...). */
void netlink_begin (struct netlink_request *request, uint16_t type, uint16_t flags,
                    const void *header, size_t size);
void netlink_put (struct netlink_request *request, uint16_t type, const void *data, size_t length);

/* ---- answers ---- */

struct netlink_reply {
    uint16_t type;
    uint16_t flags;
    uint32_t sequence;
    const unsigned char *payload; /* behind the message's header */
    size_t length;
};

struct netlink_attribute {
    uint16_t type; /* without the flags of nesting and byte order */
    const unsigned char *data;
    size_t length;
};

/* The message at *offset of a datagram; moves *offset behind it. False at the end, and for what is
 * cut off. Pure, as the next two. */
bool netlink_next_message (const void *datagram, size_t length, size_t *offset,
                           struct netlink_reply *reply);

/* The family's header, copied; false where the message is shorter. */
bool netlink_header (const struct netlink_reply *reply, void *header, size_t size);

/* The next attribute behind a header of `header_size` bytes; *offset begins as 0. */
bool netlink_next_attribute (const struct netlink_reply *reply, size_t header_size, size_t *offset,
                             struct netlink_attribute *attribute);

/* Looks at one message; -1 with errno ends the call with that failure. */
typedef int netlink_each_fn (void *context, const struct netlink_reply *reply);

/* Sends a request and hands each message of the answer to `each` (may be NULL) until the kernel has
 * said that it is done. EINTR: a dump that changed on the way; ask again. */
int netlink_call (struct netlink *netlink, struct netlink_request *request, netlink_each_fn *each,
                  void *context);

/* ---- announcements ---- */

/* From now on the socket gets those of a group (RTNLGRP_*). */
int netlink_subscribe (struct netlink *netlink, unsigned int group);

/* Hands on all that have arrived, and does not wait for more. */
int netlink_announced (struct netlink *netlink, netlink_each_fn *each, void *context);

#endif
