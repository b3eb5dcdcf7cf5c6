/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: the half of an exec that happens outside, in the rt that was called. Reads top to bottom;
 * the other half is exec_inside.c, the rendezvous are drawn in exec.h.
 *
 * No lock is held: a delete may come at any time. It kills init first, so that X, which is in the
 * cgroup when it is ready, asks then whether init is still there.
 */
#include "lifecycle/exec.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/trace.h"
#include "cgroup/systemd.h"
#include "container/affinity.h"
#include "container/apparmor.h"
#include "container/oom.h"
#include "container/rdt.h"
#include "container/rlimits.h"
#include "container/selinux.h"
#include "kernel/clone.h"
#include "kernel/pidfd.h"
#include "kernel/procfd.h"
#include "lifecycle/channel.h"
#include "lifecycle/exec_process.h"
#include "lifecycle/foreground.h"
#include "lifecycle/meet.h"
#include "lifecycle/pidfd_socket.h"
#include "lifecycle/pidfile.h"
#include "lifecycle/ptmx.h"
#include "lifecycle/running.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
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
        .ptmx = -1,
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
    drop_fd (&exec->ptmx);
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

/* Who asked for a place gets that one or none. */
static int use_cgroup_of_init (struct exec *exec, struct error *err)
{
    const struct record *record = &exec->container.record;

    return cgroup_of_process (exec->arena, &record->cgroup, record->pid, &exec->cgroup, err);
}

static int exec_prepare (struct exec *exec, struct error *err)
{
    const struct exec_request *request = exec->request;
    const struct record *record = &exec->container.record;
    const struct oci_seccomp *seccomp = exec->config->linux.seccomp;

    if (join_prepare (&exec->join, record->pid, record->start_time, request->id, err) < 0)
        return -1;
    if (!oci_config_own_mounts (exec->config) &&
        join_open_root (&exec->join, request->id, &exec->root, err) < 0)
        return -1;
    if (seccomp && seccomp_prepare (seccomp, &exec->seccomp, err) < 0)
        return -1;
    if (ptmx_connect (request->console_socket, &exec->console_socket, err) < 0 ||
        pidfd_socket_connect (request->pidfd_socket, "--pidfd-socket", &exec->pidfd_socket, err) <
            0)
        return -1;
    if (open_cgroup (exec, err) == 0)
        return 0;
    /* Its directory is gone, which only init and who moved it can explain (EXE-23). */
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
    AUTO_FD int own = -1;
    int pair[2];

    if (affinity_apply (initial, err) < 0)
        return error_at (err, "/process/execCPUAffinity/initial");
    /* Whoever shares a pid namespace with X must not look into it (CVE-2016-9962): it is born so.
     * Without root X does that itself, when E need not look into it any more. */
    if (geteuid () == 0)
        (void)prctl (PR_SET_DUMPABLE, 0);
    if (fd_socketpair (SOCK_SEQPACKET, pair, err) < 0)
        return -1;
    int may = join_enter_pid (&exec->join, &own, err);
    exec->first_leg = may == 0;
    pid_t pid = may < 0 ? -1 : clone_child (&request, &exec->pidfd, &exec->in_cgroup);
    if (pid == 0) {
        (void)close (pair[0]);
        drop_fd (&own);
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
    if (may < 0)
        return -1;
    /* Also after a failure: whatever E starts from now on belongs into its own namespace. */
    int left = join_leave_pid (own, err);
    return pid < 0 ? clone_failed (saved, err) : left;
}

/* A v2 cgroup that has controllers for cgroups below it takes no process any more; where init went
 * then, X goes too (EXE-22). */
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

bool exec_awaits_grant (const struct exec *exec)
{
    bool may_vanish = exec->first_leg || geteuid () != 0;

    return !exec->in_cgroup || (may_vanish && exec->process->oom_score_adj.present);
}

/* What only the outside may do for X before it changes its ids. */
static int exec_grant (struct exec *exec, struct error *err)
{
    if (!exec->in_cgroup && join_cgroup_v2 (exec, err) < 0)
        return -1;
    if (oom_grant (exec->pid, &exec->process->oom_score_adj, err) < 0)
        return -1;
    return exec_awaits_grant (exec) ? channel_send (exec->line, CHANNEL_GRANTED, NULL, 0, -1, err)
                                    : 0;
}

static int exec_meet (struct exec *exec, struct error *err)
{
    trace_phase ("await the process");
    const struct meet meet = {.who = "the process",
                              .line = exec->line,
                              .pid = &exec->pid,
                              .pidfd = &exec->pidfd,
                              .console_socket = &exec->console_socket,
                              .ptmx = &exec->ptmx};

    if (exec->first_leg && (meet_child (&meet, err) < 0 ||
                            channel_send (exec->line, CHANNEL_GRANTED, NULL, 0, -1, err) < 0))
        return -1;
    return meet_until_ready (&meet, err);
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

/* X is ready, and waits for what only the outside may do for it. */
static int exec_commit (struct exec *exec, struct error *err)
{
    if (!join_is_alive (&exec->join))
        return existing_not_running (exec->request->id, err);
    if (rlimits_grant (exec->pid, exec->process, err) < 0 || join_rdt (exec, err) < 0)
        return -1;
    if (pidfd_socket_send (&exec->pidfd_socket, PIDFD_WORD_EXEC, exec->pidfd, err) < 0)
        return -1;

    const struct running running = {.config = exec->config,
                                    .record = &exec->container.record,
                                    .pid = exec->pid,
                                    .status = OCI_STATUS_RUNNING};
    trace_phase ("exec");
    if (channel_send (exec->line, CHANNEL_RELEASE, NULL, 0, -1, err) < 0 ||
        running_await (exec->line, &running, err) < 0)
        return -1;
    /* Only now: an engine takes its absence for the sign that nothing was executed (ENG-10). */
    return exec->request->pid_file ? pidfile_write (exec->request->pid_file, exec->pid, err) : 0;
}

/* Who traces X, if anybody may, could keep it from being reaped: then it is left to who reaps after
 * rt. */
static void exec_undo (struct exec *exec)
{
    if (exec->pidfd < 0)
        return;
    (void)pidfd_signal (exec->pidfd, SIGKILL);
    if (pidfd_wait_dead (exec->pidfd, patience_ms ()) != 1)
        log_warning ("process %d is not dead %g s after SIGKILL", (int)exec->pid,
                     patience_seconds ());
    (void)waitid (P_PIDFD, (id_t)exec->pidfd, NULL, WEXITED | WNOHANG);
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
    trace_phase ("decide");
    if (exec_decide (exec, err) < 0)
        return -1;
    if (exec_prepare (exec, err) < 0)
        return explain_failure (exec, err);
    if (!exec->request->detach && foreground_prepare (true, err) < 0)
        return -1;
    trace_phase ("clone");
    if (exec_clone (exec, err) == 0 && exec_grant (exec, err) == 0 && exec_meet (exec, err) == 0 &&
        exec_commit (exec, err) == 0)
        return 0;
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
    if (!failed && !request->detach)
        failed = foreground_wait (exec.pid, exec.pidfd, exec.ptmx, &nothing, &ended, err);
    exec_release (&exec);
    if (!failed)
        *status = ended;
    return failed;
}
