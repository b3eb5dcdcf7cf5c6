/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start: the half of a start that happens outside, in the rt that was called. Reads top to bottom;
 * the other half is inside.c, the rendezvous are drawn in channel.h.
 */
#include "lifecycle/start.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "base/trace.h"
#include "container/apparmor.h"
#include "container/hooks.h"
#include "container/idmap.h"
#include "container/rlimits.h"
#include "container/scheduler.h"
#include "container/selinux.h"
#include "kernel/clone.h"
#include "kernel/ns.h"
#include "kernel/pidfd.h"
#include "kernel/procfd.h"
#include "lifecycle/channel.h"
#include "lifecycle/destroy.h"
#include "lifecycle/given.h"
#include "lifecycle/grant.h"
#include "lifecycle/meet.h"
#include "lifecycle/notify.h"
#include "lifecycle/pidfd_socket.h"
#include "lifecycle/pidfile.h"
#include "lifecycle/process_entry.h"
#include "lifecycle/ptmx.h"
#include "lifecycle/running.h"
#include "oci-spec/annotations.h"
#include "state/gate.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

const char *start_state_text (const struct start *start, enum oci_status status, pid_t pid)
{
    AUTO_TEXT struct text text = {0};
    const struct oci_state state = {
        .id = start->request->id,
        .status = status,
        .pid = pid,
        .bundle = start->request->bundle,
        .annotations = &start->config->annotations,
    };

    oci_state_write (&text, &state, false);
    return arena_string (start->arena, text_string (&text));
}

void start_init (struct start *start, const struct create_request *request, struct arena *arena,
                 bool gated)
{
    *start = (struct start){
        .request = request,
        .config = request->config,
        .arena = arena,
        .gated = gated,
        .rootfs = {.tree = MOUNTFD_INIT},
        .net_devices = NETDEVS_INIT,
        .hooks_output = HOOKS_OUTPUT_INIT,
        .unit = SYSTEMD_UNIT_NONE,
        .directory = -1,
        .gate = -1,
        .line = -1,
        .console_socket = -1,
        .pidfd_socket = -1,
        .pidfd_receiver = -1,
        .ptmx = -1,
        .pidfd = -1,
        .cloner = -1,
        .listener = -1,
        .notify = -1,
    };
}

/* What the container is made with, and the way back needs no more. */
static void release_tools (struct start *start)
{
    drop_fd (&start->gate);
    drop_fd (&start->line);
    drop_fd (&start->console_socket);
    drop_fd (&start->pidfd_socket);
    drop_fd (&start->pidfd_receiver);
    drop_fd (&start->ptmx);
    drop_fd (&start->listener);
    drop_fd (&start->notify);
    hooks_output_close (&start->hooks_output);
    namespaces_release (&start->namespaces);
    rootfs_release (&start->rootfs);
    if (start->mounts.config)
        mounts_release (&start->mounts);
    seccomp_program_release (&start->seccomp);
    cgroup_close_doors (&start->doors);
}

void start_release (struct start *start)
{
    release_tools (start);
    netdev_release (&start->net_devices);
    systemd_release (&start->unit);
    drop_fd (&start->pidfd);
    drop_fd (&start->cloner);
    drop_fd (&start->directory);
}

/* The sockets that get a descriptor of what is made; and the pid file's place answers, too. */
int start_connect (struct start *start, struct error *err)
{
    const struct create_request *request = start->request;
    const char *receiver = oci_annotation (start->config, OCI_ANNOTATION_PIDFD_RECEIVER);
    const char *const places[] = {request->pid_file, request->console_socket, request->pidfd_socket,
                                  receiver};

    if (given_ask_places (places, sizeof places / sizeof places[0], err) < 0)
        return -1;
    if (ptmx_connect (request->console_socket, &start->console_socket, err) < 0 ||
        pidfd_socket_connect (request->pidfd_socket, "--pidfd-socket", &start->pidfd_socket, err) <
            0)
        return -1;
    if (pidfd_socket_connect (receiver, OCI_ANNOTATION_PIDFD_RECEIVER, &start->pidfd_receiver,
                              err) < 0)
        return error_at (err, "/annotations/" OCI_ANNOTATION_PIDFD_RECEIVER);
    return 0;
}

