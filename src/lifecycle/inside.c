/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside: the half of a start that happens in the container's process. Reads top to bottom; the
 * other half is start.c, the rendezvous are drawn in channel.h.
 */
#include "lifecycle/start.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/trace.h"
#include "container/console.h"
#include "container/devices.h"
#include "container/hooks.h"
#include "container/maskpaths.h"
#include "container/notify_socket.h"
#include "container/sysctl.h"
#include "container/timens.h"
#include "container/uts.h"
#include "kernel/clone.h"
#include "kernel/inroot.h"
#include "kernel/ns.h"
#include "lifecycle/become.h"
#include "lifecycle/channel.h"
#include "lifecycle/child.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the child has from its birth and gives up before the container's process begins. */
struct born {
    enum become_groups groups;
    struct console console;
    int notify;   /* for the parent that starts the container; -1 = none */
    mode_t umask; /* that of rt's caller, for hooks */
};

/* The parent's descriptors that mean nothing here; the lock on the state directory among them. */
static void close_outside (struct start *start)
{
    drop_fd (&start->directory);
    drop_fd (&start->console_socket);
    drop_fd (&start->pidfd_socket);
    drop_fd (&start->pidfd_receiver);
    netdev_release (&start->net_devices);
}

/* The child stays what it is: it will clone the process proper. */
static int unshare_namespaces (struct start *start, struct error *err)
{
    if (start->plan.make && ns_unshare ((int)start->plan.make) < 0)
        return ns_explain (start->plan.make, errno, err);
    return channel_send (start->line, CHANNEL_CHILD, NULL, 0, -1, err);
}

/* Joins first, and makes the other namespaces then: what a clone cannot do. Returns only in the
 * child. */
static int be_intermediate (struct start *start, struct error *err)
{
    struct clone_request request = {.flags = start->plan.make | CLONE_PARENT, .cgroup = -1};
    AUTO_FD int pidfd = -1;
    bool in_cgroup;

    if (namespaces_apply (&start->namespaces, err) < 0)
        return -1;
    if ((start->plan.make & CLONE_NEWUSER) && (start->plan.join & CLONE_NEWIPC) &&
        mounts_prepare_mqueue (&start->mounts, err) < 0)
        return -1;
    /* With a user namespace that is there already, its processes have the rights over the child at
     * once. */
    if (!(start->plan.make & CLONE_NEWUSER))
        (void)prctl (PR_SET_DUMPABLE, 0);
    if (start->plan.birth)
        return unshare_namespaces (start, err);
    (void)prctl (PR_SET_NAME, "rt:between");
    pid_t pid = clone_child (&request, &pidfd, &in_cgroup);
    if (pid < 0)
        return ns_explain (start->plan.make, errno, err);
    if (pid == 0)
        return 0;
    if (channel_send (start->line, CHANNEL_CHILD, NULL, 0, pidfd, err) < 0)
        return -1;
    _exit (0);
}

static int await_grant (struct start *start, bool in_cgroup, struct error *err)
{
    struct channel_message message;

    if (!start_awaits_grant (start, in_cgroup))
        return 0;
    return channel_expect (start->line, 0, CHANNEL_GRANTED, &message, err);
}

/* Namespaces that are left to make, and what belongs to them. */
static int settle_namespaces (struct start *start, struct error *err)
{
    const struct oci_config *config = start->config;

    if (start->plan.make_late && ns_unshare (start->plan.make_late) < 0)
        return ns_explain (start->plan.make_late, errno, err);
    if ((start->plan.make & CLONE_NEWNET) && ns_loopback_up () < 0)
        return error_set (err, "RT-NET-LOOPBACK", errno, "cannot bring up the interface lo");
    return uts_apply (config->hostname, config->domainname, err);
}

