/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what systemd answers in a whole conversation: after the greeting the bus says what
 * the fuzzer says, and closes. The first byte is the call.
 *
 *   fuzz_systemd -max_len=2000 tests/fuzz/corpus/systemd
 */
#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "cgroup/dbus_message.h"
#include "cgroup/systemd_bus.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

struct talk {
    int listening;
    const uint8_t *bytes;
    size_t size;
};

static void must (bool holds)
{
    if (!holds)
        abort ();
}

/* A name that is gone with the process. */
static int listen_once (char *address, size_t room)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    int length =
        snprintf (name.sun_path + 1, sizeof (name.sun_path) - 1, "rt-fuzz-%d", (int)getpid ());
    socklen_t used = (socklen_t)(offsetof (struct sockaddr_un, sun_path) + 1 + (size_t)length);
    must (fd >= 0 && bind (fd, (struct sockaddr *)&name, used) == 0 && listen (fd, 1) == 0);
    (void)snprintf (address, room, "unix:abstract=%s", name.sun_path + 1);
    return fd;
}

static void *be_the_bus (void *context)
{
    const struct talk *talk = context;
    AUTO_TEXT struct text out = {0};
    const struct dbus_message hello = {.kind = DBUS_RETURN, .serial = 1, .reply_serial = 1};
    char heard[512];

    int fd = accept (talk->listening, NULL, NULL);
    must (fd >= 0);
    text_puts (&out, "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n");
    dbus_message_write (&hello, &out);
    text_add (&out, (const char *)talk->bytes, talk->size);
    (void)send (fd, out.bytes, out.length, MSG_NOSIGNAL);
    (void)shutdown (fd, SHUT_WR);
    while (recv (fd, heard, sizeof (heard), 0) > 0)
        ;
    (void)close (fd);
    return NULL;
}

static int speak (struct systemd_bus *bus, unsigned char call, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct unit_properties properties = {.arena = &arena, .systemd = 252};
    int version = 77;

    unit_property_bool (&properties, "Delegate", true);
    unit_property_uint64 (&properties, "TasksMax", 7);
    switch (call % 6) {
    case 0:
        return systemd_bus_version (bus, &version, err);
    case 1:
        return systemd_bus_start (bus, "rt-x.scope", &properties, err);
    case 2:
        return systemd_bus_set (bus, "rt-x.scope", &properties, err);
    case 3: {
        const char *group = systemd_bus_control_group (bus, "rt-x.scope", &arena, err);
        must (!group || (group[0] == '/' && group[1] != '\0'));
        return group ? 0 : -1;
    }
    case 4:
        return systemd_bus_description (bus, "rt-x.scope", err) ? 0 : -1;
    default:
        return systemd_bus_stop (bus, "rt-x.scope", err);
    }
}

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    struct error err = {0};
    char address[64];
    pthread_t thread;

    if (size == 0)
        return 0;
    struct talk talk = {
        .listening = listen_once (address, sizeof (address)), .bytes = bytes + 1, .size = size - 1};
    must (pthread_create (&thread, NULL, be_the_bus, &talk) == 0);
    AUTO_SYSTEMD_BUS struct systemd_bus *bus = systemd_bus_open (address, 5000, &err);
    if (!bus || speak (bus, bytes[0], &err) < 0)
        must (err.code[0] != '\0' && err.text[0] != '\0');
    systemd_bus_release (&bus);
    must (pthread_join (thread, NULL) == 0);
    (void)close (talk.listening);
    return 0;
}