/* Where it must be entered first of all, what the child starts would be seen in it. */
static int prepare_pid_namespace (struct start *start, struct error *err)
{
    if (!start->plan.birth || !start->plan.userns)
        return 0;
    if (namespaces_prepare_pid (&start->namespaces, err) < 0)
        return -1;
    if (!start->namespaces.pid_first || start->config->hooks[OCI_HOOK_CREATE_CONTAINER].count == 0)
        return 0;
    error_set (err, "RT-HOOK-SEEN", 0,
               "createContainer hooks cannot run here: processes of the joined pid namespace could "
               "trace them, as it is not owned by the container's user namespace");
    return error_at (err, "/hooks/createContainer");
}

/* Opens what has to be open before the clone. Still nothing to undo but descriptors. */
static int start_prepare (struct start *start, struct error *err)
{
    const struct create_request *request = start->request;

    start->rootfs.own_mounts = start->plan.make & CLONE_NEWNS;
    start->rootfs.joined = start->plan.join & CLONE_NEWNS;
    if (rootfs_prepare (&start->rootfs, start->record.rootfs, err) < 0 ||
        namespaces_prepare (&start->config->linux, &start->namespaces, err) < 0 ||
        prepare_pid_namespace (start, err) < 0 ||
        netdev_prepare (&start->config->linux, start->arena, &start->net_devices, err) < 0 ||
        hooks_output_open (start->config, &start->hooks_output, err) < 0)
        return -1;
    if (verify_init (&start->verify, start->arena, true, err) < 0 ||
        verify_made (&start->verify, start->config, &start->namespaces, &start->rootfs, err) < 0)
        return -1;
    verify_document (&start->verify, start->config, start->config->process,
                     start->config->linux.seccomp ? 1 : 0);
    start->verify.cgroup = &start->record.cgroup;
    start->mounts = (struct mounts){
        .config = start->config,
        .bundle = request->bundle,
        .rootfs_path = start->record.rootfs,
        .cgroup = &start->record.cgroup,
        .propagation = rootfs_propagation_to_host (start->config->linux.rootfs_propagation),
        .pid_ns = namespaces_fd (&start->namespaces, CLONE_NEWPID),
        .userns = start->plan.userns || process_in_user_namespace () == 1,
    };
    if (request->globals->cgroup_driver == CGROUP_DRIVER_DISABLED &&
        mounts_show_cgroups (start->config) &&
        cgroup_of_caller (start->arena, &start->mounts.callers_cgroup, err) < 0)
        return -1;
    if (mounts_prepare (&start->mounts, start->arena, err) < 0)
        return -1;
    return start_connect (start, err);
}

/* From the first line on, a crash at any moment can be cleaned up by delete. */
int start_claim (struct start *start, struct error *err)
{
    given_end ();
    if (interrupt_hold (err) < 0)
        return -1;
    start->directory = record_claim (start->request->globals->state_root, start->request->id, err);
    if (start->directory < 0)
        return -1;
    start->claimed = true;
    if (record_write (start->directory, &start->record, err) < 0 ||
        record_write_config (start->directory, start->config->text, start->config->text_length,
                             err) < 0)
        return -1;
    if (!start->gated)
        return 0;
    start->gate = gate_make (start->directory, err);
    return start->gate < 0 ? -1 : 0;
}

/* The scope, and where it is: the record has to say that before anything is made in it. */
static int start_unit (struct start *start, struct error *err)
{
    struct cgroup_request cgroup = start_cgroup_request (start);

    if (!start->unit.name)
        return 0;
    if (systemd_start (start->arena, &start->unit, &cgroup, &start->record.cgroup, err) == 0)
        return record_write (start->directory, &start->record, err);
    start->record.systemd_unit = NULL;
    return -1;
}

/* The directories of cgroupfs and resctrl. What could not be made has undone itself, and what is
 * there was not made by this start. */
