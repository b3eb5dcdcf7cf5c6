/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dbus: a connection to a D-Bus message bus. Private to cgroup/.
 *
 * It speaks just as much as systemd's driver needs: calls with their answers, and one kind of
 * signal. libsystemd's sd-bus is not for a static program. Nothing here waits beyond the deadline
 * of the connection.
 */
#ifndef RT_CGROUP_DBUS_H
#define RT_CGROUP_DBUS_H

#include "cgroup/dbus_message.h"
#include "cgroup/wait.h"

struct dbus {
    int fd; /* -1 = none */
    uint32_t serial;
    struct wait deadline;
    struct text received; /* not taken apart yet */
    struct arena arena;   /* of messages */
};

#define DBUS_INIT                                                                                  \
    {                                                                                              \
        .fd = -1                                                                                   \
    }
void dbus_release (struct dbus *bus);

/* Connects, authenticates as this user (the kernel says who that is) and is given a name. `address`
 * as in DBUS_SESSION_BUS_ADDRESS; unix sockets only. 0 or -1 with errno: ETIMEDOUT, EPROTO, EACCES,
 * EAFNOSUPPORT for an address of another kind, or the kernel's word. */
int dbus_connect (struct dbus *bus, const char *address, int timeout_ms);

/* Sends a message; its serial, or 0 with errno. */
uint32_t dbus_send (struct dbus *bus, struct dbus_message *message);

/* The next message, whatever it is; it lives as long as the connection. 0 or -1 with errno
 * (ETIMEDOUT; ECONNRESET: the other side has closed). */
int dbus_receive (struct dbus *bus, struct dbus_message *message);

/* Sends a call and waits for its answer, DBUS_RETURN or DBUS_ERROR; what else arrives is dropped. 0
 * or -1 with errno. */
int dbus_call (struct dbus *bus, struct dbus_message *call, struct dbus_message *answer);

#endif
