/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interrupt: see interrupt.h. The signals are read from a descriptor: no handler, so nothing but a
 * wait that looks for them is cut short, and a child inherits nothing but the mask.
 */
#include "interrupt.h"

#include "cleanup.h"
#include "patience.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>

#define POLLED_MAX 8

static const struct {
    int number;
    const char *name;
} ends[] = {{SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGHUP, "SIGHUP"}};

enum { ENDS = sizeof ends / sizeof ends[0] };

static struct {
    int fd; /* -1 = not held */
    sigset_t signals;
    int seen; /* the first one */
    bool deferred;
} held = {.fd = -1};

void interrupt_signals (sigset_t *signals)
{
    struct sigaction action;
    sigset_t blocked;

    (void)sigemptyset (signals);
    (void)sigemptyset (&blocked);
    (void)sigprocmask (SIG_BLOCK, NULL, &blocked);
    for (size_t i = 0; i < ENDS; i++)
        if (sigaction (ends[i].number, NULL, &action) == 0 && action.sa_handler != SIG_IGN &&
            sigismember (&blocked, ends[i].number) == 0)
            (void)sigaddset (signals, ends[i].number);
}

int interrupt_hold (struct error *err)
{
    if (held.fd >= 0)
        return 0;
    interrupt_signals (&held.signals);
    AUTO_FD int fd = signalfd (-1, &held.signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0 || sigprocmask (SIG_BLOCK, &held.signals, NULL) < 0)
        return error_set (err, "RT-SIGNALS", errno, "watch for the signals that end rt");
    held.fd = take_fd (&fd);
    return 0;
}

void interrupt_forget (void)
{
    if (held.fd < 0)
        return;
    drop_fd (&held.fd);
    (void)sigprocmask (SIG_UNBLOCK, &held.signals, NULL);
}

void interrupt_defer (bool deferred)
{
    held.deferred = deferred;
}

/* Polls beside the signals, as long as `fds` and the time last. */
static int poll_beside (struct pollfd *fds, nfds_t count, int timeout_ms, bool looks,
                        bool *signalled)
{
    struct pollfd polled[POLLED_MAX];
    struct wait wait = wait_begin (timeout_ms < 0 ? 0 : timeout_ms);
    int ready;

    *signalled = false;
    if (looks) {
        if (count > 0)
            memcpy (polled, fds, count * sizeof *fds);
        polled[count] = (struct pollfd){.fd = held.fd, .events = POLLIN};
    }
    do
        ready = poll (looks ? polled : fds, looks ? count + 1 : count,
                      timeout_ms < 0 ? -1 : wait_left (&wait));
    while (ready < 0 && errno == EINTR);
    if (!looks)
        return ready;
    if (ready > 0 && polled[count].revents) {
        *signalled = true;
        ready--;
    }
    if (count > 0)
        memcpy (fds, polled, count * sizeof *fds);
    return ready;
}

int interrupt_poll (struct pollfd *fds, nfds_t count, int timeout_ms)
{
    bool looks = held.fd >= 0 && held.seen == 0 && !held.deferred && count < POLLED_MAX;
    struct signalfd_siginfo info;
    bool signalled;
    int ready = poll_beside (fds, count, timeout_ms, looks, &signalled);

    if (ready != 0 || !signalled || read (held.fd, &info, sizeof info) != (ssize_t)sizeof info)
        return ready;
    held.seen = (int)info.ssi_signo;
    errno = EINTR;
    return -1;
}

int interrupt_await_output (int fd, int timeout_ms)
{
    struct pollfd output = {.fd = fd, .events = POLLOUT};
    bool signalled;
    int ready = poll_beside (&output, 1, timeout_ms, held.fd >= 0, &signalled);

    if (ready > 0)
        return 0;
    if (ready == 0)
        errno = signalled ? EINTR : ETIMEDOUT;
    return -1;
}

static const char *name_of (int signal)
{
    for (size_t i = 0; i < ENDS; i++)
        if (ends[i].number == signal)
            return ends[i].name;
    return "a signal";
}

int interrupt_error (struct error *err)
{
    error_set (err, INTERRUPT_CODE, 0, "interrupted by %s", name_of (held.seen));
    err->exit_code = 128 + held.seen;
    return -1;
}

void interrupt_return (void)
{
    int seen = held.seen;

    held.seen = 0;
    if (seen != 0)
        (void)raise (seen); /* it is blocked */
}

void interrupt_raise (void)
{
    sigset_t one;

    if (held.seen == 0)
        return;
    (void)sigemptyset (&one);
    (void)sigaddset (&one, held.seen);
    (void)signal (held.seen, SIG_DFL);
    (void)raise (held.seen);
    (void)sigprocmask (SIG_UNBLOCK, &one, NULL);
}
