/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: the half of an exec that happens outside, in the rt that was called. Reads top to bottom;
 * the other half is exec_inside.c, the rendezvous are drawn in exec.h.
 *
 * No lock is held: a delete may come at any time. It kills init first; the new process, which is in
 * the cgroup by then, is let go only if init is still there.
 */
#include "lifecycle/exec.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/trace.h"
#include "cgroup/systemd.h"
#include "container/affinity.h"
#include "container/apparmor.h"
#include "container/oom.h"
#include "container/rdt.h"
#include "container/rlimits.h"
#include "container/scheduler.h"
#include "container/selinux.h"
#include "kernel/clone.h"
#include "kernel/pidfd.h"
#include "kernel/procfd.h"
#include "lifecycle/channel.h"
#include "lifecycle/exec_process.h"
#include "lifecycle/foreground.h"
#include "lifecycle/given.h"
#include "lifecycle/meet.h"
#include "lifecycle/pidfd_socket.h"
#include "lifecycle/pidfile.h"
#include "lifecycle/ptmx.h"
#include "lifecycle/running.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void exec_init (struct exec *exec, const struct exec_request *request)
{
    *exec = (struct exec){
        .request = request,
        .container = EXISTING_INIT,
        .join = {.pidfd = -1},
        .root = -1,
        .line = -1,
        .console_socket = -1,
        .pidfd_socket = -1,
        .cgroup_v2 = -1,
        .pidfd = -1,
        .cloner = -1,
        .ptmx = -1,
        .listener = -1,
    };
    exec->arena = &exec->container.arena;
}

static void exec_release (struct exec *exec)
{
    drop_fd (&exec->line);
    drop_fd (&exec->console_socket);
    drop_fd (&exec->pidfd_socket);
    drop_fd (&exec->cgroup_v2);
    drop_fd (&exec->pidfd);
    drop_fd (&exec->cloner);
    drop_fd (&exec->ptmx);
    drop_fd (&exec->listener);
    drop_fd (&exec->root);
    join_release (&exec->join);
    cgroup_close_doors (&exec->doors);
    seccomp_program_release (&exec->seccomp);
    existing_release (&exec->container);
}

static int check_status (const struct exec *exec, struct error *err)
{
    const char *id = exec->request->id;

    switch (exec->container.status) {
    case OCI_STATUS_CREATED:
    case OCI_STATUS_RUNNING:
        return 0;
    case OCI_STATUS_STOPPED:
        return existing_not_running (id, err);
    case OCI_STATUS_PAUSED:
        if (exec->request->ignore_paused)
            return 0;
        error_set (err, "RT-EXEC-STATE", 0, "cannot exec in a paused container: %s", id);
        return error_hint (err, "resume it, or use --ignore-paused to wait for that");
    case OCI_STATUS_CREATING:
        break;
    }
    return error_set (err, "RT-EXEC-STATE", 0, "container not running: %s is being created", id);
}

/* The end of what needs nothing but to be read. */
static int exec_decide (struct exec *exec, struct error *err)
{
    const struct exec_request *request = exec->request;

    if (existing_open (&exec->container, request->globals, request->id, false, err) < 0 ||
        check_status (exec, err) < 0)
        return -1;
    exec->config = existing_config (&exec->container, err);
    if (!exec->config)
        return -1;
    exec->process = exec_process (exec->arena, exec->config->process, request);
    if (ptmx_check (exec->process->terminal, request->detach, request->console_socket, err) < 0 ||
        selinux_prepare (exec->process->selinux_label, err) < 0 ||
        apparmor_prepare (exec->process->apparmor_profile, err) < 0 ||
        seccomp_check (exec->config->linux.seccomp, exec->process->no_new_privileges.value, err) <
            0)
        return -1;
    return cgroup_below (exec->arena, &exec->container.record.cgroup,
                         (const char *const *)request->cgroups.items, request->cgroups.count,
                         &exec->cgroup, err);
}

static int open_cgroup (struct exec *exec, struct error *err)
{
    if (cgroup_open_doors (&exec->cgroup, &exec->doors, err) < 0)
        return -1;
    exec->cgroup_v2 = cgroup_open_v2 (&exec->cgroup);
    if (exec->cgroup_v2 >= 0 || errno != ENOENT || !cgroup_path_v2 (&exec->cgroup))
        return 0;
    cgroup_close_doors (&exec->doors);
    return error_set (err, "RT-CGROUP-JOIN", ENOENT, "join cgroup '%s'",
                      cgroup_path_v2 (&exec->cgroup));
}