static int take_seccomp (struct start *start, struct error *err)
{
    struct seccomp_program *program = &start->seccomp;
    const size_t head = sizeof (program->flags) + sizeof (program->door);
    struct channel_message message;

    if (!start->config->linux.seccomp || program->instructions)
        return 0;
    if (channel_expect (start->line, 0, CHANNEL_SECCOMP, &message, err) < 0)
        return -1;
    memcpy (&program->flags, message.payload, sizeof (program->flags));
    memcpy (program->door, message.payload + sizeof (program->flags), sizeof (program->door));
    program->count = (uint16_t)((message.length - head) / sizeof (struct sock_filter));
    program->instructions = arena_alloc (start->arena, message.length - head);
    memcpy (program->instructions, message.payload + head, message.length - head);
    return 0;
}

static int await_hooks (struct start *start, const struct born *born, struct error *err)
{
    const struct oci_hooks *hooks = start->config->hooks;
    struct channel_message message;

    if (hooks[OCI_HOOK_PRESTART].count + hooks[OCI_HOOK_CREATE_RUNTIME].count +
            hooks[OCI_HOOK_CREATE_CONTAINER].count ==
        0)
        return 0;
    const struct hooks_context context = {
        .state = start_state_text (start, OCI_STATUS_CREATING, getpid ()),
        .cwd = start->request->bundle,
        .default_timeout_ms = patience_asked_ms (),
        .output = &start->hooks_output,
    };
    if (take_seccomp (start, err) < 0 ||
        channel_send (start->line, CHANNEL_MOUNTED, NULL, 0, -1, err) < 0 ||
        channel_expect (start->line, 0, CHANNEL_HOOKED, &message, err) < 0)
        return -1;
    /* The child's own is 0: files that the hook makes are not for all to write. */
    mode_t own = umask (born->umask);
    int result =
        hooks_run (&hooks[OCI_HOOK_CREATE_CONTAINER], OCI_HOOK_CREATE_CONTAINER, &context, err);
    (void)umask (own);
    return result;
}

static int make_cwd (const struct oci_process *process, int root, struct error *err)
{
    AUTO_FD int cwd = inroot_make_dir (root, process->cwd, 0755, NULL);

    if (cwd >= 0 || errno == EEXIST || errno == ENOTDIR)
        return 0;
    error_set (err, "RT-CWD", errno, "cannot make the working directory %s", process->cwd);
    return error_at (err, "/process/cwd");
}

/* Without a mount namespace of its own: the directory as it is. Only what cannot be seen elsewhere
 * is made. */
static int share_root (struct start *start, struct born *born, struct error *err)
{
    if (rootfs_apply_attach (&start->rootfs, 0, err) < 0 ||
        child_open_console (start->config->process, start->rootfs.tree.fd, start->line, NULL,
                            &born->console, err) < 0 ||
        await_hooks (start, born, err) < 0)
        return -1;
    return rootfs_apply_enter (&start->rootfs, start->request->no_pivot, 0, err);
}

/* Everything below the root, while the host is still in sight. */
static int build_root (struct start *start, struct born *born, struct error *err)
{
    const struct oci_config *config = start->config;

    if (!start->rootfs.own_mounts)
        return share_root (start, born, err);
    trace_phase ("root");
    if (rootfs_apply_attach (&start->rootfs, config->linux.rootfs_propagation, err) < 0)
        return -1;
    int root = start->rootfs.tree.fd;
    trace_phase ("mounts");
    if (mounts_apply (&start->mounts, root, err) < 0 ||
        devices_apply (&config->linux, root, start->mounts.userns, &start->mounts.own, err) < 0 ||
        child_open_console (config->process, root, start->line, &start->mounts.own, &born->console,
                            err) < 0 ||
        make_cwd (config->process, root, err) < 0)
        return -1;
    if (start->record.notify &&
        notify_socket_apply (root, config->linux.mount_label, &born->notify, err) < 0)
        return -1;
    trace_phase ("masks");
    if (await_hooks (start, born, err) < 0 || maskpaths_apply (&config->linux, root, err) < 0 ||
        mounts_apply_readonly (&start->mounts, err) < 0)
        return -1;
    if (config->root->readonly && rootfs_apply_readonly (&start->rootfs, err) < 0)
        return -1;
    trace_phase ("pivot_root");
    mounts_release (&start->mounts);
    return rootfs_apply_enter (&start->rootfs, start->request->no_pivot,
                               config->linux.rootfs_propagation, err);
}

