/* SPDX-License-Identifier: Apache-2.0 */
/* netlink: see netlink.h. */
#include "kernel/netlink.h"

#include "base/cleanup.h"
#include "kernel/ns.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel never puts more into one datagram of a dump. */
#define DATAGRAM_MAX 32768

static int open_here (void)
{
    static const int options[] = {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK};
    const int on = 1;
    AUTO_FD int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        return -1;
    /* Each makes answers shorter or clearer, and none is needed. */
    for (size_t i = 0; i < sizeof (options) / sizeof (options[0]); i++)
        (void)setsockopt (fd, SOL_NETLINK, options[i], &on, sizeof (on));
    return take_fd (&fd);
}

/* A socket belongs for good to the namespace in which it was made. */
static int open_there (int netns)
{
    AUTO_FD int own = ns_open_own ("net");

    if (own < 0 || ns_join (netns, CLONE_NEWNET) < 0)
        return -1;
    AUTO_FD int fd = open_here ();
    int saved = errno;
    if (ns_join (own, CLONE_NEWNET) < 0)
        return -1;
    errno = saved;
    return take_fd (&fd);
}

int netlink_open (struct netlink *netlink, int netns)
{
    int fd = netns < 0 ? open_here () : open_there (netns);

    if (fd < 0)
        return -1;
    *netlink = (struct netlink){.fd = fd};
    return 0;
}

void netlink_close (struct netlink *netlink)
{
    drop_fd (&netlink->fd);
}

/* Adds bytes, and zeros up to the alignment of what follows. */
static bool append (struct netlink_request *request, const void *bytes, size_t length)
{
    size_t room = sizeof (request->bytes) - request->length;

    if (request->overflow || length > room || NLMSG_ALIGN (length) > room) {
        request->overflow = true;
        return false;
    }
    if (length > 0)
        memcpy (request->bytes + request->length, bytes, length);
    memset (request->bytes + request->length + length, 0, NLMSG_ALIGN (length) - length);
    request->length += NLMSG_ALIGN (length);
    return true;
}

void netlink_begin (struct netlink_request *request, uint16_t type, uint16_t flags,
                    const void *header, size_t size)
{
    const struct nlmsghdr message = {.nlmsg_type = type, .nlmsg_flags = flags};

    request->length = 0;
    request->overflow = false;
    append (request, &message, sizeof (message));
    append (request, header, size);
}

void netlink_put (struct netlink_request *request, uint16_t type, const void *data, size_t length)
{
    const size_t whole = sizeof (struct rtattr) + length;
    const struct rtattr attribute = {.rta_len = (unsigned short)whole, .rta_type = type};

    if (length > sizeof (request->bytes) ||
        NLMSG_ALIGN (whole) > sizeof (request->bytes) - request->length) {
        request->overflow = true;
        return;
    }
    if (append (request, &attribute, sizeof (attribute)))
        append (request, data, length);
}

bool netlink_next_message (const void *datagram, size_t length, size_t *offset,
                           struct netlink_reply *reply)
{
    struct nlmsghdr header;

    if (*offset > length || length - *offset < sizeof (header))
        return false;
    memcpy (&header, (const unsigned char *)datagram + *offset, sizeof (header));
    if (header.nlmsg_len < sizeof (header) || header.nlmsg_len > length - *offset)
        return false;
    *reply = (struct netlink_reply){
        .type = header.nlmsg_type,
        .flags = header.nlmsg_flags,
        .sequence = header.nlmsg_seq,
        .payload = (const unsigned char *)datagram + *offset + sizeof (header),
        .length = header.nlmsg_len - sizeof (header),
    };
    *offset += NLMSG_ALIGN ((size_t)header.nlmsg_len);
    return true;
}

bool netlink_header (const struct netlink_reply *reply, void *header, size_t size)
{
    if (reply->length < size)
        return false;
    memcpy (header, reply->payload, size);
    return true;
}

bool netlink_next_attribute (const struct netlink_reply *reply, size_t header_size, size_t *offset,
                             struct netlink_attribute *attribute)
{
    size_t at = *offset ? *offset : NLMSG_ALIGN (header_size);
    struct rtattr head;

    if (at > reply->length || reply->length - at < sizeof (head))
        return false;
    memcpy (&head, reply->payload + at, sizeof (head));
    if (head.rta_len < sizeof (head) || head.rta_len > reply->length - at)
        return false;
    *attribute = (struct netlink_attribute){
        .type = head.rta_type & NLA_TYPE_MASK,
        .data = reply->payload + at + sizeof (head),
        .length = head.rta_len - sizeof (head),
    };
    *offset = at + RTA_ALIGN ((size_t)head.rta_len);
    return true;
}

