/* SPDX-License-Identifier: Apache-2.0 */
/* become: see become.h. */
#include "lifecycle/become.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/patience.h"
#include "container/affinity.h"
#include "container/apparmor.h"
#include "container/caps.h"
#include "container/env.h"
#include "container/executable.h"
#include "container/hooks.h"
#include "container/idmap.h"
#include "container/ioprio.h"
#include "container/keyring.h"
#include "container/mempolicy.h"
#include "container/notify_socket.h"
#include "container/personality.h"
#include "container/scheduler.h"
#include "container/selinux.h"
#include "container/stdio.h"
#include "container/user.h"
#include "kernel/fds.h"
#include "kernel/procfd.h"
#include "kernel/signals.h"
#include "lifecycle/channel.h"
#include "oci-spec/annotations.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define UMASK_DEFAULT 0022

int become_root (bool userns, const struct oci_config *config, enum become_groups *groups,
                 struct error *err)
{
    if (oci_annotation (config, OCI_ANNOTATION_KEEP_GROUPS))
        *groups = BECOME_GROUPS_KEEP;
    else
        *groups = idmap_setgroups_denied () ? BECOME_GROUPS_DENIED : BECOME_GROUPS_SET;
    if (!userns)
        return 0;
    if ((*groups != BECOME_GROUPS_SET || setgroups (0, NULL) == 0) && setresgid (0, 0, 0) == 0 &&
        setresuid (0, 0, 0) == 0)
        return 0;
    error_set (err, "RT-USERNS-ROOT", errno, "cannot become root of the user namespace");
    error_at (err, "/linux/uidMappings");
    return error_hint (err, "container ids 0 must be mapped");
}

int become_enter_cwd (const struct oci_process *process, struct error *err)
{
    char actual[PATH_MAX];

    if (chdir (process->cwd) < 0) {
        error_set (err, "RT-CWD", errno, "cannot enter the working directory %s", process->cwd);
        return error_at (err, "/process/cwd");
    }
    /* The kernel says "(unreachable)" for a directory that is not below the root. */
    if (!getcwd (actual, sizeof (actual)) || actual[0] != '/') {
        error_set (err, "RT-CWD", 0, "the working directory %s is outside of the container's root",
                   process->cwd);
        return error_at (err, "/process/cwd");
    }
    return 0;
}

int become_check_executable (const struct become *become, struct error *err)
{
    char *path;

    return executable_find (become->arena, become->process->args.items[0], &become->env, &path,
                            err);
}

/* Variables that tell of what the process is handed. LISTEN_PID is its own number in here, which
 * execve does not change. */
static void list_passed (struct become *become, struct oci_strings *passed)
{
    const struct passed_fds *fds = &become->fds;

    passed->items = arena_array (become->arena, 4, sizeof (*passed->items));
    if (become->notify)
        passed->items[passed->count++] =
            arena_string (become->arena, "NOTIFY_SOCKET=" NOTIFY_SOCKET_DIR "/" NOTIFY_SOCKET_NAME);
    if (fds->listen == 0)
        return;
    passed->items[passed->count++] = arena_printf (become->arena, "LISTEN_PID=%d", (int)getpid ());
    passed->items[passed->count++] = arena_printf (become->arena, "LISTEN_FDS=%u", fds->listen);
    if (fds->names)
        passed->items[passed->count++] =
            arena_printf (become->arena, "LISTEN_FDNAMES=%s", fds->names);
}

static int prepare_env (struct become *become, struct error *err)
{
    char home[PATH_MAX] = "/";
    struct oci_strings passed = {.count = 0};

    if (env_needs_home (become->process))
        user_home (become->root, become->process->user.uid, home, sizeof (home));
    list_passed (become, &passed);
    return env_prepare (become->arena, become->process, home, &passed, &become->env, err);
}

