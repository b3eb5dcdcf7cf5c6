/* SPDX-License-Identifier: Apache-2.0 */
/* destroy: see destroy.h. */
#include "lifecycle/destroy.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/text.h"
#include "cgroup/cgroup.h"
#include "cgroup/oom_events.h"
#include "cgroup/systemd.h"
#include "container/hooks.h"
#include "container/rdt.h"
#include "kernel/pidfd.h"
#include "kernel/straggler.h"
#include "oci-spec/config.h"
#include "oci-spec/state.h"
#include "state/kills.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

static int explain_alive (const struct record *record, struct error *err)
{
    AUTO_TEXT struct text left = {0};

    error_set (err, "RT-KILL-TIMEOUT", 0,
               "process %d of container %s is not dead %g s after SIGKILL", record->pid, record->id,
               patience_seconds ());
    return straggler_describe (record->pid, &left)
               ? error_hint (err, "left: %s", text_string (&left))
               : -1;
}

/* Without a descriptor to spare the number says it still: one without a process is dead. */
static bool is_dead (pid_t pid, int errnum)
{
    bool dead = errnum == ESRCH || (kill (pid, 0) < 0 && errno == ESRCH);

    errno = errnum;
    return dead;
}

int destroy_explain_signal (const struct record *record, int signal, struct error *err)
{
    int errnum = errno;

    error_set (err, "RT-KILL", errnum, "cannot send signal %d to process %d of container %s",
               signal, record->pid, record->id);
    return errnum == ENOSYS
               ? error_hint (err, "pidfd_send_signal is denied here, and a number alone may be "
                                  "another process's by now: allow it")
               : -1;
}

int destroy_kill (const struct record *record, int init, struct error *err)
{
    if (pidfd_signal (init, SIGKILL) == 0)
        return 0;
    if (errno == ESRCH)
        return 1;
    /* The cgroup kills without numbers. All of the container dies with its init, or is to. */
    if (errno == ENOSYS && record->cgroup.count > 0)
        return cgroup_kill (&record->cgroup, err);
    return destroy_explain_signal (record, SIGKILL, err);
}

static int kill_init (const struct record *record, struct error *err)
{
    AUTO_FD int pidfd = pidfd_open_exact (record->pid, record->start_time);

    if (pidfd < 0 && is_dead (record->pid, errno))
        return 0;
    if (pidfd < 0)
        return error_set (err, "RT-KILL", errno, "look whether process %d of container %s is alive",
                          record->pid, record->id);
    if (destroy_kill (record, pidfd, err) < 0)
        return -1;
    /* A frozen v1 cgroup keeps its processes from dying. */
    if (cgroup_let_die (&record->cgroup, err) < 0)
        return -1;
    if (pidfd_wait_dead (pidfd, patience_ms ()) != 1)
        return explain_alive (record, err);
    /* Ours, if this rt is its parent. */
    (void)waitpid (record->pid, NULL, WNOHANG);
    return 0;
}

/* A document that rt accepted once and stored itself. *config is NULL where there is nothing to
 * run: no hooks, or a create that died before it was stored. */
static int read_hooks (int directory, const struct record *record, struct arena *arena,
                       const struct oci_config **config, struct error *err)
{
    struct error failure = {0};
    size_t length;

    *config = NULL;
    if (!record->poststop_hooks)
        return 0;
    AUTO_FREE char *text = record_read_config (directory, &length, &failure);
    if (!text && record->phase == RECORD_CREATING && text_equal (failure.code, "RT-STATE-HALF"))
        return 0;
    const char *copy = text ? arena_copy (arena, text, length) : NULL;
    if (copy)
        *config = oci_config_parse (arena, "config.json", copy, length, NULL, NULL, &failure);
    if (*config)
        return 0;
    *err = failure;
    error_wrap (err, "the poststop hooks of container %s cannot be read", record->id);
    return -1;
}

int destroy_check_hooks (int directory, const struct record *record, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_config *config;

    if (read_hooks (directory, record, &arena, &config, err) == 0)
        return 0;
    return error_hint (err, "rt delete --force removes the container without them");
}

/* hooks_run has told of failures, which change nothing here (HKS-22). */
static void run_poststop (const struct oci_config *config, const struct record *record)
{
    const struct oci_hooks *hooks = &config->hooks[OCI_HOOK_POSTSTOP];
    AUTO_HOOKS_OUTPUT struct hooks_output output = HOOKS_OUTPUT_INIT;
    AUTO_TEXT struct text state = {0};
    struct error ignored = {0};
    const struct oci_state stopped = {.id = record->id,
                                      .status = OCI_STATUS_STOPPED,
                                      .bundle = record->bundle,
                                      .annotations = &record->annotations};

    if (hooks->count == 0)
        return;
    if (hooks_output_open (config, &output, &ignored) < 0) {
        char words[ERROR_WORDS];
        log_warning ("%s", error_format (&ignored, words, sizeof words));
    }
    oci_state_write (&state, &stopped, false);
    const struct hooks_context context = {.state = text_string (&state),
                                          .cwd = record->bundle,
                                          .default_timeout_ms = patience_asked_ms (),
                                          .output = &output};
    (void)hooks_run (hooks, OCI_HOOK_POSTSTOP, &context, &ignored);
}

/* The counter goes with the cgroup: for `events` that are not awake yet. */
static int leave_kills (int directory, const struct record *record, struct error *err)
{
    uint64_t kills;
    int heard = kills_are_heard (directory, err);

    int counted = heard < 1 ? heard : oom_events_total (&record->cgroup, &kills, err);
    return counted < 1 ? counted : kills_leave (directory, kills, err);
}

/* Init's death has ended its own pid namespace, and with it the cgroup is empty; without one, or
 * where somebody was put into the cgroup from outside, others may live on (VRB-28). */
static int remove_cgroup (int directory, const struct record *record, struct error *err)
{
    struct error first = {0};

    if (leave_kills (directory, record, err) < 0)
        return -1;
    if (record->own_pid_namespace &&
        cgroup_remove (&record->cgroup, CGROUP_EXITING_MS, &first) == 0)
        return 0;
    if (cgroup_kill (&record->cgroup, &first) < 0)
        log_debug ("%s",
                   first.text); /* what cannot be killed shows as a cgroup that cannot be removed */
    if (leave_kills (directory, record, err) < 0)
        return -1;
    return cgroup_remove (&record->cgroup, patience_ms (), err);
}

static int stop_unit (const struct record *record, struct error *err)
{
    if (!record->systemd_unit)
        return 0;
    interrupt_defer (true);
    int failed = record->phase == RECORD_CREATING
                     ? systemd_stop_own (record->systemd_bus, record->systemd_unit, record->id,
                                         &record->annotations, err)
                     : systemd_stop (record->systemd_bus, record->systemd_unit, err);
    interrupt_defer (false);
    return failed;
}

int destroy (const char *state_root, int directory, const struct record *record, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_config *config;
    struct error unread = {0};
    char words[ERROR_WORDS];

    (void)read_hooks (directory, record, &arena, &config, &unread);
    if (kill_init (record, err) < 0 || remove_cgroup (directory, record, err) < 0 ||
        stop_unit (record, err) < 0 || rdt_remove (record->intel_rdt, err) < 0 ||
        record_remove (state_root, record->id, directory, err) < 0)
        return -1;
    if (error_is_set (&unread))
        log_warning ("%s: they were left out", error_format (&unread, words, sizeof words));
    if (config)
        run_poststop (config, record);
    return 0;
}
