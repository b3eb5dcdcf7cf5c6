/* SPDX-License-Identifier: Apache-2.0 */
/* running: see running.h. */
#include "lifecycle/running.h"

#include "base/cleanup.h"
#include "base/patience.h"
#include "base/text.h"
#include "container/hooks.h"
#include "container/seccomp_agent.h"
#include "kernel/pidfd.h"
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

bool running_has_ended (pid_t pid, int pidfd)
{
    return pidfd_is_ending (pid, pidfd) == 1 || pidfd_is_doomed (pid);
}

static struct oci_state state_of (const struct record *record, enum oci_status status)
{
    return (struct oci_state){.id = record->id,
                              .status = status,
                              .pid = record->pid,
                              .bundle = record->bundle,
                              .annotations = &record->annotations};
}

int running_listener (const struct running *running, int *listener, struct error *err)
{
    const struct oci_seccomp *seccomp = running->config->linux.seccomp;
    const struct oci_state state = state_of (running->record, running->status);

    if (*listener < 0)
        return 0;
    if (!seccomp || !seccomp->listener_path)
        return error_set (err, "RT-CHANNEL-ORDER", EPROTO, "a seccomp listener without an agent");
    int granted = seccomp_agent_grant (seccomp, running->pid, &state, *listener, err);
    /* While it is open here, an agent's death would not end the wait of a notified call. */
    drop_fd (listener);
    return granted;
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