/* The kernel's own words behind a refusal (NETLINK_EXT_ACK). */
static void keep_message (struct netlink *netlink, const struct netlink_reply *reply)
{
    struct netlink_attribute attribute;
    size_t offset = 0;

    if (!(reply->flags & NLM_F_ACK_TLVS) || !(reply->flags & NLM_F_CAPPED))
        return; /* without NLM_F_CAPPED the request stands before them */
    while (netlink_next_attribute (reply, sizeof (struct nlmsgerr), &offset, &attribute))
        if (attribute.type == NLMSGERR_ATTR_MSG)
            (void)snprintf (netlink->message, sizeof (netlink->message), "%.*s",
                            (int)attribute.length, (const char *)attribute.data);
}

/* One datagram of the kernel's; its length. */
static ssize_t receive (int fd, void *buffer, size_t size, int flags)
{
    for (;;) {
        struct sockaddr_nl from = {0};
        socklen_t from_size = sizeof (from);
        ssize_t length =
            recvfrom (fd, buffer, size, flags | MSG_TRUNC, (struct sockaddr *)&from, &from_size);

        if (length < 0 && errno == EINTR)
            continue;
        if (length > (ssize_t)size) {
            errno = EMSGSIZE;
            return -1;
        }
        if (length < 0 || from.nl_pid == 0)
            return length;
        /* Another process may send to this socket; nothing that it says matters. */
    }
}

/* 1 at the end of the answer, 0 where more follows. */
static int take_reply (struct netlink *netlink, const struct netlink_reply *reply,
                       netlink_each_fn *each, void *context)
{
    int code;

    if (reply->type == NLMSG_ERROR || reply->type == NLMSG_DONE) {
        /* The end of a dump carries a code, too. */
        if (!netlink_header (reply, &code, sizeof (code)) || code >= 0)
            return 1;
        keep_message (netlink, reply);
        errno = -code;
        return -1;
    }
    return each ? each (context, reply) : 0;
}

int netlink_call (struct netlink *netlink, struct netlink_request *request, netlink_each_fn *each,
                  void *context)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    _Alignas(8) unsigned char datagram[DATAGRAM_MAX];
    struct nlmsghdr header;
    struct netlink_reply reply;
    bool interrupted = false;

    netlink->message[0] = '\0';
    if (request->overflow || request->length < sizeof (header)) {
        errno = EMSGSIZE;
        return -1;
    }
    memcpy (&header, request->bytes, sizeof (header));
    header.nlmsg_len = (uint32_t)request->length;
    header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    header.nlmsg_seq = ++netlink->sequence;
    memcpy (request->bytes, &header, sizeof (header));
    if (sendto (netlink->fd, request->bytes, request->length, 0, (const struct sockaddr *)&kernel,
                sizeof (kernel)) < 0)
        return -1;

    for (;;) {
        ssize_t length = receive (netlink->fd, datagram, sizeof (datagram), 0);
        if (length < 0)
            return -1;
        size_t offset = 0;
        while (netlink_next_message (datagram, (size_t)length, &offset, &reply)) {
            if (reply.sequence != netlink->sequence)
                continue;
            interrupted |= (reply.flags & NLM_F_DUMP_INTR) != 0;
            int result = take_reply (netlink, &reply, each, context);
            if (result > 0 && interrupted) {
                errno = EINTR;
                return -1;
            }
            if (result != 0)
                return result < 0 ? -1 : 0;
        }
    }
}

int netlink_subscribe (struct netlink *netlink, unsigned int group)
{
    const struct sockaddr_nl any = {.nl_family = AF_NETLINK};

    /* Announcements reach only sockets that have an address. */
    if (bind (netlink->fd, (const struct sockaddr *)&any, sizeof (any)) < 0)
        return -1;
    return setsockopt (netlink->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof (group));
}

int netlink_announced (struct netlink *netlink, netlink_each_fn *each, void *context)
{
    _Alignas(8) unsigned char datagram[DATAGRAM_MAX];
    struct netlink_reply reply;

    for (;;) {
        ssize_t length = receive (netlink->fd, datagram, sizeof (datagram), MSG_DONTWAIT);
        if (length < 0)
            return errno == EAGAIN ? 0 : -1;
        size_t offset = 0;
        while (netlink_next_message (datagram, (size_t)length, &offset, &reply))
            if (each (context, &reply) < 0)
                return -1;
    }
}
