/* SPDX-License-Identifier: Apache-2.0 */
/* exec_process: see exec_process.h. */
#include "lifecycle/exec_process.h"

#include "base/text.h"

#include <string.h>

/* What a process.json is silent about. noNewPrivileges among it: what the container may never gain
 * nobody gains in it, but by saying so. */
static void fill_gaps (struct oci_process *process, const struct oci_process *container)
{
    if (!process->env.present)
        process->env = container->env;
    if (!process->capabilities)
        process->capabilities = container->capabilities;
    if (!process->rlimits.present) {
        process->rlimits.count = container->rlimits.count;
        process->rlimits.items = container->rlimits.items;
    }
    if (!process->no_new_privileges.present)
        process->no_new_privileges = container->no_new_privileges;
    if (!process->apparmor_profile)
        process->apparmor_profile = container->apparmor_profile;
    if (!process->selinux_label)
        process->selinux_label = container->selinux_label;
    if (!process->oom_score_adj.present)
        process->oom_score_adj = container->oom_score_adj;
    if (!process->io_priority)
        process->io_priority = container->io_priority;
    if (!process->scheduler)
        process->scheduler = container->scheduler;
    if (!process->user.umask.present)
        process->user.umask = container->user.umask;
    if (!process->affinity_initial && !process->affinity_final) {
        process->affinity_initial = container->affinity_initial;
        process->affinity_final = container->affinity_final;
    }
}

static bool is_home (const char *entry)
{
    return text_starts_with (entry, "HOME=");
}

/* Behind those that are there, where the last of a name wins. The container's HOME was its user's
 * (EXE-07). */
static void add_env (struct arena *arena, struct oci_process *process,
                     const struct oci_strings *more, bool without_home)
{
    size_t count = 0;
    char **items = arena_array (arena, process->env.count + more->count + 1, sizeof (*items));

    for (size_t i = 0; i < process->env.count; i++)
        if (!without_home || !is_home (process->env.items[i]))
            items[count++] = process->env.items[i];
    for (size_t i = 0; i < more->count; i++)
        items[count++] = more->items[i];
    process->env = (struct oci_strings){.count = count, .items = items, .present = true};
}

static void add_gids (struct arena *arena, struct oci_process *process,
                      const struct exec_request *request)
{
    size_t count = process->user.additional_gids.count;
    gid_t *items = arena_array (arena, count + request->additional_gid_count + 1, sizeof (*items));

    if (count > 0)
        memcpy (items, process->user.additional_gids.items, count * sizeof (*items));
    for (size_t i = 0; i < request->additional_gid_count; i++)
        items[count++] = request->additional_gids[i];
    process->user.additional_gids.items = items;
    process->user.additional_gids.count = count;
    process->user.additional_gids.present = true;
}

/* Never into an inheritable set that was empty: files of the image could gain from it
 * (CVE-2022-29162, HDN-11). */
static void add_capabilities (struct arena *arena, struct oci_process *process, uint64_t more)
{
    struct oci_capabilities *sets = arena_alloc (arena, sizeof (*sets));

    if (process->capabilities)
        *sets = *process->capabilities;
    sets->bounding |= more;
    sets->effective |= more;
    sets->permitted |= more;
    if (sets->inheritable) {
        sets->inheritable |= more;
        sets->ambient |= more;
    }
    process->capabilities = sets;
}

const struct oci_process *exec_process (struct arena *arena, const struct oci_process *container,
                                        const struct exec_request *request)
{
    struct oci_process *process = arena_alloc (arena, sizeof (*process));
    bool other_user = false;

    if (request->process) {
        *process = *request->process;
        fill_gaps (process, container);
    } else {
        *process = *container;
        process->terminal = false;
    }
    if (request->tty.present)
        process->terminal = request->tty.value;
    if (request->args.count > 0)
        process->args = request->args;
    if (request->cwd)
        process->cwd = request->cwd;
    if (request->user_given) {
        other_user = process->user.uid != request->uid;
        process->user.uid = request->uid;
        process->user.gid = request->gid;
    }
    if (request->additional_gid_count > 0)
        add_gids (arena, process, request);
    if (other_user || request->env.count > 0)
        add_env (arena, process, &request->env, other_user);
    if (request->capabilities)
        add_capabilities (arena, process, request->capabilities);
    if (request->no_new_privs)
        process->no_new_privileges = (struct oci_bool){.present = true, .value = true};
    if (request->process_label)
        process->selinux_label = request->process_label;
    if (request->apparmor)
        process->apparmor_profile = request->apparmor;
    return process;
}
