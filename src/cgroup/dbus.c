/* SPDX-License-Identifier: Apache-2.0 */
/* dbus: see dbus.h. */
#include "cgroup/dbus.h"

#include "base/cleanup.h"
#include "base/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define BUS "org.freedesktop.DBus"

void dbus_release (struct dbus *bus)
{
    drop_fd (&bus->fd);
    text_release (&bus->received);
    arena_release (&bus->arena);
}

static int fail (int errnum)
{
    errno = errnum;
    return -1;
}

/* 0, or -1 with errno. */
static int wait_for (struct dbus *bus, short events)
{
    struct pollfd polled = {.fd = bus->fd, .events = events};

    for (;;) {
        int left = wait_left (&bus->deadline);
        if (left == 0)
            return fail (ETIMEDOUT);
        int ready = interrupt_poll (&polled, 1, left);
        if (ready != 0)
            return ready < 0 ? -1 : 0;
    }
}

static int write_all (struct dbus *bus, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = send (bus->fd, bytes, length, MSG_NOSIGNAL);
        if (written < 0 && errno == EAGAIN) {
            if (wait_for (bus, POLLOUT) < 0)
                return -1;
            continue;
        }
        if (written < 0 && errno != EINTR)
            return -1;
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

static int read_more (struct dbus *bus)
{
    char bytes[4096];

    if (wait_for (bus, POLLIN) < 0)
        return -1;
    ssize_t length = recv (bus->fd, bytes, sizeof bytes, 0);
    if (length < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (length == 0)
        return fail (ECONNRESET);
    text_add (&bus->received, bytes, (size_t)length);
    return 0;
}

static void drop_received (struct dbus *bus, size_t length)
{
    struct text *received = &bus->received;

    memmove (received->bytes, received->bytes + length, received->length - length + 1);
    received->length -= length;
}

static int hex_digit (char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The value of an address, with its %XX. -1: too long, or no value. */
static int unescape (const char *from, char *to, size_t size)
{
    size_t length = 0;

    for (; *from && *from != ',' && *from != ';'; from++) {
        char c = *from;
        if (c == '%') {
            int high = hex_digit (from[1]), low = high < 0 ? -1 : hex_digit (from[2]);
            if (low < 0)
                return -1;
            c = (char)(high << 4 | low);
            from += 2;
        }
        if (length + 1 >= size)
            return -1;
        to[length++] = c;
    }
    to[length] = '\0';
    return length > 0 ? (int)length : -1;
}

/* One address of the list: "unix:path=/run/dbus/system_bus_socket,guid=..." */
static int connect_one (struct dbus *bus, const char *address)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    bool abstract = text_starts_with (address, "unix:abstract=");

    if (!abstract && !text_starts_with (address, "unix:path="))
        return fail (EAFNOSUPPORT);
    int length = unescape (strchr (address, '=') + 1, name.sun_path + abstract,
                           sizeof name.sun_path - abstract);
    if (length < 0)
        return fail (EINVAL);
    socklen_t size = (socklen_t)(offsetof (struct sockaddr_un, sun_path) + (size_t)length + 1);
    drop_fd (&bus->fd);
    bus->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    while (bus->fd >= 0 && connect (bus->fd, (struct sockaddr *)&name, size) < 0)
        /* EAGAIN: the bus has no room for one more caller just now. */
        if ((errno != EAGAIN && errno != EINTR) || !wait_more (&bus->deadline))
            return -1;
    return bus->fd < 0 ? -1 : 0;
}

/* A line of the authentication, without its end. */
static int read_line (struct dbus *bus, char *line, size_t size)
{
    for (;;) {
        const char *end = bus->received.length ? strstr (bus->received.bytes, "\r\n") : NULL;
        if (end) {
            size_t length = (size_t)(end - bus->received.bytes);
            (void)snprintf (line, size, "%.*s", (int)length, bus->received.bytes);
            drop_received (bus, length + 2);
            return 0;
        }
        if (bus->received.length > 4096)
            return fail (EPROTO);
        if (read_more (bus) < 0)
            return -1;
    }
}

/* EXTERNAL without a name: the bus asks the kernel who this is, which is right in any user
 * namespace. All is said at once, the answers are read afterwards. */
static int authenticate (struct dbus *bus)
{
    static const char words[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
    char line[256];

    if (write_all (bus, words, sizeof words - 1) < 0)
        return -1;
    if (read_line (bus, line, sizeof line) < 0)
        return -1;
    if (text_starts_with (line, "DATA") && read_line (bus, line, sizeof line) < 0)
        return -1;
    if (text_starts_with (line, "OK "))
        return 0;
    return fail (text_starts_with (line, "REJECTED") ? EACCES : EPROTO);
}

static int greet (struct dbus *bus)
{
    struct dbus_message answer;
    struct dbus_message hello = {.kind = DBUS_CALL,
                                 .path = "/org/freedesktop/DBus",
                                 .interface = BUS,
                                 .member = "Hello",
                                 .destination = BUS};

    if (dbus_call (bus, &hello, &answer) < 0)
        return -1;
    return answer.kind == DBUS_RETURN ? 0 : fail (EACCES);
}

int dbus_connect (struct dbus *bus, const char *address, int timeout_ms)
{
    int result = fail (EINVAL);

    bus->deadline = wait_begin (timeout_ms);
    for (const char *at = address; at && *at && result < 0; at = at ? at + 1 : NULL) {
        result = connect_one (bus, at);
        at = strchr (at, ';');
    }
    return result < 0 || authenticate (bus) < 0 || greet (bus) < 0 ? -1 : 0;
}

uint32_t dbus_send (struct dbus *bus, struct dbus_message *message)
{
    AUTO_TEXT struct text bytes = {0};

    message->serial = ++bus->serial;
    dbus_message_write (message, &bytes);
    return write_all (bus, bytes.bytes, bytes.length) < 0 ? 0 : message->serial;
}

int dbus_receive (struct dbus *bus, struct dbus_message *message)
{
    for (;;) {
        int64_t length = dbus_message_length (bus->received.bytes, bus->received.length);
        if (length < 0)
            return fail (EPROTO);
        if (length > 0 && (uint64_t)length <= bus->received.length) {
            int result =
                dbus_message_read (&bus->arena, bus->received.bytes, (size_t)length, message);
            drop_received (bus, (size_t)length);
            return result < 0 ? fail (EPROTO) : 0;
        }
        if (read_more (bus) < 0)
            return -1;
    }
}

int dbus_call (struct dbus *bus, struct dbus_message *call, struct dbus_message *answer)
{
    struct dbus_message received;
    uint32_t serial = dbus_send (bus, call);

    if (serial == 0)
        return -1;
    do {
        if (dbus_receive (bus, &received) < 0)
            return -1;
    } while ((received.kind != DBUS_RETURN && received.kind != DBUS_ERROR) ||
             received.reply_serial != serial);
    *answer = received;
    return 0;
}
