/* SPDX-License-Identifier: Apache-2.0 */
/* notify: see notify.h. */
#include "lifecycle/notify.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/patience.h"
#include "container/env.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define READY "READY=1"
#define BARRIER "BARRIER=1"

/* Longer than any service takes to start, and not for ever. */
#define READY_LIMIT_MS 3600000

/* As much as systemd reads of one. */
#define DATAGRAM_MAX 4096

/* In one go, so that a container that talks without end cannot keep rt from everything else. */
#define DATAGRAMS_AT_ONCE 64

enum heard { HEARD_NOTHING, HEARD_OTHER, HEARD_READY };

void notify_release (struct notify *notify)
{
    drop_fd (&notify->container);
    drop_fd (&notify->host);
}

bool notify_is_wanted (const char *address, const struct oci_process *process)
{
    return address && !env_value (&process->env, "NOTIFY_SOCKET");
}

bool notify_says_ready (const char *bytes, size_t length)
{
    const char *end = bytes + length;

    for (const char *line = bytes; line < end;) {
        const char *newline = memchr (line, '\n', (size_t)(end - line));
        size_t size = (size_t)((newline ? newline : end) - line);
        if (size == strlen (READY) && memcmp (line, READY, size) == 0)
            return true;
        line += size + 1;
    }
    return false;
}

void notify_connect (struct notify *notify, const char *address)
{
    struct error err = {0};

    if (notify->container < 0)
        return;
    if (address[0] == '@') {
        notify->host = fd_connect_abstract (address + 1, SOCK_DGRAM);
        if (notify->host < 0)
            error_set (&err, "RT-SOCKET", errno, "connect to it");
    } else if (address[0] == '/') {
        notify->host = fd_connect_unix (address, SOCK_DGRAM, &err);
    } else {
        error_set (&err, "RT-SOCKET", EAFNOSUPPORT, "connect to it");
    }
    if (notify->host < 0)
        log_warning ("nobody will be told that the container is ready: NOTIFY_SOCKET `%s`: %s",
                     address, error_words (err.errnum));
}

/* One datagram, or none. There is no room for descriptors, so the kernel drops them by itself. */
static enum heard hear (const struct notify *notify)
{
    char bytes[DATAGRAM_MAX];
    ssize_t length;

    do
        length = recv (notify->container, bytes, sizeof (bytes), MSG_DONTWAIT | MSG_TRUNC);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return HEARD_NOTHING;
    if ((size_t)length > sizeof (bytes) || !notify_says_ready (bytes, (size_t)length))
        return HEARD_OTHER;
    return HEARD_READY;
}

static void tell (const struct notify *notify, const char *message, const int *fd)
{
    if (notify->host >= 0 && fd_send (notify->host, message, strlen (message), fd, fd ? 1 : 0) < 0)
        log_warning ("cannot tell the service manager at NOTIFY_SOCKET \"%.*s\": %s",
                     (int)strcspn (message, "\n"), message, error_words (errno));
}

void notify_carry (const struct notify *notify)
{
    enum heard heard = HEARD_OTHER;

    for (int i = 0; i < DATAGRAMS_AT_ONCE && heard != HEARD_NOTHING; i++) {
        heard = hear (notify);
        if (heard == HEARD_READY)
            tell (notify, READY, NULL);
    }
}

/* The other end of the pipe is closed by the reader of all that came before it. */
static void pass_barrier (const struct notify *notify)
{
    int ends[2];

    if (pipe2 (ends, O_CLOEXEC) < 0)
        return;
    AUTO_FD int far_end = ends[1];
    AUTO_FD int near_end = ends[0];
    tell (notify, BARRIER, &far_end);
    drop_fd (&far_end);
    struct pollfd closed = {.fd = near_end};
    (void)interrupt_poll (&closed, 1, patience_ms ());
}

static void tell_main (const struct notify *notify, pid_t pid)
{
    char message[64];

    (void)snprintf (message, sizeof (message), READY "\nMAINPID=%d", (int)pid);
    tell (notify, message, NULL);
    pass_barrier (notify);
}

/* What init said before its end. */
static bool said_ready_at_last (const struct notify *notify)
{
    for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
        enum heard heard = hear (notify);
        if (heard != HEARD_OTHER)
            return heard == HEARD_READY;
    }
    return false;
}

static int tell_late (struct error *err)
{
    error_set (err, "RT-NOTIFY-READY", ETIMEDOUT, "the container has not said READY=1 in %g s",
               patience_asked_ms () > 0 ? patience_seconds () : (double)READY_LIMIT_MS / 1000);
    return error_hint (err,
                       "unset NOTIFY_SOCKET if its program knows nothing of sd_notify; or give "
                       "it longer with --timeout");
}

/* 1: it did, 0: its init has ended without, -1: neither in time. */
static int await_ready (const struct notify *notify, int pidfd, struct error *err)
{
    struct pollfd sources[] = {{.fd = pidfd, .events = POLLIN},
                               {.fd = notify->container, .events = POLLIN}};
    int limit = patience_asked_ms () > 0 ? patience_asked_ms () : READY_LIMIT_MS;
    const struct wait wait = wait_begin (limit);

    for (;;) {
        int left = wait_left (&wait);
        /* It may talk without end. */
        int changed = interrupt_poll (NULL, 0, 0) < 0 ? -1 : interrupt_poll (sources, 2, left);
        if (changed < 0)
            return errno == EINTR
                       ? interrupt_error (err)
                       : error_set (err, "RT-NOTIFY-READY", errno, "wait for the container");
        if (changed == 0 || left == 0)
            return tell_late (err);
        if (sources[0].revents)
            return said_ready_at_last (notify);
        if (sources[1].revents && hear (notify) == HEARD_READY)
            return 1;
    }
}

int notify_await (const struct notify *notify, pid_t pid, int pidfd, struct error *err)
{
    if (notify->container < 0 || notify->host < 0)
        return 0;
    int ready = await_ready (notify, pidfd, err);
    if (ready < 0)
        return -1;
    if (ready)
        tell_main (notify, pid);
    else
        log_warning ("the container ended without saying READY=1");
    return 0;
}
