/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_inside: the half of an exec that happens in the child. Reads top to bottom;
 * the other half is exec.c, the rendezvous are drawn in exec.h.
 */
#include "lifecycle/exec.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "container/affinity.h"
#include "kernel/mountfd.h"
#include "lifecycle/become.h"
#include "lifecycle/channel.h"
#include "lifecycle/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

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

    /* The doors are closed with all else, before the birth. */
    if (cgroup_enter (&exec->doors, err) < 0)
        return -1;
    return exec_awaits_grant (exec) ? channel_expect (exec->line, 0, CHANNEL_GRANTED, &message, err)
                                    : 0;
}

/* For final only the cgroup is a condition; where there is nothing but `initial`, the kernel has
 * said at the change of the cgroup what is left of it (config.md, execCPUAffinity). */
static int set_affinity (const struct oci_process *process, struct error *err)
{
    if (affinity_apply (process->affinity_final, err) == 0)
        return 0;
    return error_at (err, "/process/execCPUAffinity/final");
}

/* Into the container, as root of its user namespace, if it has one; for the children also into its
 * pid namespace. */
static int join_container (struct exec *exec, enum become_groups *groups, struct error *err)
{
    /* The memory belongs to the user namespace of rt's program: a container in one of its own may
     * not look into this process then, if it sees it at all, or into one that is cloned from it. */
    if (prctl (PR_SET_DUMPABLE, 0) < 0)
        return error_set (err, "RT-DUMPABLE", errno,
                          "cannot set whether the process may be traced");
    if (join_enter (&exec->join, ~0, &exec->config->linux, err) < 0 ||
        become_root (exec->join.types & CLONE_NEWUSER, exec->config, groups, err) < 0)
        return -1;
    child_dies_with_parent ();
    join_release (&exec->join);
    (void)prctl (PR_SET_NAME, "rt:exec");
    if (exec->root >= 0 && mountfd_enter (exec->root) < 0)
        return error_set (err, "RT-ROOT-ENTER", errno, "cannot enter the container's root");
    drop_fd (&exec->root);
    return 0;
}

static int live (struct exec *exec, struct error *err)
{
    const struct oci_process *process = exec->process;
    struct console console = {.ptmx = -1, .pts = -1};
    struct become last_leg = {
        .arena = exec->arena,
        .process = process,
        .linux = &exec->config->linux,
        .id = exec->request->id,
        .line = &exec->line,
        .gate = -1,
        .notify = -1,
        .birth = true,
        .signals = verify_signals (&exec->verify),
        .no_new_keyring = exec->container.record.no_new_keyring,
        .affinity_is_set = process->affinity_initial || process->affinity_final,
        .fds = exec->request->fds,
        .seccomp = &exec->seccomp,
    };

    if (enter_cgroup (exec, err) < 0 || join_container (exec, &last_leg.groups, err) < 0)
        return -1;
    AUTO_FD int root = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return error_set (err, "RT-ROOT-ENTER", errno, "cannot open the container's root");
    last_leg.root = root;
    if (become_enter_cwd (process, err) < 0 ||
        child_open_console (process, root, exec->line, NULL, &console, err) < 0 ||
        child_take_console (process, true, &console, err) < 0 || set_affinity (process, err) < 0 ||
        become_settle (&last_leg, err) < 0)
        return -1;
    drop_fd (&root);
    if (child_set_limits (process, exec->line, err) < 0)
        return -1;
    return become (&last_leg, err);
}

void exec_inside (struct exec *exec)
{
    struct error err = {0};

    child_dies_with_parent ();
    close_outside (exec);
    log_redirect (channel_log, &exec->line);
    (void)live (exec, &err);
    child_fails (exec->line, &err);
}