int start_place (struct start *start, struct error *err)
{
    struct cgroup_request cgroup = start_cgroup_request (start);

    if (start_unit (start, err) < 0) {
        start->record.intel_rdt = NULL;
        return -1;
    }
    if (cgroup_place (&start->record.cgroup, &cgroup, err) < 0) {
        start->record.cgroup.count = 0;
        start->record.intel_rdt = NULL;
        return -1;
    }
    if (start->record.cgroup.count == 0 && !start->record.own_pid_namespace)
        log_warning ("without a cgroup and a pid namespace of its own, kill and delete reach only "
                     "the container's first process");
    if (start->rdt.config && rdt_make (&start->rdt, err) < 0) {
        start->record.intel_rdt = NULL;
        return -1;
    }
    return 0;
}

/* A limit of no tasks that is there already keeps the child out too, if it is to be born inside;
 * one that is moved in is not counted. */
static bool is_shut_out (const struct start *start)
{
    const struct oci_resources *resources = start->config->linux.resources;

    return cgroup_limits_first (&start->record.cgroup) && resources &&
           resources->pids_limit.present && resources->pids_limit.value == 0;
}

/* The cgroup, and C in it. */
static int start_clone (struct start *start, bool *in_cgroup, struct error *err)
{
    int pair[2];

    trace_phase ("cgroup");
    if (start_place (start, err) < 0)
        return -1;
    if (cgroup_limits_first (&start->record.cgroup) && start_limit (start, err) < 0)
        return -1;
    if (cgroup_open_doors (&start->record.cgroup, &start->doors, err) < 0)
        return -1;
    AUTO_FD int cgroup_fd = is_shut_out (start) ? -1 : cgroup_open_v2 (&start->record.cgroup);
    if (channel_make (pair, err) < 0)
        return -1;

    struct clone_request request = {.flags = start->plan.intermediate ? 0 : start->plan.make,
                                    .cgroup = cgroup_fd};
    trace_phase ("clone");
    pid_t pid = clone_child (&request, &start->pidfd, in_cgroup);
    if (pid == 0) {
        (void)close (pair[0]);
        drop_fd (&cgroup_fd);
        start->line = pair[1];
        inside (start, *in_cgroup);
    }
    int saved = errno;
    (void)close (pair[1]);
    start->line = pair[0];
    drop_fd (&start->gate);
    cgroup_close_doors (&start->doors);
    if (pid < 0)
        return ns_explain (start->plan.make, saved, err);
    start->record.pid = pid;
    /* What is in the joined pid namespace already may take the place of the process proper. */
    if (start->plan.birth)
        channel_words_of (pid);
    log_debug ("the child is process %d", (int)pid);
    return 0;
}

int start_run_hooks (struct start *start, struct error *err)
{
    const struct oci_hooks *hooks = start->config->hooks;
    const struct hooks_context context = {
        .state = start_state_text (start, OCI_STATUS_CREATING, start->record.pid),
        .cwd = start->request->bundle,
        .default_timeout_ms = patience_asked_ms (),
        .output = &start->hooks_output,
    };

    return hooks_run (&hooks[OCI_HOOK_PRESTART], OCI_HOOK_PRESTART, &context, err) < 0
               ? -1
               : hooks_run (&hooks[OCI_HOOK_CREATE_RUNTIME], OCI_HOOK_CREATE_RUNTIME, &context,
                            err);
}

static int answer_mounted (void *of, struct error *err)
{
    struct start *start = of;

    hooks_allow (&start->config->hooks[OCI_HOOK_CREATE_CONTAINER]);
    return start_run_hooks (start, err) < 0
               ? -1
               : channel_send (start->line, CHANNEL_HOOKED, NULL, 0, -1, err);
}

static int answer_ready (void *of, struct error *err)
{
    struct start *start = of;

    return rlimits_grant (start->record.pid, start->config->process, err) < 0
               ? -1
               : channel_send (start->line, CHANNEL_RELEASE, NULL, 0, -1, err);
}

