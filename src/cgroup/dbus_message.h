/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dbus_message: D-Bus messages as bytes, in the order of bytes of this machine ("Message Protocol"
 * of the D-Bus specification). Pure; private to cgroup/.
 *
 * What arrives is checked whole before anything of it is used. Dictionaries and descriptors are not
 * understood: nobody sends rt any.
 */
#ifndef RT_CGROUP_DBUS_MESSAGE_H
#define RT_CGROUP_DBUS_MESSAGE_H

#include "base/text.h"
#include "cgroup/dbus_value.h"

enum dbus_kind { DBUS_CALL = 1, DBUS_RETURN, DBUS_ERROR, DBUS_SIGNAL };

enum { DBUS_NO_REPLY = 1 };

/* Far above what systemd answers. */
#define DBUS_MESSAGE_MAX (1024 * 1024)

struct dbus_message {
    enum dbus_kind kind;
    uint8_t flags;
    uint32_t serial;
    uint32_t reply_serial;
    const char *path, *interface, *member, *error, *destination, *sender; /* NULL = absent */
    struct dbus_value *args;
    size_t count;
};

void dbus_message_write (const struct dbus_message *message, struct text *out);

/* The length of the message that begins so: 0 if more bytes must come to tell, -1 if this is none.
 */
int64_t dbus_message_length (const void *bytes, size_t have);

/* Reads a whole one; strings lie in the arena. 0 or -1. */
int dbus_message_read (struct arena *arena, const void *bytes, size_t length,
                       struct dbus_message *message);

#endif
