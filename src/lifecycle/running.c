/* SPDX-License-Identifier: Apache-2.0 */
/* running: see running.h. */
#include "lifecycle/running.h"

#include "base/cleanup.h"
#include "base/patience.h"
#include "base/text.h"
#include "container/hooks.h"
#include "container/seccomp_agent.h"
#include "kernel/pidfd.h"
#include "lifecycle/channel.h"
#include "oci-spec/names.h"
#include "oci-spec/state.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

int running_explain_end (int pidfd, const char *who, struct error *err)
{
    siginfo_t info = {0};

    (void)pidfd_wait_dead (pidfd, 1000);
    if (waitid (P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || !info.si_pid ||
        info.si_code == CLD_EXITED)
        return error_set (err, "RT-INIT-ENDED", 0, "%s ended before it was ready", who);
    error_set (err, "RT-INIT-KILLED", 0, "%s was killed by signal %d (%s)", who, info.si_status,
               oci_signal_name (info.si_status));
    if (info.si_status == SIGKILL)
        return error_hint (err, "its memory limit may be too small to start in");
    return -1;
}

static struct oci_state state_of (const struct record *record, enum oci_status status)
{
    return (struct oci_state){.id = record->id,
                              .status = status,
                              .pid = record->pid,
                              .bundle = record->bundle,
                              .annotations = &record->annotations};
}

/* The process waits behind its filter until its agent has the listener, and dies where nobody gets
 * it. */
static int grant_listener (int line, const struct running *running, int listener, struct error *err)
{
    const struct oci_seccomp *seccomp = running->config->linux.seccomp;
    const struct oci_state state = state_of (running->record, running->status);

    if (listener < 0 || !seccomp || !seccomp->listener_path)
        return error_set (err, "RT-CHANNEL-ORDER", EPROTO, "a seccomp listener that nobody wants");
    if (seccomp_agent_grant (seccomp, running->pid, &state, listener, err) < 0)
        return -1;
    return channel_send (line, CHANNEL_LISTENED, NULL, 0, -1, err);
}

int running_await (int line, const struct running *running, struct error *err)
{
    struct channel_message message;
    const struct oci_hooks *hooks = &running->config->hooks[OCI_HOOK_START_CONTAINER];
    bool at_exec = false, granted = false;

    if (running->status == OCI_STATUS_CREATING)
        hooks_allow (hooks);
    else
        hooks = NULL; /* of an exec there are none */
    channel_bound (hooks && hooks->count > 0);
    for (;;) {
        if (channel_receive (line, running->pid, &message, err) < 0)
            return -1;
        AUTO_FD int fd = message.fd;
        if (message.type == CHANNEL_LISTENER) {
            if (granted)
                return error_set (err, "RT-CHANNEL-ORDER", EPROTO, "a second seccomp listener");
            granted = true;
            if (grant_listener (line, running, fd, err) < 0)
                return -1;
            channel_bound (hooks && hooks->count > 0);
            continue;
        }
        if (message.type == CHANNEL_NOTIFY) {
            if (running->notify)
                running->notify->container = take_fd (&fd);
            continue;
        }
        if (message.type == CHANNEL_EXEC) {
            at_exec = true;
            continue;
        }
        if (message.type != CHANNEL_CLOSED)
            return error_set (err, "RT-CHANNEL-ORDER", EPROTO, "unexpected packet %u from inside",
                              message.type);
        if (at_exec)
            return 0;
        error_set (err, "RT-INIT-ENDED", 0, "the container's process died before it could execute");
        return error_hint (err, "a memory limit that is too small, or somebody's signal");
    }
}

int running_hooks (const struct oci_config *config, const struct record *record, struct error *err)
{
    const struct oci_hooks *hooks = &config->hooks[OCI_HOOK_POSTSTART];
    AUTO_TEXT struct text text = {0};
    const struct oci_state state = state_of (record, OCI_STATUS_RUNNING);

    if (hooks->count == 0)
        return 0;
    AUTO_HOOKS_OUTPUT struct hooks_output output = HOOKS_OUTPUT_INIT;
    if (hooks_output_open (config, &output, err) < 0)
        return -1;
    oci_state_write (&text, &state, false);
    const struct hooks_context context = {.state = text_string (&text),
                                          .cwd = record->bundle,
                                          .default_timeout_ms = patience_asked_ms (),
                                          .output = &output};
    return hooks_run (hooks, OCI_HOOK_POSTSTART, &context, err);
}