static struct meet meet_of (struct start *start)
{
    return (struct meet){.who = "the container's init",
                         .line = start->line,
                         .birth = start->plan.birth,
                         .pid = &start->record.pid,
                         .pidfd = &start->pidfd,
                         .cloner = &start->cloner,
                         .console_socket = &start->console_socket,
                         .ptmx = &start->ptmx,
                         .listener = &start->listener,
                         .notify = &start->notify,
                         .mounted = answer_mounted,
                         .ready = answer_ready,
                         .context = start};
}

/* Where what is joined comes before what is made, the child says when it has done both. */
static int start_meet_child (struct start *start, struct error *err)
{
    const struct meet meet = meet_of (start);

    trace_phase ("grant");
    return start->plan.intermediate ? meet_child (&meet, err) : 0;
}

/* Hooks of the container's own come before EXEC, and may take their time: what concerns the parent
 * is done before them. */
static bool is_gated (const struct start *start)
{
    return start->gated || start->config->hooks[OCI_HOOK_START_CONTAINER].count > 0;
}

static int start_meet (struct start *start, struct error *err)
{
    const struct meet meet = meet_of (start);

    trace_phase ("await the container");
    return meet_until (&meet, is_gated (start) ? CHANNEL_GATED : CHANNEL_EXEC, err);
}

/* One more level, which the child's cgroup namespace, made before, shows as what it is. */
static int start_descend (struct start *start, struct error *err)
{
    const char *name = oci_annotation (start->config, OCI_ANNOTATION_DELEGATE_CGROUP);
    struct oci_map below;
    uid_t owner;

    if (!name || !*name)
        return 0;
    if (cgroup_below (start->arena, &start->record.cgroup, &name, 1, &below, err) < 0 ||
        cgroup_descend (&below, start->record.pid, err) < 0)
        return error_at (err, "/annotations/" OCI_ANNOTATION_DELEGATE_CGROUP);
    return plan_delegation (start->config, &owner) ? cgroup_delegate (&below, owner, err) : 0;
}

void start_note_root (struct start *start, const struct procdir_root *root)
{
    start->record.root_device = root->device;
    start->record.root_inode = root->inode;
    start->record.root_mount = root->mount;
}

/* Nothing of the container runs: init's root is still that of its mount namespace. */
static int look_at_root (struct start *start, struct error *err)
{
    const struct meet meet = meet_of (start);
    struct procdir_root root;

    if (!oci_config_own_mounts (start->config))
        return 0;
    if (verify_look_root (start->record.pid, start->pidfd, &root, err) < 0)
        return meet_explain_look (&meet, err);
    start_note_root (start, &root);
    return 0;
}

int start_publish (struct start *start, struct error *err)
{
    if (start->request->pid_file) {
        if (pidfile_write (start->request->pid_file, start->record.pid, err) < 0)
            return -1;
        start->wrote_pid_file = true;
    }
    if (pidfd_socket_send (&start->pidfd_socket, PIDFD_WORD_INIT, start->pidfd, err) < 0 ||
        pidfd_socket_send (&start->pidfd_receiver, PIDFD_WORD_INIT, start->pidfd, err) < 0)
        return -1;
    start->record.phase = RECORD_CREATED;
    return record_write (start->directory, &start->record, err);
}

/* With a process proper it is another one than was cloned. */
static int note_process (struct start *start, struct error *err)
{
    if (!start->plan.birth)
        return 0;
    if (pidfd_start_time (start->record.pid, &start->record.start_time, NULL) < 0)
        return error_set (err, "RT-CLONE", errno, "the container's init died at birth");
    if (start->rdt.config && rdt_grant (&start->rdt, start->record.pid, err) < 0)
        return -1;
    return scheduler_grant (start->record.pid, start->config->process->scheduler, err);
}

/* The caller of create finds a child with nothing but the gate. One that is killed now has been
 * created, too. */
static int await_gate (const struct start *start, struct error *err)
{
    struct channel_message message;

    if (!start->gated)
        return 0;
    return channel_expect (start->line, start->record.pid, CHANNEL_CLOSED, &message, err);
}

/* The child waits for the parent's word, with the rights of the document: the container becomes
 * `created`, for all to see. */
