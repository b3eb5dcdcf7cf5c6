/* SPDX-License-Identifier: Apache-2.0 */
/*
 * existing: see existing.h; and start, kill and delete, the verbs that need nothing more.
 */
#include "lifecycle/existing.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/text.h"
#include "base/trace.h"
#include "container/hooks.h"
#include "kernel/pidfd.h"
#include "lifecycle/destroy.h"
#include "lifecycle/meet.h"
#include "lifecycle/notify.h"
#include "lifecycle/running.h"
#include "lifecycle/unread.h"
#include "lifecycle/verify.h"
#include "state/gate.h"
#include "state/record.h"
#include "state/status.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>

void existing_release (struct existing *existing)
{
    drop_fd (&existing->directory);
    arena_release (&existing->arena);
}

/* A command that came between the two steps of a claim, making the directory and locking it, lets
 * go of it. */
static int open_locked (struct existing *existing, const struct lifecycle_globals *globals,
                        const char *id, struct error *err)
{
    struct wait creation = wait_begin (patience_ms ());

    for (;;) {
        struct error failure = {0};

        drop_fd (&existing->directory);
        existing->directory = record_open (globals->state_root, id, true, err);
        if (existing->directory < 0)
            return -1;
        if (record_read (existing->directory, &existing->arena, &existing->record, err) == 0)
            return 0;
        if (!text_equal (err->code, "RT-STATE-HALF"))
            return -1;
        (void)flock (existing->directory, LOCK_UN);
        int cut_off = record_is_cut_off (globals->state_root, existing->directory, &failure);
        if (cut_off > 0)
            return -1;
        if (cut_off < 0 || !wait_more (&creation)) {
            drop_fd (&existing->directory); /* what deletes must hold its lock */
            if (cut_off < 0)
                *err = failure;
            return -1;
        }
        *err = (struct error){0};
    }
}

int existing_open (struct existing *existing, const struct lifecycle_globals *globals,
                   const char *id, bool lock, struct error *err)
{
    if (record_check_id (id, err) < 0)
        return -1;
    if (!lock) {
        if (record_look (globals->state_root, id, &existing->arena, &existing->record,
                         &existing->directory, err) < 0)
            return -1;
    } else {
        if (open_locked (existing, globals, id, err) < 0)
            return -1;
    }
    if (!cgroup_are_places (&existing->record.cgroup)) {
        error_set (err, "RT-STATE-DAMAGED", 0,
                   "the record of container %s names a cgroup that no container can have", id);
        return error_hint (err, "rt delete --force manages the container by what is left of it");
    }
    int frozen = cgroup_frozen (&existing->record.cgroup, err);
    if (frozen < 0)
        return -1;
    existing->frozen = frozen == 1;
    if (status_of (existing->directory, &existing->record, existing->frozen, &existing->status,
                   err) < 0)
        return -1;
    return existing->status == OCI_STATUS_STOPPED
               ? cgroup_check_seen (&existing->record.cgroup, err)
               : 0;
}

static int add_update (struct existing *existing, struct oci_config *config, struct error *err)
{
    size_t length;
    const char *text;

    if (record_read_resources (existing->directory, &existing->arena, &text, &length, err) < 0)
        return -1;
    if (!text)
        return 0;
    struct oci_resources *resources =
        oci_resources_parse (&existing->arena, "resources.json", text, length, NULL, NULL, err);
    if (!resources)
        return -1;
    if (config->linux.resources)
        memcpy (&resources->devices, &config->linux.resources->devices, sizeof resources->devices);
    config->linux.resources = resources;
    return 0;
}

const struct oci_config *existing_config (struct existing *existing, struct error *err)
{
    size_t length;
    AUTO_FREE char *text = record_read_config (existing->directory, &length, err);

    /* Its record was there a moment ago, and goes last: it is being deleted. */
    if (!text && text_equal (err->code, "RT-STATE-HALF")) {
        *err = (struct error){0};
        (void)existing_not_running (existing->record.id, err);
    }
    if (!text)
        return NULL;
    const char *copy = arena_copy (&existing->arena, text, length);
    struct oci_config *config =
        oci_config_parse (&existing->arena, "config.json", copy, length, NULL, NULL, err);
    return config && add_update (existing, config, err) == 0 ? config : NULL;
}

int existing_not_running (const char *id, struct error *err)
{
    return error_set (err, "RT-NOT-RUNNING", 0, "container not running: %s", id);
}

/* The other side of a socket. */
static bool is_gone (int errnum)
{
    return errnum == ECONNREFUSED || errnum == EPIPE || errnum == ECONNRESET;
}