int become_settle (struct become *become, struct error *err)
{
    const struct oci_process *process = become->process;

    if (!become->affinity_is_set)
        affinity_reset ();
    if (prepare_env (become, err) < 0 || scheduler_apply (process->scheduler, err) < 0 ||
        ioprio_apply (process->io_priority, err) < 0 ||
        personality_apply (become->linux->personality, err) < 0 ||
        mempolicy_apply (become->linux->memory_policy, err) < 0)
        return -1;
    if (!become->no_new_keyring && keyring_apply (become->id, process->selinux_label, err) < 0)
        return -1;
    if (apparmor_apply (process->apparmor_profile, process->no_new_privileges.value, err) < 0 ||
        selinux_apply (process->selinux_label, err) < 0 ||
        stdio_apply (become->root, process->user.uid, err) < 0)
        return -1;
    if (fds_cloexec_from (3 + (int)become->fds.count) < 0)
        return error_set (err, "RT-FDS", errno, "cannot mark descriptors close-on-exec");
    procfd_close ();
    return 0;
}

static int set_groups (const struct become *become, struct error *err)
{
    if (become->groups == BECOME_GROUPS_KEEP)
        return 0;
    return user_apply_groups (&become->process->user, become->groups == BECOME_GROUPS_DENIED, err);
}

/* Bounding set while CAP_SETPCAP is there; ids while CAP_SETUID is; the sets themselves last, since
 * they end both. */
static int drop_rights (const struct become *become, struct error *err)
{
    const struct oci_process *process = become->process;

    if (caps_apply_bounding (process->capabilities, err) < 0 || set_groups (become, err) < 0 ||
        user_apply_ids (&process->user, err) < 0 || caps_apply (process->capabilities, err) < 0 ||
        caps_apply_ambient (process->capabilities, err) < 0)
        return -1;
    /* Entered as root already; as the user it may be refused, which root's right to it outweighs
     * (PRC-11). */
    (void)umask ((mode_t)(process->user.umask.present ? process->user.umask.value : UMASK_DEFAULT));
    if (process->no_new_privileges.value && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        error_set (err, "RT-NNP", errno, "cannot set no_new_privs");
        return error_at (err, "/process/noNewPrivileges");
    }
    return 0;
}

static int run_start_hooks (const struct become *become, struct error *err)
{
    const struct hooks_context context = {.state = become->hook_state,
                                          .env = &become->env,
                                          .default_timeout_ms = patience_asked_ms (),
                                          .output = become->hooks_output,
                                          .preserved = &become->fds.count};

    if (!become->start_hooks || become->start_hooks->count == 0)
        return 0;
    return hooks_run (become->start_hooks, OCI_HOOK_START_CONTAINER, &context, err);
}

static int load_filter (const struct become *become, struct error *err)
{
    int listener;

    if (seccomp_apply (become->seccomp, &listener, err) < 0)
        return -1;
    if (listener < 0)
        return 0;
    return channel_hand_over (become->line, become->seccomp->door, listener, err);
}

int become (const struct become *become, struct error *err)
{
    const struct oci_process *process = become->process;
    bool no_new_privs = process->no_new_privileges.value;
    bool hooks = become->start_hooks && become->start_hooks->count > 0;
    char *path = NULL;

    /* Without no_new_privs a filter may only be loaded with CAP_SYS_ADMIN, so before the rights go;
     * what follows then runs under it (SEC-23). With it, as late as can be (SEC-24). */
    if (!no_new_privs && load_filter (become, err) < 0)
        return -1;
    if (drop_rights (become, err) < 0)
        return -1;
    /* As the user, with the user's rights: root must not say "found" for what the user may not
     * execute. */
    if (!hooks &&
        executable_find (become->arena, process->args.items[0], &become->env, &path, err) < 0)
        return -1;
    signals_reset ();

    struct error ignored;
    (void)channel_send (become->line, CHANNEL_EXEC, NULL, 0, -1, &ignored);
    if (no_new_privs && load_filter (become, err) < 0)
        return -1;
    if (run_start_hooks (become, err) < 0)
        return -1;
    if (hooks &&
        executable_find (become->arena, process->args.items[0], &become->env, &path, err) < 0)
        return -1;
    (void)execve (path, process->args.items, become->env.items);
    return executable_error (errno, path, err);
}