/* A place that was asked for is taken, or none. */
static int use_cgroup_of_init (struct exec *exec, struct error *err)
{
    const struct record *record = &exec->container.record;

    return cgroup_of_process (exec->arena, &record->cgroup, record->pid, &exec->cgroup, err);
}

static int prepare_verify (struct exec *exec, struct error *err)
{
    if (verify_init (&exec->verify, exec->arena, true, err) < 0)
        return -1;
    verify_document (&exec->verify, exec->config, exec->process,
                     exec->config->linux.seccomp ? 1 : 0);
    exec->verify.cgroup = &exec->cgroup;
    return 0;
}

/* Init's namespaces now are those that the new process must have. Read while that one is on its
 * way: a difference is an error whichever of the two came first. */
static int look_at_init (struct exec *exec, struct error *err)
{
    const struct record *record = &exec->container.record;

    if (verify_joined (&exec->verify, exec->config, record, exec->join.pidfd, exec->root, err) == 0)
        return 0;
    return pidfd_is_ending (record->pid, exec->join.pidfd) == 1
               ? existing_not_running (exec->request->id, err)
               : -1;
}

/* The init of a `run` is not dumpable before it executes, so only root may look at it then. `run`
 * holds the lock of the container until that is over. One that has executed is waited for no more:
 * the user may not read its program, and that stays; and what holds the lock may be a start whose
 * hook has called this. */
static int await_program (const struct exec *exec, struct error *err)
{
    const struct record *record = &exec->container.record;
    const int directory = exec->container.directory;
    AUTO_FD int init = pidfd_open_exact (record->pid, record->start_time);

    if (init < 0 || pidfd_has_executed (record->pid, init) != 0)
        return 0;
    if (record_lock_again (directory, exec->request->id, err) < 0)
        return -1;
    (void)flock (directory, LOCK_UN);
    return 0;
}

static int prepare_join (struct exec *exec, struct error *err)
{
    const struct record *record = &exec->container.record;
    const char *id = exec->request->id;
    int failed = join_prepare (&exec->join, record->pid, record->start_time, id, err);

    if (!failed || err->errnum != EACCES)
        return failed;
    return await_program (exec, err) < 0
               ? -1
               : join_prepare (&exec->join, record->pid, record->start_time, id, err);
}

static int exec_prepare (struct exec *exec, struct error *err)
{
    const struct exec_request *request = exec->request;
    const struct oci_seccomp *seccomp = exec->config->linux.seccomp;

    if (prepare_join (exec, err) < 0)
        return -1;
    if (!oci_config_own_mounts (exec->config) &&
        join_open_root (&exec->join, request->id, &exec->root, err) < 0)
        return -1;
    if (seccomp && seccomp_prepare (seccomp, &exec->seccomp, err) < 0)
        return -1;
    if (prepare_verify (exec, err) < 0 ||
        ptmx_connect (request->console_socket, &exec->console_socket, err) < 0 ||
        pidfd_socket_connect (request->pidfd_socket, "--pidfd-socket", &exec->pidfd_socket, err) <
            0)
        return -1;
    if (open_cgroup (exec, err) == 0)
        return 0;
    /* Its directory is gone, which only init and what moved it can explain (EXE-23). */
    if (err->errnum != ENOENT || request->cgroups.count > 0)
        return -1;
    *err = (struct error){0};
    return use_cgroup_of_init (exec, err) < 0 || open_cgroup (exec, err) < 0 ? -1 : 0;
}

static int clone_failed (int errnum, struct error *err)
{
    error_set (err, "RT-CLONE", errnum, "cannot make a process in the container");
    if (errnum == EAGAIN)
        return error_hint (err, "it has as many processes as its pids limit allows");
    if (errnum == ENOMEM)
        return error_hint (err, "the init of its pid namespace has died");
    return -1;
}