/* What was not offered at create cannot be used by the container's process. */
static int check_notify (const struct lifecycle_globals *globals, const struct record *record,
                         const struct oci_config *config, struct error *err)
{
    if (record->notify || !notify_is_wanted (globals->notify_socket, config->process))
        return 0;
    error_set (err, "RT-NOTIFY-SOCKET", 0,
               "NOTIFY_SOCKET is set, but was not when container %s was created: it cannot say "
               "that it is ready",
               record->id);
    return error_hint (err, "set it for both, or for none");
}

static void end_init (const struct existing *existing, int init)
{
    struct error ignored = {0};

    (void)destroy_kill (&existing->record, init, &ignored);
    (void)pidfd_wait_dead (init, patience_ms ());
}

/* The lock is given up: the container is what it will be, and may take its time. */
static int await_notified (const struct lifecycle_globals *globals, struct existing *existing,
                           struct notify *notify, int init, struct error *err)
{
    if (!globals->notify_socket || init < 0)
        return 0;
    (void)flock (existing->directory, LOCK_UN);
    notify_connect (notify, globals->notify_socket);
    if (notify_await (notify, existing->record.pid, init, err) == 0)
        return 0;
    /* It runs: a caller that does not wait for READY=1 any longer has it where it was. */
    if (text_equal (err->code, INTERRUPT_CODE))
        return -1;
    end_init (existing, init);
    return -1;
}

/* Init has heard the word, and goes on until its program is executed; 1: the kernel refuses that.
 */
static int let_go (struct existing *existing, const struct oci_config *config, int line, int *init,
                   struct notify *notify, struct error *err)
{
    int listener = -1;
    const struct meet meet = {.who = "the container's init",
                              .line = line,
                              .pid = &existing->record.pid,
                              .pidfd = init,
                              .listener = &listener,
                              .notify = &notify->container};
    const struct running running = {.config = config,
                                    .record = &existing->record,
                                    .pid = existing->record.pid,
                                    .status = OCI_STATUS_CREATING};

    const struct oci_hooks *hooks = &config->hooks[OCI_HOOK_START_CONTAINER];
    struct verify verify;

    trace_phase ("exec");
    if (!existing->record.awaits_go)
        return meet_old (&meet, &running, err);
    if (verify_init (&verify, &existing->arena, false, err) < 0)
        return -1;
    verify_document (&verify, config, config->process, config->linux.seccomp ? 1 : 0);
    verify.cgroup = &existing->record.cgroup;
    channel_only (existing->record.pid);
    hooks_allow (hooks);
    channel_bound (hooks->count > 0);
    if (meet_until (&meet, CHANNEL_EXEC, err) < 0 || meet_verify (&meet, &verify, err) < 0 ||
        meet_go (&meet, err) < 0)
        return -1;
    return meet_executed (&meet, err);
}

/* Engines count an exited container, and apply their restart policies to it; a start that fails
 * they take for a fault of the host. It has said so itself. */
static int end_refused (const char *id, int init, const struct error *why)
{
    char words[ERROR_WORDS];

    log_warning ("container %s has ended: %s", id, error_format (why, words, sizeof (words)));
    if (pidfd_wait_dead (init, patience_ms ()) != 1)
        (void)pidfd_signal (init, SIGKILL);
    return 0;
}

int lifecycle_start (const struct lifecycle_globals *globals, const char *id, struct error *err)
{
    AUTO_EXISTING struct existing existing = EXISTING_INIT;

    if (existing_open (&existing, globals, id, true, err) < 0)
        return -1;
    if (existing.status != OCI_STATUS_CREATED)
        return error_set (err, "RT-START-STATE", 0,
                          "cannot start container %s: it is %s, not created", id,
                          oci_status_word (existing.status));
    if (existing.frozen) {
        error_set (err, "RT-START-STATE", 0, "cannot start container %s: it is paused", id);
        return error_hint (err, "resume it first");
    }
    const struct oci_config *config = existing_config (&existing, err);
    if (!config)
        return -1;

    if (check_notify (globals, &existing.record, config, err) < 0)
        return -1;

    /* What comes to the gate from here on is given up by killing it. */
    if (interrupt_hold (err) < 0)
        return -1;
    trace_phase ("gate");
    AUTO_FD int init = pidfd_open_exact (existing.record.pid, existing.record.start_time);
    if (init < 0 && errno != ESRCH)
        return error_set (err, "RT-START-INIT", errno, "cannot open the init of %s", id);
    AUTO_FD int line =
        init < 0 ? -1 : gate_open (existing.directory, existing.record.awaits_go, err);
    if (init < 0 || (line < 0 && is_gone (err->errnum))) {
        /* The lock keeps others from starting it: it has been killed since. */
        *err = (struct error){0};
        return error_set (err, "RT-START-STATE", 0,
                          "cannot start container %s: it is stopped, not created", id);
    }
    if (line < 0)
        return -1;
    AUTO_NOTIFY struct notify notify = NOTIFY_INIT;
    int failed = let_go (&existing, config, line, &init, &notify, err);
    gate_remove (existing.directory);
    if (failed > 0) {
        const struct error why = *err;
        *err = (struct error){0};
        return end_refused (id, init, &why);
    }
    if (failed) {
        drop_fd (&line); /* it may wait for an answer */
        /* A signal for rt leaves what runs already where it was, as below. */
        if (text_equal (err->code, INTERRUPT_CODE) &&
            pidfd_has_executed (existing.record.pid, init) == 1)
            return -1;
        /* It has sent its error and ends, or will never get further (SIGSTOP): the next command
         * must see it stopped. */
        end_init (&existing, init);
        return -1;
    }
    if (running_hooks (config, &existing.record, err) < 0) {
        struct error second = {0};
        char words[ERROR_WORDS];
        if (destroy (globals->state_root, existing.directory, &existing.record, &second) < 0)
            log_warning ("could not delete container %s: %s", id,
                         error_format (&second, words, sizeof words));
        return -1;
    }
    return await_notified (globals, &existing, &notify, init, err);
}