/* The pid namespace that is joined is the last thing to be entered: hooks, which are this process's
 * children, would be seen in it. */
static int enter_pid_namespace (struct start *start, struct error *err)
{
    if (namespaces_apply_pid (&start->namespaces, err) < 0)
        return -1;
    namespaces_release (&start->namespaces);
    return 0;
}

/* Into its cgroup and namespaces, as root of them. */
static int settle_in (struct start *start, bool in_cgroup, struct born *born, struct error *err)
{
    const struct oci_config *config = start->config;

    if (cgroup_enter (&start->doors, err) < 0)
        return -1;
    cgroup_close_doors (&start->doors);
    if (start->plan.intermediate && be_intermediate (start, err) < 0)
        return -1;
    child_dies_with_parent ();
    if (!start->plan.birth)
        (void)setsid ();
    (void)prctl (PR_SET_NAME, "rt:init");
    trace_phase ("await grant");
    if (await_grant (start, in_cgroup, err) < 0 ||
        (!start->plan.intermediate && namespaces_apply (&start->namespaces, err) < 0) ||
        (start->plan.make_time && timens_apply (&config->linux, err) < 0) ||
        become_root (start->plan.userns, config, &born->groups, err) < 0)
        return -1;
    child_dies_with_parent ();
    trace_phase ("namespaces");
    return settle_namespaces (start, err);
}

static int live (struct start *start, bool in_cgroup, struct error *err)
{
    const struct oci_config *config = start->config;
    struct born born = {.console = {.ptmx = -1, .pts = -1}, .notify = -1, .umask = umask (0)};

    if (settle_in (start, in_cgroup, &born, err) < 0 || build_root (start, &born, err) < 0 ||
        sysctl_apply (&config->linux.sysctl, err) < 0 || take_seccomp (start, err) < 0)
        return -1;

    struct become last_leg = {
        .arena = start->arena,
        .process = config->process,
        .linux = &config->linux,
        .id = start->request->id,
        .root = start->rootfs.tree.fd,
        .line = &start->line,
        .gate = start->gate,
        .notify = born.notify,
        .groups = born.groups,
        .signals = verify_signals (&start->verify),
        .no_new_keyring = start->request->no_new_keyring,
        .birth = start->plan.birth,
        .seen = start->gated && start->record.owner != 0,
        .fds = start->request->fds,
        .has_notify_socket = start->record.notify,
        .seccomp = &start->seccomp,
        .start_hooks = &config->hooks[OCI_HOOK_START_CONTAINER],
        .hooks_output = &start->hooks_output,
    };
    if (last_leg.start_hooks->count > 0)
        last_leg.hook_state = start_state_text (start, OCI_STATUS_CREATED, getpid ());
    trace_phase ("process");
    if (become_enter_cwd (config->process, err) < 0 ||
        child_take_console (config->process, start->plan.birth, &born.console, err) < 0 ||
        enter_pid_namespace (start, err) < 0 || become_settle (&last_leg, err) < 0)
        return -1;
    rootfs_release (&start->rootfs);
    if (child_set_limits (config->process, start->line, err) < 0)
        return -1;
    trace_leave (); /* the filter may forbid to write, and the gate is for another rt */
    return become (&last_leg, err);
}

void inside (struct start *start, bool in_cgroup)
{
    struct error err = {0};

    trace_child ();
    trace_phase ("birth");
    child_dies_with_parent ();
    /* A process that shares a pid namespace with the child must not look into it (CVE-2016-9962). A
     * rootless parent must, for the id maps, and so must the caller of rt, for all that is done to
     * a container before it starts; there only a joined user namespace is a danger
     * (be_intermediate). Asked of the parent: what the child's own id is called depends on whether
     * the parent has written the maps already. */
    if (start->record.owner == 0)
        (void)prctl (PR_SET_DUMPABLE, 0);
    close_outside (start);
    log_redirect (channel_log, &start->line);
    (void)live (start, in_cgroup, &err);
    child_fails (start->line, &err);
}