static int exec_clone (struct exec *exec, struct error *err)
{
    struct clone_request request = {.cgroup = exec->cgroup_v2};
    const char *initial = exec->process->affinity_initial;
    int pair[2];

    if (affinity_apply (initial, err) < 0)
        return error_at (err, "/process/execCPUAffinity/initial");
    /* The child is born so, too: what shares a pid namespace with rt must not look into it
     * (CVE-2016-9962). Without root the child does that itself, when the parent need not look into
     * it any more. */
    if (geteuid () == 0)
        (void)prctl (PR_SET_DUMPABLE, 0);
    if (channel_make (pair, err) < 0)
        return -1;
    pid_t pid = clone_child (&request, &exec->pidfd, &exec->in_cgroup);
    if (pid == 0) {
        (void)close (pair[0]);
        exec->line = pair[1];
        exec->in_cgroup |= !cgroup_path_v2 (&exec->cgroup);
        exec_inside (exec);
    }
    int saved = errno;
    (void)close (pair[1]);
    exec->line = pair[0];
    exec->in_cgroup |= !cgroup_path_v2 (&exec->cgroup);
    cgroup_close_doors (&exec->doors);
    exec->pid = pid;
    channel_words_of (pid);
    return pid < 0 ? clone_failed (saved, err) : 0;
}

/* A v2 cgroup that has controllers for cgroups below it takes no process any more; where init went
 * then, the child goes too (EXE-22). */
static int join_cgroup_v2 (struct exec *exec, struct error *err)
{
    const struct record *record = &exec->container.record;

    if (systemd_join (record->systemd_bus, record->systemd_unit, &exec->cgroup, exec->pid, err) ==
        0)
        return 0;
    if ((err->errnum != EBUSY && err->errnum != EOPNOTSUPP) || exec->request->cgroups.count > 0)
        return -1;
    *err = (struct error){0};
    return use_cgroup_of_init (exec, err) < 0
               ? -1
               : systemd_join (record->systemd_bus, record->systemd_unit, &exec->cgroup, exec->pid,
                               err);
}

/* Its file of /proc is the parent's to write as long as the child has not changed its ids; the root
 * of rt's user namespace may always write it, but the child must not have ended. */
bool exec_awaits_grant (const struct exec *exec)
{
    return !exec->in_cgroup || exec->process->oom_score_adj.present;
}

/* What only the outside may do for the child before it changes its ids. */
static int exec_grant (struct exec *exec, struct error *err)
{
    if (!exec->in_cgroup && join_cgroup_v2 (exec, err) < 0)
        return -1;
    if (oom_grant (exec->pid, &exec->process->oom_score_adj, err) < 0)
        return -1;
    return exec_awaits_grant (exec) ? channel_send (exec->line, CHANNEL_GRANTED, NULL, 0, -1, err)
                                    : 0;
}

static int answer_ready (void *of, struct error *err)
{
    struct exec *exec = of;

    return rlimits_grant (exec->pid, exec->process, err) < 0
               ? -1
               : channel_send (exec->line, CHANNEL_RELEASE, NULL, 0, -1, err);
}

static struct meet meet_of (struct exec *exec)
{
    return (struct meet){.who = "the process",
                         .line = exec->line,
                         .birth = true,
                         .pid = &exec->pid,
                         .pidfd = &exec->pidfd,
                         .cloner = &exec->cloner,
                         .console_socket = &exec->console_socket,
                         .ptmx = &exec->ptmx,
                         .listener = &exec->listener,
                         .ready = answer_ready,
                         .context = exec};
}

/* A child that has failed early is not there to be granted anything. */
static int grant (struct exec *exec, struct error *err)
{
    const struct meet meet = meet_of (exec);

    return exec_grant (exec, err) < 0 ? meet_explain_look (&meet, err) : 0;
}

/* A process belongs to the class of service of its parent, which is rt. */
static int join_rdt (struct exec *exec, struct error *err)
{
    const struct oci_intel_rdt *asked = exec->config->linux.intel_rdt;
    struct rdt rdt;

    if (!asked)
        return 0;
    rdt_plan (asked, exec->request->id, RDT_MOUNT, exec->arena, &rdt);
    return rdt_join (&rdt, exec->pid, err);
}

/* The new process waits for the parent's word. */
static int exec_commit (struct exec *exec, const struct meet *meet, struct error *err)
{
    const struct running running = {.config = exec->config,
                                    .record = &exec->container.record,
                                    .pid = exec->pid,
                                    .status = OCI_STATUS_RUNNING};

    if (!join_is_alive (&exec->join))
        return existing_not_running (exec->request->id, err);
    if (scheduler_grant (exec->pid, exec->process->scheduler, err) < 0 || join_rdt (exec, err) < 0)
        return -1;
    if (pidfd_socket_send (&exec->pidfd_socket, PIDFD_WORD_EXEC, exec->pidfd, err) < 0)
        return -1;
    if (running_listener (&running, &exec->listener, err) < 0)
        return -1;
    if (meet_verify (meet, &exec->verify, err) < 0)
        return -1;
    /* It would count as one of the container's processes. */
    meet_reap_cloner (&exec->cloner);
    return 0;
}