static int start_commit (struct start *start, struct error *err)
{
    const struct running running = {.config = start->config,
                                    .record = &start->record,
                                    .pid = start->record.pid,
                                    .status = OCI_STATUS_CREATING};
    const struct meet meet = meet_of (start);

    trace_phase ("commit");
    if (note_process (start, err) < 0 ||
        systemd_settle (&start->unit, &start->record.cgroup, start->config->linux.resources, err) <
            0 ||
        start_descend (start, err) < 0 || running_listener (&running, &start->listener, err) < 0 ||
        meet_verify (&meet, &start->verify, err) < 0)
        return -1;
    /* It would count as one of the container's processes. */
    meet_reap_cloner (&start->cloner);
    if (look_at_root (start, err) < 0 || start_publish (start, err) < 0)
        return -1;
    if (meet_go (&meet, err) < 0)
        return -1;
    return await_gate (start, err);
}

void start_undo (struct start *start)
{
    struct error err = {0};
    char words[ERROR_WORDS];

    drop_fd (&start->line); /* it may wait there */
    if (start->cloner >= 0)
        (void)pidfd_signal (start->cloner, SIGKILL);
    meet_reap_cloner (&start->cloner);
    if (start->pidfd >= 0) {
        (void)pidfd_signal (start->pidfd, SIGKILL);
        /* In a frozen cgroup it would not die. */
        (void)cgroup_let_die (&start->record.cgroup, &err);
        /* destroy () tells of one that does not die, and leaves the record. */
        (void)pidfd_wait_dead (start->pidfd, patience_ms ());
        (void)waitid (P_PIDFD, (id_t)start->pidfd, NULL, WEXITED | WNOHANG);
    }
    /* Too few descriptors may be the reason why this is undone. */
    release_tools (start);
    netdev_undo (&start->net_devices);
    rdt_undo (&start->rdt);
    if (start->wrote_pid_file)
        pidfile_remove (start->request->pid_file);
    if (start->claimed &&
        destroy (start->request->globals->state_root, start->directory, &start->record, &err) < 0)
        log_warning ("could not clean up after the failure: %s",
                     error_format (&err, words, sizeof words));
}

static int undone (struct start *start, struct error *err)
{
    const struct meet meet = meet_of (start);

    (void)meet_explain_lost (&meet, err);
    start_undo (start);
    return -1;
}

static int grant (struct start *start, bool in_cgroup, struct error *err)
{
    const struct meet meet = meet_of (start);

    return start_grant (start, in_cgroup, err) < 0 ? meet_explain_look (&meet, err) : 0;
}

int start_until_created (struct start *start, bool detached, struct error *err)
{
    bool in_cgroup = false;

    trace_phase ("decide");
    if (start_decide (start, detached, err) < 0 || start_prepare (start, err) < 0)
        return -1;
    trace_phase ("claim");
    if (start_claim (start, err) < 0 || start_clone (start, &in_cgroup, err) < 0 ||
        start_meet_child (start, err) < 0 || grant (start, in_cgroup, err) < 0 ||
        verify_look_at_own (&start->verify, err) < 0 || start_meet (start, err) < 0 ||
        start_commit (start, err) < 0)
        return undone (start, err);
    log_debug ("container %s is created, its init is process %d", start->request->id,
               (int)start->record.pid);
    return 0;
}

int start_until_executed (struct start *start, struct error *err)
{
    const struct meet meet = meet_of (start);

    trace_phase ("exec");
    if (is_gated (start)) {
        hooks_allow (&start->config->hooks[OCI_HOOK_START_CONTAINER]);
        channel_bound (true);
        if (start->plan.birth)
            channel_words_of (start->record.pid);
    }
    if (is_gated (start) && (meet_until (&meet, CHANNEL_EXEC, err) < 0 || meet_go (&meet, err) < 0))
        return undone (start, err);
    if (meet_executed (&meet, err) != 0 ||
        verify_executed (&start->verify, start->record.pid, start->pidfd, err) < 0)
        return undone (start, err);
    log_debug ("container %s runs its program", start->request->id);
    return 0;
}

int lifecycle_create (const struct create_request *request, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct start start;

    start_init (&start, request, &arena, true);
    int failed = start_until_created (&start, true, err);
    start_release (&start);
    return failed;
}