/* Every process of the container; also where init is gone and its pid namespace is not its own. */
static bool is_for_all (const struct existing *existing, int signal, bool all)
{
    bool others = !existing->record.own_pid_namespace || existing->record.pid == 0;

    return existing->record.cgroup.count > 0 && (all || (signal == SIGKILL && others));
}

/* Of a damaged record what can be known of it; nothing says that it is stopped. */
static int open_to_kill (struct existing *existing, const struct lifecycle_globals *globals,
                         const char *id, struct error *err)
{
    if (existing_open (existing, globals, id, false, err) == 0)
        return 0;
    const struct error why = *err;
    if (!text_equal (why.code, "RT-STATE-DAMAGED"))
        return -1;
    *err = (struct error){0};
    if (unread_complete (existing, globals, id, &why, err) < 0)
        return -1;
    int frozen = cgroup_frozen (&existing->record.cgroup, err);
    existing->status = frozen == 1 ? OCI_STATUS_PAUSED : OCI_STATUS_RUNNING;
    return frozen < 0 ? -1 : 0;
}

/* Frozen meanwhile, as long as no other command that could freeze or thaw it is at work. What ends
 * rt has to wait until it is thawed again. */
static int signal_all (const struct existing *existing, int signal, struct error *err)
{
    bool alone = flock (existing->directory, LOCK_EX | LOCK_NB) == 0;

    if (alone && interrupt_hold (err) < 0)
        return -1;
    interrupt_defer (true);
    int result = cgroup_signal (&existing->record.cgroup, signal, alone, err);
    interrupt_defer (false);
    return result;
}

/* 0 sent, 1 it is gone, -1. */
static int send_signal (const struct record *record, int init, int signal, struct error *err)
{
    if (pidfd_signal (init, signal) == 0)
        return 0;
    return errno == ESRCH ? 1 : destroy_explain_signal (record, signal, err);
}

int lifecycle_kill (const struct lifecycle_globals *globals, const char *id, int signal, bool all,
                    struct error *err)
{
    AUTO_EXISTING struct existing existing = EXISTING_INIT;

    if (open_to_kill (&existing, globals, id, err) < 0)
        return -1;
    bool for_all = is_for_all (&existing, signal, all);
    if (existing.status == OCI_STATUS_STOPPED && !for_all)
        return existing_not_running (id, err);
    if (for_all)
        return signal == SIGKILL ? cgroup_kill (&existing.record.cgroup, err)
                                 : signal_all (&existing, signal, err);
    if (existing.record.pid == 0 && existing.status != OCI_STATUS_CREATING) {
        error_set (err, "RT-STATE-DAMAGED", 0,
                   "cannot tell the init of container %s: its record is damaged", id);
        return error_hint (err, "rt kill --all reaches all that is in its cgroup");
    }

    AUTO_FD int pidfd = pidfd_open_exact (existing.record.pid, existing.record.start_time);
    if (pidfd < 0)
        return errno == ESRCH
                   ? existing_not_running (id, err)
                   : error_set (err, "RT-KILL", errno, "cannot open the init of container %s", id);
    int gone = signal == SIGKILL ? destroy_kill (&existing.record, pidfd, err)
                                 : send_signal (&existing.record, pidfd, signal, err);
    if (gone != 0)
        return gone > 0 ? existing_not_running (id, err) : -1;
    /* Frozen by the v1 freezer it would die only after a resume (VRB-40). */
    if (signal == SIGKILL && existing.status == OCI_STATUS_PAUSED)
        return cgroup_let_die (&existing.record.cgroup, err);
    return 0;
}

