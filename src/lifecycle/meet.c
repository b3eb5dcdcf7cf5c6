/* SPDX-License-Identifier: Apache-2.0 */
/* meet: see meet.h. */
#include "lifecycle/meet.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/text.h"
#include "kernel/descendants.h"
#include "kernel/pidfd.h"
#include "kernel/privileges.h"
#include "lifecycle/launched.h"
#include "lifecycle/ptmx.h"
#include "lifecycle/running.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child itself, or with birth one that is this process's child, too: then it takes its place.
 */
static int check_sender (const struct meet *meet, pid_t sender, struct error *err)
{
    siginfo_t info = {0};

    if (sender == *meet->pid)
        return 0;
    if (!meet->birth || *meet->cloner >= 0)
        return error_set (err, "RT-CHANNEL-PEER", 0, "process %d speaks in the place of %s", sender,
                          meet->who);
    AUTO_FD int pidfd = pidfd_open_child (sender);
    /* The number is not given to another process as long as this one does not reap it. */
    if (pidfd < 0 || waitid (P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return error_set (err, "RT-CHANNEL-PEER", errno,
                          "process %d, which says that it is %s, is "
                          "no child of rt",
                          sender, meet->who);
    *meet->cloner = take_fd (meet->pidfd);
    *meet->pidfd = take_fd (&pidfd);
    *meet->pid = sender;
    return 0;
}

void meet_reap_cloner (int *cloner)
{
    if (*cloner < 0)
        return;
    siginfo_t info = {0};
    bool reaped = waitid (P_PIDFD, (id_t)*cloner, &info, WEXITED | WNOHANG) == 0 && info.si_pid;
    /* What traces it could keep it from ending, or from being reaped. */
    if (!reaped && pidfd_wait_dead (*cloner, patience_ms ()) == 1)
        (void)waitid (P_PIDFD, (id_t)*cloner, NULL, WEXITED | WNOHANG);
    drop_fd (cloner);
}

void meet_kill_unheard (const struct descendants_before *before)
{
    struct error err = {0};

    if (descendants_end (before, patience_ms (), &err) < 0)
        log_warning ("%s: a process may be left", err.text);
}

/* What lies in the channel by now, and nothing is waited for: a process that has taken the child's
 * end may keep it open, and speak on. */
static bool take_last_words (const struct meet *meet, struct error *err)
{
    struct channel_message message;
    struct error said = {0};

    if (meet->line < 0 || shutdown (meet->line, SHUT_RD) < 0)
        return false;
    for (;;) {
        if (channel_receive (meet->line, 0, &message, &said) < 0) {
            if (channel_was_told ())
                *err = said;
            return channel_was_told ();
        }
        drop_fd (&message.fd);
        if (message.type == CHANNEL_CLOSED)
            return false;
        if (message.type == CHANNEL_FAILED && check_sender (meet, message.sender, &said) == 0) {
            (void)launched_failure (message.payload, message.length, err);
            return true;
        }
    }
}

int meet_explain_end (const struct meet *meet, struct error *err)
{
    return take_last_words (meet, err) ? -1 : running_explain_end (*meet->pidfd, meet->who, err);
}

int meet_explain_look (const struct meet *meet, struct error *err)
{
    return running_has_ended (*meet->pid, *meet->pidfd) ? meet_explain_end (meet, err) : -1;
}

int meet_explain_lost (const struct meet *meet, struct error *err)
{
    return *meet->pidfd >= 0 && err->errnum == EPIPE && text_equal (err->code, "RT-CHANNEL-SEND")
               ? meet_explain_end (meet, err)
               : -1;
}

int meet_verify (const struct meet *meet, const struct verify *verify, struct error *err)
{
    return verify_process (verify, *meet->pid, *meet->pidfd, err) < 0
               ? meet_explain_look (meet, err)
               : 0;
}

int meet_go (const struct meet *meet, struct error *err)
{
    if (channel_send (meet->line, CHANNEL_GO, NULL, 0, -1, err) == 0)
        return 0;
    return err->errnum == EPIPE || err->errnum == ECONNRESET ? meet_explain_end (meet, err) : -1;
}

/* The next packet; a channel that was closed is explained. */
static int receive (const struct meet *meet, struct channel_message *message, struct error *err)
{
    if (channel_receive (meet->line, *meet->pid, message, err) < 0)
        return -1;
    if (message->type == CHANNEL_CLOSED)
        return running_explain_end (*meet->pidfd, meet->who, err);
    if (message->type != CHANNEL_FAILED)
        return 0;
    drop_fd (&message->fd);
    if (check_sender (meet, message->sender, err) < 0)
        return -1;
    return launched_failure (message->payload, message->length, err);
}

static int unexpected (const struct channel_message *message, struct error *err)
{
    return error_set (err, "RT-CHANNEL-ORDER", EPROTO, "unexpected packet %u from inside",
                      message->type);
}

int meet_child (const struct meet *meet, struct error *err)
{
    struct channel_message message;

    if (receive (meet, &message, err) < 0)
        return -1;
    AUTO_FD int pidfd = message.fd;
    if (message.type != CHANNEL_CHILD)
        return unexpected (&message, err);
    if (pidfd < 0)
        return 0;
    /* What traces it could keep it from ending, or from being reaped. */
    if (channel_await (*meet->pidfd, *meet->pid, err) < 0)
        return -1;
    (void)waitpid (*meet->pid, NULL, WNOHANG);
    drop_fd (meet->pidfd);
    *meet->pidfd = take_fd (&pidfd);
    *meet->pid = pidfd_pid (*meet->pidfd);
    return *meet->pid < 0 ? running_explain_end (*meet->pidfd, meet->who, err) : 0;
}

static int take_console (const struct meet *meet, const struct channel_message *message, int *fd,
                         struct error *err)
{
    message->payload[message->length ? message->length - 1 : 0] = '\0';
    return ptmx_take (fd, (const char *)message->payload, meet->console_socket, meet->ptmx, err);
}

static int take_listener (const struct meet *meet, int *fd, struct error *err)
{
    if (!meet->listener || *meet->listener >= 0 || *fd < 0 || !filter_is_listener (*fd))
        return error_set (err, "RT-CHANNEL-ORDER", EPROTO,
                          "what was sent as a seccomp listener is none, or none is expected");
    *meet->listener = take_fd (fd);
    return 0;
}

static int take_notify (const struct meet *meet, int *fd, struct error *err)
{
    int domain = 0;
    int type = 0;
    socklen_t size = sizeof (int);

    if (!meet->notify)
        return 0;
    if (*fd < 0 || getsockopt (*fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 ||
        getsockopt (*fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || domain != AF_UNIX ||
        type != SOCK_DGRAM)
        return error_set (err, "RT-CHANNEL-ORDER", EPROTO,
                          "what was sent for NOTIFY_SOCKET is no such socket");
    drop_fd (meet->notify);
    *meet->notify = take_fd (fd);
    return 0;
}

static int answer (const struct meet *meet, const struct channel_message *message, int *fd,
                   struct error *err)
{
    switch (message->type) {
    case CHANNEL_CONSOLE:
        return take_console (meet, message, fd, err);
    case CHANNEL_MOUNTED:
        return meet->mounted ? meet->mounted (meet->context, err) : unexpected (message, err);
    case CHANNEL_READY:
        return meet->ready ? meet->ready (meet->context, err) : unexpected (message, err);
    case CHANNEL_LISTENER:
        return take_listener (meet, fd, err);
    case CHANNEL_NOTIFY:
        return take_notify (meet, fd, err);
    default:
        return unexpected (message, err);
    }
}

int meet_until (const struct meet *meet, enum channel_type type, struct error *err)
{
    struct channel_message message;

    while (receive (meet, &message, err) == 0) {
        AUTO_FD int fd = message.fd;
        if (check_sender (meet, message.sender, err) < 0)
            return -1;
        if (message.type == type)
            return 0;
        if (answer (meet, &message, &fd, err) < 0)
            return -1;
    }
    return -1;
}

/* What has interrupted the wait came when the program ran already. */
static bool is_for_program (const struct meet *meet, struct error *err)
{
    if (!text_equal (err->code, INTERRUPT_CODE) ||
        pidfd_has_executed (*meet->pid, *meet->pidfd) != 1)
        return false;
    interrupt_return ();
    *err = (struct error){0};
    return true;
}

int meet_executed (const struct meet *meet, struct error *err)
{
    struct channel_message message;

    if (channel_receive (meet->line, *meet->pid, &message, err) < 0)
        return is_for_program (meet, err) ? 0 : -1;
    drop_fd (&message.fd);
    if (message.type == CHANNEL_CLOSED)
        return launched_executed (*meet->pid, *meet->pidfd, meet->who, err);
    if (message.type != CHANNEL_FAILED)
        return unexpected (&message, err);
    if (check_sender (meet, message.sender, err) < 0)
        return -1;
    (void)launched_failure (message.payload, message.length, err);
    return launched_is_refusal (message.payload, message.length) ? 1 : -1;
}

int meet_old (const struct meet *meet, const struct running *running, struct error *err)
{
    struct channel_message message;

    for (;;) {
        if (channel_receive (meet->line, *meet->pid, &message, err) < 0)
            return -1;
        AUTO_FD int fd = message.fd;
        if (message.type == CHANNEL_CLOSED)
            return launched_executed (*meet->pid, *meet->pidfd, meet->who, err);
        if (message.type == CHANNEL_EXEC)
            continue;
        if (answer (meet, &message, &fd, err) < 0)
            return -1;
        if (message.type == CHANNEL_LISTENER &&
            (running_listener (running, meet->listener, err) < 0 ||
             channel_send (meet->line, CHANNEL_LISTENED, NULL, 0, -1, err) < 0))
            return -1;
    }
}
