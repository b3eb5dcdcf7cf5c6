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
#include "kernel/launch.h"
#include "kernel/privileges.h"
#include "kernel/procfd.h"
#include "kernel/signals.h"
#include "lifecycle/channel.h"
#include "oci-spec/annotations.h"
#include "state/gate.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define UMASK_DEFAULT 0022

int become_root (bool userns, const struct oci_config *config, enum become_groups *groups,
                 struct error *err)
{
    *groups = oci_annotation (config, OCI_ANNOTATION_KEEP_GROUPS) ? BECOME_GROUPS_KEEP
                                                                  : BECOME_GROUPS_SET;
    if (!userns)
        return 0;
    bool cleared = *groups != BECOME_GROUPS_SET || ids_set_groups (0, NULL) == 0;
    if (!cleared && errno == EPERM && idmap_setgroups_denied ()) {
        *groups = BECOME_GROUPS_DENIED;
        cleared = true;
    }
    if (cleared && ids_set_gid (0) == 0 && ids_set_uid (0) == 0)
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

/* Variables that tell of what the process is handed. LISTEN_PID is its own number in here, which
 * execve does not change. */
static void list_passed (struct become *become, struct oci_strings *passed)
{
    const struct passed_fds *fds = &become->fds;

    passed->items = arena_array (become->arena, 4, sizeof (*passed->items));
    if (become->has_notify_socket)
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

    if (env_needs_home (become->process) &&
        user_home (become->root, become->process->user.uid, home, sizeof (home), err) < 0)
        return -1;
    list_passed (become, &passed);
    return env_prepare (become->arena, become->process, home, &passed, &become->env, err);
}

static bool has_start_hooks (const struct become *become)
{
    return become->start_hooks && become->start_hooks->count > 0;
}

/* What a filter is loaded with, where it may not be loaded without. */
static uint64_t kept_for_filter (const struct become *become)
{
    const uint64_t admin = (uint64_t)1 << CAP_SYS_ADMIN;

    return become->seccomp->instructions && !become->process->no_new_privileges.value ? admin : 0;
}

static int pack (struct become *become, struct error *err)
{
    const struct oci_process *process = become->process;
    const struct seccomp_program *filter = become->seccomp;
    const struct caps_sets sets = caps_sets (process->capabilities);
    const struct launch_request request = {
        .words = {.failed = CHANNEL_FAILED,
                  .listener = CHANNEL_LISTENER,
                  .gated = CHANNEL_GATED,
                  .notify = CHANNEL_NOTIFY,
                  .exec = CHANNEL_EXEC,
                  .go = CHANNEL_GO},
        .leaves = !has_start_hooks (become),
        .argv = process->args.items,
        .envp = become->env.items,
        .tells_pid = become->birth && become->fds.listen > 0,
        .filter = filter->instructions,
        .filter_count = filter->count,
        .filter_flags = filter->flags,
        .door = filter->door,
        .sets_capabilities = kept_for_filter (become) != 0,
        .effective = sets.effective,
        .permitted = sets.permitted,
        .inheritable = sets.inheritable,
        .birth = become->birth,
        .session = become->birth,
        .terminal = become->birth && process->terminal,
        .line = *become->line,
        .gated = become->gate >= 0 || has_start_hooks (become),
        .gate = become->gate,
        .notify = become->notify,
        .gate_word = GATE_WORD,
        .gate_word_old = GATE_WORD_OLD,
    };

    become->launch = launch_make (&request);
    return become->launch
               ? 0
               : error_set (err, "RT-LAUNCH", errno, "cannot pack what the process needs last");
}

int become_settle (struct become *become, struct error *err)
{
    const struct oci_process *process = become->process;

    if (!become->affinity_is_set)
        affinity_reset ();
    if (prepare_env (become, err) < 0 ||
        scheduler_apply (process->scheduler, become->birth, err) < 0 ||
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
    return pack (become, err);
}

static int set_groups (const struct become *become, struct error *err)
{
    if (become->groups == BECOME_GROUPS_KEEP)
        return 0;
    const struct oci_user *user = &become->process->user;
    bool denied = become->groups == BECOME_GROUPS_DENIED;
    int failed = user_apply_groups (user, denied, err);
    /* Looked up only where it makes a difference. */
    return failed && !denied && err->errnum == EPERM && idmap_setgroups_denied ()
               ? user_apply_groups (user, true, err)
               : failed;
}

/* Bounding set while CAP_SETPCAP is there; ids while CAP_SETUID is; the sets themselves last, since
 * they end both. Without no_new_privs a filter is loaded with CAP_SYS_ADMIN alone, which goes right
 * behind it (launch.h). */
static int drop_rights (const struct become *become, struct error *err)
{
    const struct oci_process *process = become->process;

    if (caps_apply_bounding (process->capabilities, err) < 0 || set_groups (become, err) < 0 ||
        user_apply_ids (&process->user, err) < 0 ||
        caps_apply (process->capabilities, kept_for_filter (become), err) < 0 ||
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

/* Closed, and not only marked: what waits at the gate has nothing of the caller's. */
static int close_descriptors (const struct become *become, struct error *err)
{
    const struct hooks_output *output = has_start_hooks (become) ? become->hooks_output : NULL;
    int keep[] = {*become->line, become->gate, become->notify, output ? output->out : -1,
                  output ? output->err : -1};

    if (fds_close_others (3 + (int)become->fds.count, keep, sizeof (keep) / sizeof (keep[0])) < 0)
        return error_set (err, "RT-FDS", errno, "cannot close descriptors");
    procfd_close ();
    return 0;
}

static int run_start_hooks (const struct become *become, struct error *err)
{
    const struct hooks_context context = {.state = become->hook_state,
                                          .env = &become->env,
                                          .default_timeout_ms = patience_asked_ms (),
                                          .output = become->hooks_output,
                                          .preserved = &become->fds.count};

    return hooks_run (become->start_hooks, OCI_HOOK_START_CONTAINER, &context, err);
}

static int find (const struct become *become, char **path, struct error *err)
{
    return executable_find (become->arena, become->process->args.items[0], &become->env, path, err);
}

/* Hooks may still bring the program, and they need rt's own memory, below the filter. */
static int launch_with_hooks (const struct become *become, struct error *err)
{
    char *path;

    *become->line = launch_begin (become->launch);
    if (become->seccomp->instructions)
        channel_below_filter (become->seccomp->door);
    if (run_start_hooks (become, err) < 0 || find (become, &path, err) < 0)
        return -1;
    launch_execute (become->launch, path);
}

int become (const struct become *become, struct error *err)
{
    char *path;

    if (drop_rights (become, err) < 0)
        return -1;
    /* As the user, with the user's rights: root must not say "found" for what the user may not
     * execute. */
    if (!has_start_hooks (become) && find (become, &path, err) < 0)
        return -1;
    /* A change of ids decides anew which processes may trace this one. */
    if (prctl (PR_SET_DUMPABLE, become->seen ? 1 : 0) < 0)
        return error_set (err, "RT-DUMPABLE", errno,
                          "cannot set whether the process may be traced");
    signals_reset (become->signals);
    if (become->gate >= 0 && launch_heed_signals () < 0)
        return error_set (err, "RT-SIGNALS", errno, "cannot prepare for signals");
    if (close_descriptors (become, err) < 0)
        return -1;
    /* The parent's death closes the channel, which is waited at. */
    (void)prctl (PR_SET_PDEATHSIG, 0);
    if (has_start_hooks (become))
        return launch_with_hooks (become, err);
    launch_leave (become->launch, path);
}
