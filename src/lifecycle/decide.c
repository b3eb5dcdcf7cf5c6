/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide: what a start will make and where, found before there is anything to undo.
 */
#include "lifecycle/start.h"

#include "base/text.h"
#include "base/timestamp.h"
#include "container/apparmor.h"
#include "container/selinux.h"
#include "kernel/pidfd.h"
#include "lifecycle/notify.h"
#include "lifecycle/process_entry.h"
#include "lifecycle/ptmx.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

struct cgroup_request start_cgroup_request (const struct start *start)
{
    const struct lifecycle_globals *globals = start->request->globals;

    return (struct cgroup_request){
        .driver = globals->cgroup_driver,
        .id = start->request->id,
        .cgroups_path = start->config->linux.cgroups_path,
        .resources = start->config->linux.resources,
        .rootless = globals->rootless >= 0 ? globals->rootless
                                           : geteuid () != 0 || process_in_user_namespace () == 1,
        .annotations = &start->config->annotations,
        .bus = globals->bus,
        .user_bus = globals->user_bus,
    };
}

static int decide_rdt (struct start *start, struct error *err)
{
    const struct oci_intel_rdt *asked = start->config->linux.intel_rdt;

    if (!asked)
        return 0;
    if (rdt_check_mount (RDT_MOUNT, err) < 0 ||
        rdt_prepare (asked, start->request->id, RDT_MOUNT, start->arena, &start->rdt, err) < 0)
        return -1;
    start->record.intel_rdt = start->rdt.own;
    return 0;
}

/* That of a container of this name is not free, but the name is the reason to tell. Who deletes
 * that one removes its cgroup first, so what is still there when the name is free is another's. */
static int check_cgroup (const struct start *start, struct error *err)
{
    const struct create_request *request = start->request;
    struct error taken = {0};

    if (cgroup_check (&start->record.cgroup, err) == 0)
        return 0;
    if (record_check_new (request->globals->state_root, request->id, &taken) < 0) {
        *err = taken;
        return -1;
    }
    *err = (struct error){0};
    if (cgroup_check (&start->record.cgroup, err) == 0)
        return 0;
    return start->config->linux.cgroups_path ? error_at (err, "/linux/cgroupsPath") : -1;
}

static int decide_notify (struct start *start, struct error *err)
{
    start->record.notify =
        notify_is_wanted (start->request->globals->notify_socket, start->config->process);
    if (!start->record.notify || (start->plan.make & CLONE_NEWNS))
        return 0;
    error_set (err, "RT-NOTIFY-SOCKET", 0,
               "NOTIFY_SOCKET is set, but the container has no mount namespace of its own, where "
               "its socket would be");
    return error_hint (err, "unset NOTIFY_SOCKET");
}

int start_decide (struct start *start, bool detached, struct error *err)
{
    const struct oci_config *config = start->config;
    const struct create_request *request = start->request;
    struct cgroup_request cgroup = start_cgroup_request (start);
    char created[TIMESTAMP_SIZE];

    if (rootfs_check (config, request->no_pivot, err) < 0 ||
        ptmx_check (config->process->terminal, detached, request->console_socket, err) < 0)
        return -1;
    plan_namespaces (&config->linux, &start->plan);
    if (selinux_prepare (config->process->selinux_label, err) < 0 ||
        apparmor_prepare (config->process->apparmor_profile, err) < 0 ||
        seccomp_check (config->linux.seccomp, config->process->no_new_privileges.value, err) < 0)
        return -1;

    const char *root = config->root->path;
    const char *root_path =
        root[0] == '/' ? root : arena_printf (start->arena, "%s/%s", request->bundle, root);
    char *clean = arena_alloc (start->arena, strlen (root_path) + 2);
    text_clean_path (root_path, clean);
    timestamp_now (created);
    start->record = (struct record){
        .phase = RECORD_CREATING,
        .id = request->id,
        .bundle = request->bundle,
        .rootfs = clean,
        .created = arena_string (start->arena, created),
        .owner = getuid (),
        .creator = getpid (),
        .systemd = cgroup.driver == CGROUP_DRIVER_SYSTEMD,
        .terminal = config->process->terminal,
        .own_pid_namespace = start->plan.make & CLONE_NEWPID,
        .awaits_go = true,
        .poststop_hooks = config->hooks[OCI_HOOK_POSTSTOP].count > 0,
        .no_new_keyring = request->no_new_keyring,
        .annotations = config->annotations,
    };
    if (systemd_plan (start->arena, &cgroup, &start->unit, err) < 0)
        return -1;
    start->record.systemd_unit = start->unit.name;
    start->record.systemd_bus = start->unit.bus;
    if (cgroup_plan (start->arena, &cgroup, &start->record.cgroup, err) < 0)
        return cgroup.cgroups_path ? error_at (err, "/linux/cgroupsPath") : -1;
    if (check_cgroup (start, err) < 0 || decide_rdt (start, err) < 0 ||
        decide_notify (start, err) < 0)
        return -1;
    return pidfd_start_time (getpid (), &start->record.creator_start_time, NULL) < 0
               ? error_set (err, "RT-PROC", errno, "cannot read rt's own start time from /proc")
               : 0;
}
