/* SPDX-License-Identifier: Apache-2.0 */
/* child: see child.h. */
#include "lifecycle/child.h"

#include "base/cleanup.h"
#include "container/rlimits.h"
#include "lifecycle/channel.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define EXIT_FAILED_INSIDE 1

void child_dies_with_parent (void)
{
    (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
}

int child_open_console (const struct oci_process *process, int root, int line,
                        const struct mountfd_ids *bound, struct console *console, struct error *err)
{
    if (!process->terminal)
        return 0;
    if (console_open (root, process->console_size, process->user.uid, console, err) < 0)
        return -1;
    if (bound && console_bind (root, bound, console, err) < 0)
        return -1;
    if (channel_send (line, CHANNEL_CONSOLE, console->name, strlen (console->name) + 1,
                      console->ptmx, err) < 0)
        return -1;
    drop_fd (&console->ptmx);
    return 0;
}

int child_take_console (const struct oci_process *process, bool birth, struct console *console,
                        struct error *err)
{
    if (!process->terminal)
        return 0;
    if ((birth ? console_streams (console, err) : console_attach (console, err)) < 0)
        return -1;
    /* A caller without standard streams had it opened on one of them. */
    if (console->pts > STDERR_FILENO)
        drop_fd (&console->pts);
    console->pts = -1;
    return 0;
}

int child_set_limits (const struct oci_process *process, int line, struct error *err)
{
    struct channel_message message;

    if (rlimits_take (process))
        return 0;
    if (channel_send (line, CHANNEL_READY, NULL, 0, -1, err) < 0)
        return -1;
    return channel_expect (line, 0, CHANNEL_RELEASE, &message, err);
}

void child_fails (int line, const struct error *err)
{
    channel_send_error (line, err);
    _exit (EXIT_FAILED_INSIDE);
}