static int exec_let_go (struct exec *exec, struct error *err)
{
    const struct meet meet = meet_of (exec);

    trace_phase ("await the process");
    if (meet_until (&meet, CHANNEL_EXEC, err) < 0 || exec_commit (exec, &meet, err) < 0)
        return -1;
    trace_phase ("exec");
    if (meet_go (&meet, err) < 0)
        return -1;
    if (meet_executed (&meet, err) != 0 ||
        verify_executed (&exec->verify, exec->pid, exec->pidfd, err) < 0)
        return -1;
    /* Only now: an engine takes its absence for the sign that nothing was executed (ENG-10). */
    return exec->request->pid_file ? pidfile_write (exec->request->pid_file, exec->pid, err) : 0;
}

static void bury (int pidfd, pid_t pid)
{
    if (pidfd < 0)
        return;
    (void)pidfd_signal (pidfd, SIGKILL);
    /* A process that may trace it could keep it from being reaped: then it is left to what reaps
     * after rt. */
    if (pidfd_wait_dead (pidfd, patience_ms ()) != 1)
        log_warning ("process %d is not dead %g s after SIGKILL", (int)pid, patience_seconds ());
    (void)waitid (P_PIDFD, (id_t)pidfd, NULL, WEXITED | WNOHANG);
}

static void exec_undo (struct exec *exec)
{
    drop_fd (&exec->line);
    bool heard = exec->cloner >= 0;
    bury (exec->cloner, exec->pid);
    bury (exec->pidfd, exec->pid);
    if (!heard)
        meet_kill_unheard (&exec->before);
}

/* Whatever went wrong while init died went wrong for that reason. */
static int explain_failure (const struct exec *exec, struct error *err)
{
    if (exec->join.pidfd < 0 || !join_is_leaving (&exec->join))
        return -1;
    log_debug ("%s", err->text);
    *err = (struct error){0};
    return existing_not_running (exec->request->id, err);
}

static int exec_until_running (struct exec *exec, struct error *err)
{
    const struct exec_request *request = exec->request;
    const char *const places[] = {request->pid_file, request->console_socket,
                                  request->pidfd_socket};

    if (given_ask_places (places, sizeof places / sizeof places[0], err) < 0)
        return -1;
    given_end ();
    trace_phase ("decide");
    if (exec_decide (exec, err) < 0)
        return -1;
    if (exec_prepare (exec, err) < 0)
        return explain_failure (exec, err);
    if ((!exec->request->detach && foreground_prepare (true, err) < 0) || interrupt_hold (err) < 0)
        return -1;
    descendants_before (exec->arena, &exec->before);
    trace_phase ("clone");
    log_debug ("exec in container %s, beside its init, process %d", exec->request->id,
               (int)exec->container.record.pid);
    if (exec_clone (exec, err) == 0 && grant (exec, err) == 0 && look_at_init (exec, err) == 0 &&
        exec_let_go (exec, err) == 0) {
        log_debug ("\"%s\" runs as process %d", exec->process->args.items[0], (int)exec->pid);
        return 0;
    }
    const struct meet meet = meet_of (exec);
    (void)meet_explain_lost (&meet, err);
    exec_undo (exec);
    return explain_failure (exec, err);
}

int lifecycle_exec (const struct exec_request *request, int *status, struct error *err)
{
    static const struct notify nothing = NOTIFY_INIT;
    struct exec exec;
    int ended = 0;

    exec_init (&exec, request);
    int failed = exec_until_running (&exec, err);
    trace_phase ("foreground");
    if (!failed && !request->detach) {
        failed = foreground_wait (exec.pid, exec.pidfd, exec.ptmx, &nothing, &ended, err);
        if (failed) /* nothing carries its streams and waits for it any more */
            bury (exec.pidfd, exec.pid);
        if (failed && request->pid_file)
            pidfile_remove (request->pid_file);
    }
    exec_release (&exec);
    if (!failed)
        *status = ended;
    return failed;
}