static int no_cgroup (const char *id, const char *what, struct error *err)
{
    error_set (err, "RT-NO-CGROUP", 0, "cannot %s container %s: it has no cgroup", what, id);
    return error_hint (err, "rt had no right to make one, or was told not to");
}

int lifecycle_pause (const struct lifecycle_globals *globals, const char *id, struct error *err)
{
    AUTO_EXISTING struct existing existing = EXISTING_INIT;

    if (existing_open (&existing, globals, id, true, err) < 0)
        return -1;
    if (existing.status != OCI_STATUS_RUNNING && existing.status != OCI_STATUS_CREATED)
        return error_set (err, "RT-NOT-RUNNING", 0, "cannot pause: container not running: %s is %s",
                          id, oci_status_word (existing.status));
    if (existing.record.cgroup.count == 0)
        return no_cgroup (id, "pause", err);
    return cgroup_freeze (&existing.record.cgroup, true, err);
}

int lifecycle_resume (const struct lifecycle_globals *globals, const char *id, struct error *err)
{
    AUTO_EXISTING struct existing existing = EXISTING_INIT;

    if (existing_open (&existing, globals, id, true, err) < 0)
        return -1;
    if (!existing.frozen)
        return error_set (err, "RT-NOT-PAUSED", 0, "cannot resume: container not paused: %s is %s",
                          id, oci_status_word (existing.status));
    return cgroup_freeze (&existing.record.cgroup, false, err);
}

int lifecycle_processes (const struct lifecycle_globals *globals, const char *id,
                         struct arena *arena, struct lifecycle_processes *processes,
                         struct error *err)
{
    AUTO_EXISTING struct existing existing = EXISTING_INIT;

    if (existing_open (&existing, globals, id, false, err) < 0)
        return -1;
    if (existing.record.cgroup.count > 0)
        return cgroup_processes (arena, &existing.record.cgroup, &processes->pids,
                                 &processes->count, err);
    processes->pids = arena_array (arena, 1, sizeof (pid_t));
    processes->pids[0] = existing.record.pid;
    processes->count = existing.status == OCI_STATUS_STOPPED ? 0 : 1;
    return 0;
}

/* A create that died before its record was written has made nothing else, not even the copy of the
 * document. Any other record that is not there or not readable is completed. */
static int delete_unread (const struct lifecycle_globals *globals, const char *id,
                          struct existing *existing, bool force, struct error *err)
{
    const struct error why = *err;
    size_t length;

    if (text_equal (why.code, "RT-STATE-HALF")) {
        struct error failure = {0};
        AUTO_FREE char *config = record_read_config (existing->directory, &length, &failure);
        if (!config && text_equal (failure.code, "RT-STATE-HALF")) {
            *err = (struct error){0};
            return record_remove (globals->state_root, id, existing->directory, err);
        }
    }
    if (!force)
        return -1;
    *err = (struct error){0};
    if (unread_complete (existing, globals, id, &why, err) < 0)
        return -1;
    return destroy (globals->state_root, existing->directory, &existing->record, err);
}

int lifecycle_delete (const struct lifecycle_globals *globals, const char *id, bool force,
                      struct error *err)
{
    AUTO_EXISTING struct existing existing = EXISTING_INIT;

    if (existing_open (&existing, globals, id, true, err) < 0) {
        bool half = text_equal (err->code, "RT-STATE-HALF");
        bool damaged = text_equal (err->code, "RT-STATE-DAMAGED");
        if (existing.directory >= 0 && (half || (damaged && force)))
            return delete_unread (globals, id, &existing, force, err);
        if (!(force && text_equal (err->code, "RT-STATE-MISSING")))
            return -1;
        *err = (struct error){0};
        return 0;
    }
    switch (existing.status) {
    case OCI_STATUS_STOPPED:
    case OCI_STATUS_CREATED: /* killed first: engines give up containers that never started (VRB-22)
                              */
        break;
    case OCI_STATUS_CREATING:
    case OCI_STATUS_RUNNING:
    case OCI_STATUS_PAUSED:
        if (force)
            break;
        error_set (err, "RT-DELETE-STATE", 0, "cannot delete container %s: it is %s, not stopped",
                   id, oci_status_word (existing.status));
        return error_hint (err, "stop it, or use --force");
    }
    if (!force && destroy_check_hooks (existing.directory, &existing.record, err) < 0)
        return -1;
    return destroy (globals->state_root, existing.directory, &existing.record, err);
}
