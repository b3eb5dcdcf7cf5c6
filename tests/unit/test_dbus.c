/* SPDX-License-Identifier: Apache-2.0 */
/* A bus that answers late, wrongly or never: rt waits for its deadline and not longer. */
#include "cgroup/dbus.h"
#include "cgroup/systemd_bus.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SHORT_MS = 100, LONG_MS = 20000 };

/* What the server does with its one caller. */
enum manner { SAY_NOTHING, REJECT, BABBLE, CLOSE, ANSWER, ANSWER_NONSENSE };

struct server {
    char address[64];
    pid_t pid;
};

static void say (int fd, const void *bytes, size_t length)
{
    if (write (fd, bytes, length) != (ssize_t)length)
        _exit (1);
}

/* Answers each call with a job that never ends. */
static _Noreturn void answer_all (int fd)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text received = {0};
    struct dbus_value job = {.type = "o", .text = "/job/1"};
    char bytes[4096];
    bool greeted = false;

    for (;;) {
        ssize_t length = read (fd, bytes, sizeof bytes);
        if (length <= 0)
            _exit (0);
        text_add (&received, bytes, (size_t)length);
        if (!greeted) {
            char *begin = memmem (received.bytes, received.length, "BEGIN\r\n", 7);
            if (!begin)
                continue;
            size_t used = (size_t)(begin + 7 - received.bytes);
            memmove (received.bytes, begin + 7, received.length - used);
            received.length -= used;
            greeted = true;
        }
        for (;;) {
            int64_t whole = dbus_message_length (received.bytes, received.length);
            struct dbus_message call;
            AUTO_TEXT struct text reply = {0};
            if (whole <= 0 || (size_t)whole > received.length)
                break;
            if (dbus_message_read (&arena, received.bytes, (size_t)whole, &call) < 0)
                _exit (1);
            memmove (received.bytes, received.bytes + whole, received.length - (size_t)whole);
            received.length -= (size_t)whole;
            if (call.flags & DBUS_NO_REPLY)
                continue;
            const struct dbus_message answer = {.kind = DBUS_RETURN,
                                                .serial = 1,
                                                .reply_serial = call.serial,
                                                .sender = ":1.0",
                                                .args = &job,
                                                .count = 1};
            dbus_message_write (&answer, &reply);
            say (fd, reply.bytes, reply.length);
        }
    }
}

static _Noreturn void serve (int listener, enum manner manner)
{
    static const char welcome[] = "DATA\r\nOK 00\r\n", no[] = "REJECTED EXTERNAL\r\n";
    char noise[8192];
    int fd = accept (listener, NULL, NULL);

    (void)alarm (60);
    memset (noise, 'x', sizeof noise);
    switch (manner) {
    case SAY_NOTHING:
        break;
    case REJECT:
        say (fd, no, sizeof no - 1);
        break;
    case BABBLE:
        say (fd, noise, sizeof noise);
        break;
    case CLOSE:
        _exit (0);
    case ANSWER_NONSENSE:
        say (fd, welcome, sizeof welcome - 1);
        say (fd, noise, 64);
        break;
    case ANSWER:
        say (fd, welcome, sizeof welcome - 1);
        answer_all (fd);
    }
    for (;;)
        (void)pause ();
}

static struct server start (enum manner manner)
{
    static int count;
    struct server server = {0};
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int length = snprintf (name.sun_path + 1, sizeof name.sun_path - 1, "rt test %d %d",
                           (int)getpid (), count++);

    (void)snprintf (server.address, sizeof server.address, "unix:abstract=rt%%20test%%20%d%%20%d",
                    (int)getpid (), count - 1);
    socklen_t size = (socklen_t)(offsetof (struct sockaddr_un, sun_path) + 1 + (size_t)length);
    assert_int_equal (bind (listener, (struct sockaddr *)&name, size), 0);
    assert_int_equal (listen (listener, 1), 0);
    server.pid = fork ();
    if (server.pid == 0) {
        (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
        serve (listener, manner);
    }
    (void)close (listener);
    return server;
}

static void end (const struct server *server)
{
    (void)kill (server->pid, SIGKILL);
    assert_int_equal (waitpid (server->pid, NULL, 0), server->pid);
}

/* rows: CGS-10 */
static void connections (void **state)
{
    static const struct {
        enum manner manner;
        int timeout_ms;
        int wanted; /* errno; 0: it connects */
    } cases[] = {
        {SAY_NOTHING, SHORT_MS, ETIMEDOUT}, {REJECT, LONG_MS, EACCES},
        {BABBLE, LONG_MS, EPROTO},          {CLOSE, LONG_MS, ECONNRESET},
        {ANSWER_NONSENSE, LONG_MS, EPROTO}, {ANSWER, LONG_MS, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server server = start (cases[i].manner);
        struct dbus bus = DBUS_INIT;
        int result = dbus_connect (&bus, server.address, cases[i].timeout_ms);
        int errnum = result < 0 ? errno : 0;

        /* Which of both one is told depends on who was first. */
        if (cases[i].manner == CLOSE && errnum == EPIPE)
            errnum = ECONNRESET;
        assert_int_equal (errnum, cases[i].wanted);
        dbus_release (&bus);
        end (&server);
    }
}

static void addresses (void **state)
{
    static const struct {
        const char *address;
        int wanted;
    } cases[] = {
        {"", EINVAL},
        {"unix:path=/nowhere/bus", ENOENT},
        {"unix:path=", EINVAL},
        {"unix:path=%zz", EINVAL},
        {"unix:path=%", EINVAL},
        {"unix:path=/a,guid=00;unix:path=/b", ENOENT},
        {"tcp:host=localhost", EAFNOSUPPORT},
        {"unix:path=/"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dbus bus = DBUS_INIT;
        assert_int_equal (dbus_connect (&bus, cases[i].address, SHORT_MS), -1);
        assert_int_equal (errno, cases[i].wanted);
        dbus_release (&bus);
    }
    struct server server = start (ANSWER);
    char both[128];
    struct dbus bus = DBUS_INIT;
    (void)snprintf (both, sizeof both, "tcp:host=a;unix:path=/nowhere;%s,guid=00", server.address);
    assert_int_equal (dbus_connect (&bus, both, LONG_MS), 0);
    dbus_release (&bus);
    end (&server);
}

/* rows: CGS-08 */
static void a_job_that_never_ends (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct server server = start (ANSWER);
    struct unit_properties properties = {.arena = &arena};
    struct error err = {0};

    AUTO_SYSTEMD_BUS struct systemd_bus *bus = systemd_bus_open (server.address, 1000, &err);
    assert_non_null (bus);
    unit_property_bool (&properties, "Delegate", true);
    assert_int_equal (systemd_bus_start (bus, "a.scope", &properties, &err), -1);
    assert_string_equal (err.code, "RT-SYSTEMD-TIMEOUT");
    assert_non_null (strstr (err.text, "a.scope"));
    assert_non_null (strstr (err.text, "in 1 s"));
    assert_int_equal (systemd_bus_stop (bus, "a.scope", &err), -1);
    assert_string_equal (err.code, "RT-SYSTEMD-TIMEOUT");
    end (&server);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (connections),
        cmocka_unit_test (addresses),
        cmocka_unit_test (a_job_that_never_ends),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
