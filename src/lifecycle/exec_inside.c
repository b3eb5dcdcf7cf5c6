/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_inside: the half of an exec that happens in the container's process. Reads top to bottom;
 * the other half is exec.c, the rendezvous are drawn in exec.h.
 */
#include "lifecycle/exec.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "container/affinity.h"
#include "container/console.h"
#include "kernel/clone.h"
#include "kernel/mountfd.h"
#include "lifecycle/become.h"
#include "lifecycle/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#define EXIT_FAILED_INSIDE 1

/* Set again after each change of credentials, which takes it away. */
static void die_with_parent (void)
{
    (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static void close_outside (struct exec *exec)
{
    drop_fd (&exec->container.directory);
    drop_fd (&exec->console_socket);
    drop_fd (&exec->pidfd_socket);
    drop_fd (&exec->cgroup_v2);
}

static int enter_cgroup (struct exec *exec, struct error *err)
{
    struct channel_message message;

    if (cgroup_enter (&exec->doors, err) < 0)
        return -1;
    cgroup_close_doors (&exec->doors);
    return exec_awaits_grant (exec) ? channel_expect (exec->line, 0, CHANNEL_GRANTED, &message, err)
                                    : 0;
}

/* Who has CAP_SYS_PTRACE in there would get at X, and through it at E's user (CVE-2016-9962): its
 * memory belongs to the namespace of E's program, so nobody in there may. Of root X is born so. */
static void become_unseen (void)
{
    (void)prctl (PR_SET_DUMPABLE, 0);
}

/* Nothing of the host may be left when somebody in the pid namespace can see X. Returns only in X
 * proper. */
static int walk_first_leg (struct exec *exec, struct error *err)
{
    const struct clone_request request = {.flags = CLONE_PARENT, .cgroup = -1};
    AUTO_FD int pidfd = -1;
    bool in_cgroup;

    (void)prctl (PR_SET_NAME, "rt:leg");
    if (join_enter (&exec->join, ~0, &exec->config->linux, err) < 0)
        return -1;
    become_unseen ();
    pid_t pid = clone_child (&request, &pidfd, &in_cgroup);
    if (pid < 0)
        return error_set (err, "RT-CLONE", errno, "cannot make a process in the container");
    if (pid == 0)
        return 0;
    if (channel_send (exec->line, CHANNEL_CHILD, NULL, 0, pidfd, err) < 0)
        return -1;
    _exit (0);
}

static int join_container (struct exec *exec, struct error *err)
{
    struct channel_message message;

    if (!exec->first_leg) {
        become_unseen ();
        return join_enter (&exec->join, ~CLONE_NEWPID, &exec->config->linux, err);
    }
    if (walk_first_leg (exec, err) < 0)
        return -1;
    die_with_parent ();
    /* Until E knows of X: the leg may be slower than X is. */
    return channel_expect (exec->line, 0, CHANNEL_GRANTED, &message, err);
}

/* For final only the cgroup is a condition; where there is nothing but `initial`, the kernel has
 * said at the change of the cgroup what is left of it (config.md, execCPUAffinity). */
static int set_affinity (const struct oci_process *process, struct error *err)
{
    if (affinity_apply (process->affinity_final, err) == 0)
        return 0;
    return error_at (err, "/process/execCPUAffinity/final");
}

static int open_console (struct exec *exec, int root, struct error *err)
{
    const struct oci_process *process = exec->process;
    struct console console = {.ptmx = -1, .pts = -1};

    if (!process->terminal)
        return 0;
    if (console_open (root, process->console_size, process->user.uid, &console, err) < 0)
        return -1;
    int failed = channel_send (exec->line, CHANNEL_CONSOLE, console.name, strlen (console.name) + 1,
                               console.ptmx, err);
    drop_fd (&console.ptmx);
    if (!failed)
        failed = console_attach (&console, err);
    drop_fd (&console.pts);
    return failed;
}

static int await_release (struct exec *exec, struct error *err)
{
    struct channel_message message;

    /* From here on X waits for E, and an E that dies closes the line. */
    (void)prctl (PR_SET_PDEATHSIG, 0);
    if (channel_send (exec->line, CHANNEL_READY, NULL, 0, -1, err) < 0)
        return -1;
    return channel_expect (exec->line, 0, CHANNEL_RELEASE, &message, err);
}

static int live (struct exec *exec, struct error *err)
{
    const struct oci_process *process = exec->process;
    struct become last_leg = {
        .arena = exec->arena,
        .process = process,
        .linux = &exec->config->linux,
        .id = exec->request->id,
        .line = exec->line,
        .no_new_keyring = exec->container.record.no_new_keyring,
        .affinity_is_set = process->affinity_initial || process->affinity_final,
        .fds = exec->request->fds,
        .seccomp = &exec->seccomp,
    };

    if (enter_cgroup (exec, err) < 0 || join_container (exec, err) < 0)
        return -1;
    if (become_root (exec->join.types & CLONE_NEWUSER, exec->config, &last_leg.groups, err) < 0)
        return -1;
    die_with_parent ();
    join_release (&exec->join);
    (void)setsid ();
    (void)prctl (PR_SET_NAME, "rt:exec");

    if (exec->root >= 0 && mountfd_enter (exec->root) < 0)
        return error_set (err, "RT-ROOT-ENTER", errno, "cannot enter the container's root");
    drop_fd (&exec->root);
    AUTO_FD int root = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return error_set (err, "RT-ROOT-ENTER", errno, "cannot open the container's root");
    last_leg.root = root;
    if (become_enter_cwd (process, err) < 0 || open_console (exec, root, err) < 0 ||
        set_affinity (process, err) < 0 || become_settle (&last_leg, err) < 0)
        return -1;
    drop_fd (&root);
    if (await_release (exec, err) < 0)
        return -1;
    return become (&last_leg, err);
}

void exec_inside (struct exec *exec)
{
    struct error err = {0};

    die_with_parent ();
    close_outside (exec);
    log_redirect (channel_log, &exec->line);
    (void)live (exec, &err);
    channel_send_error (exec->line, &err);
    _exit (EXIT_FAILED_INSIDE);
}
