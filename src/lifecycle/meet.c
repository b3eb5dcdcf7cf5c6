/* SPDX-License-Identifier: Apache-2.0 */
/* meet: see meet.h. */
#include "lifecycle/meet.h"

#include "base/cleanup.h"
#include "kernel/pidfd.h"
#include "lifecycle/channel.h"
#include "lifecycle/ptmx.h"
#include "lifecycle/running.h"

#include <stddef.h>
#include <sys/wait.h>

/* The next packet; a line that was closed is explained. */
static int receive (const struct meet *meet, struct channel_message *message, struct error *err)
{
    if (channel_receive (meet->line, *meet->pid, message, err) < 0)
        return -1;
    return message->type == CHANNEL_CLOSED ? running_explain_end (*meet->pidfd, meet->who, err) : 0;
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
    /* What traces it could keep it from ending, or from being reaped. */
    if (channel_await (*meet->pidfd, *meet->pid, err) < 0)
        return -1;
    (void)waitpid (*meet->pid, NULL, WNOHANG);
    drop_fd (meet->pidfd);
    *meet->pidfd = take_fd (&pidfd);
    *meet->pid = pidfd_pid (*meet->pidfd);
    return *meet->pid < 0 ? running_explain_end (*meet->pidfd, meet->who, err) : 0;
}

int meet_until_ready (const struct meet *meet, struct error *err)
{
    struct channel_message message;

    while (receive (meet, &message, err) == 0) {
        AUTO_FD int fd = message.fd;
        if (message.type == CHANNEL_READY)
            return 0;
        if (message.type == CHANNEL_CONSOLE) {
            message.payload[message.length ? message.length - 1 : 0] = '\0';
            if (ptmx_take (&fd, (const char *)message.payload, meet->console_socket, meet->ptmx,
                           err) < 0)
                return -1;
        } else if (message.type == CHANNEL_MOUNTED && meet->mounted) {
            if (meet->mounted (meet->context, err) < 0)
                return -1;
        } else
            return unexpected (&message, err);
    }
    return -1;
}
