/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The builder and the reader of netlink messages never leave their buffers, whatever lengths they
 * are given.
 */
#include "kernel/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In memory of just its size, so that a sanitizer sees each byte that is read behind it. */
static unsigned char *exactly (const void *bytes, size_t length)
{
    unsigned char *copy = malloc (length ? length : 1);

    assert_non_null (copy);
    memcpy (copy, bytes, length);
    return copy;
}

static void test_what_is_built_is_read (void **state)
{
    const struct ifinfomsg link = {.ifi_index = 7};
    struct netlink_request request;
    struct netlink_attribute attribute;
    struct netlink_reply reply;
    struct ifinfomsg header;
    size_t at = 0;
    size_t offset = 0;

    (void)state;
    netlink_begin (&request, RTM_SETLINK, 0, &link, sizeof (link));
    netlink_put (&request, IFLA_IFNAME, "eth0", 5);
    netlink_put (&request, IFLA_MTU, NULL, 0);
    netlink_put (&request, IFLA_ALT_IFNAME | NLA_F_NESTED, "x", 1);
    assert_false (request.overflow);
    assert_int_equal (request.length % NLMSG_ALIGNTO, 0);

    /* The kernel's side fills in the length. */
    uint32_t length = (uint32_t)request.length;
    memcpy (request.bytes, &length, sizeof (length));
    assert_true (netlink_next_message (request.bytes, request.length, &at, &reply));
    assert_int_equal (reply.type, RTM_SETLINK);
    assert_true (netlink_header (&reply, &header, sizeof (header)));
    assert_int_equal (header.ifi_index, 7);
    assert_true (netlink_next_attribute (&reply, sizeof (header), &offset, &attribute));
    assert_int_equal (attribute.type, IFLA_IFNAME);
    assert_int_equal (attribute.length, 5);
    assert_string_equal ((const char *)attribute.data, "eth0");
    assert_true (netlink_next_attribute (&reply, sizeof (header), &offset, &attribute));
    assert_int_equal (attribute.type, IFLA_MTU);
    assert_int_equal (attribute.length, 0);
    assert_true (netlink_next_attribute (&reply, sizeof (header), &offset, &attribute));
    assert_int_equal (attribute.type, IFLA_ALT_IFNAME);
    assert_int_equal (attribute.length, 1);
    assert_false (netlink_next_attribute (&reply, sizeof (header), &offset, &attribute));
    assert_false (netlink_next_message (request.bytes, request.length, &at, &reply));
}

static void test_what_does_not_fit_is_refused (void **state)
{
    static const unsigned char bytes[NETLINK_REQUEST_MAX + 1];
    const size_t head = NLMSG_HDRLEN + sizeof (struct ifinfomsg) + sizeof (struct rtattr);
    const struct ifinfomsg link = {0};
    struct netlink_request request;
    struct netlink netlink = NETLINK_INIT;

    (void)state;
    for (size_t length = 0; length <= sizeof (bytes); length++) {
        netlink_begin (&request, RTM_SETLINK, 0, &link, sizeof (link));
        netlink_put (&request, 1, bytes, length);
        assert_true (request.length <= sizeof (request.bytes));
        assert_int_equal (request.overflow, head + length > sizeof (request.bytes));
    }
    netlink_put (&request, 1, bytes, 0); /* nothing is taken behind what was left out */
    assert_true (request.overflow);
    assert_int_equal (netlink_call (&netlink, &request, NULL, NULL), -1);
    assert_int_equal (errno, EMSGSIZE);
}

static void test_messages_that_lie_about_their_length (void **state)
{
    (void)state;
    for (uint32_t size = 0; size <= 48; size++) {
        for (uint32_t claimed = 0; claimed <= 64; claimed++) {
            unsigned char bytes[48] = {0};
            const struct nlmsghdr header = {.nlmsg_len = claimed};
            memcpy (bytes, &header, sizeof (header));
            unsigned char *datagram = exactly (bytes, size);
            struct netlink_reply reply;
            size_t at = 0;
            bool taken = netlink_next_message (datagram, size, &at, &reply);
            assert_int_equal (taken, size >= sizeof (header) && claimed >= sizeof (header) &&
                                         claimed <= size);
            if (taken) {
                assert_int_equal (reply.length, claimed - sizeof (header));
                assert_true (at >= claimed);
                while (netlink_next_message (datagram, size, &at, &reply))
                    ;
            }
            free (datagram);
        }
    }
}

static void test_attributes_that_lie_about_their_length (void **state)
{
    (void)state;
    for (size_t size = 0; size <= 40; size++) {
        for (unsigned short claimed = 0; claimed <= 48; claimed++) {
            const size_t header = sizeof (struct ifaddrmsg);
            unsigned char bytes[40] = {0};
            const struct rtattr first = {.rta_len = claimed, .rta_type = 5};
            memcpy (bytes + header, &first, sizeof (first));
            unsigned char *payload = exactly (bytes, size);
            const struct netlink_reply reply = {.payload = payload, .length = size};
            struct netlink_attribute attribute;
            size_t offset = 0;
            bool taken = netlink_next_attribute (&reply, header, &offset, &attribute);
            assert_int_equal (taken, size >= header + sizeof (first) && claimed >= sizeof (first) &&
                                         claimed <= size - header);
            if (taken) {
                assert_int_equal (attribute.length, claimed - sizeof (first));
                assert_true (attribute.data + attribute.length <= payload + size);
                while (netlink_next_attribute (&reply, header, &offset, &attribute))
                    assert_true (attribute.data + attribute.length <= payload + size);
            }
            free (payload);
        }
    }
}

static int count_links (void *context, const struct netlink_reply *reply)
{
    if (reply->type == RTM_NEWLINK)
        ++*(int *)context;
    return 0;
}

/* A network namespace, even the one without any rights in it, has at least lo. */
static void test_the_kernel_answers (void **state)
{
    const struct ifinfomsg any = {0};
    const struct ifinfomsg nowhere = {.ifi_index = 0x7fffffff};
    struct netlink netlink = NETLINK_INIT;
    struct netlink_request request;
    int links = 0;

    (void)state;
    assert_int_equal (netlink_open (&netlink, -1), 0);
    netlink_begin (&request, RTM_GETLINK, NLM_F_DUMP, &any, sizeof (any));
    assert_int_equal (netlink_call (&netlink, &request, count_links, &links), 0);
    assert_true (links >= 1);
    netlink_begin (&request, RTM_GETLINK, 0, &nowhere, sizeof (nowhere));
    assert_int_equal (netlink_call (&netlink, &request, count_links, &links), -1);
    assert_int_equal (errno, ENODEV);
    assert_int_equal (netlink_announced (&netlink, count_links, &links), 0);
    netlink_close (&netlink);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_what_is_built_is_read),
        cmocka_unit_test (test_what_does_not_fit_is_refused),
        cmocka_unit_test (test_messages_that_lie_about_their_length),
        cmocka_unit_test (test_attributes_that_lie_about_their_length),
        cmocka_unit_test (test_the_kernel_answers),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
