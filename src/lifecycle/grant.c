/* SPDX-License-Identifier: Apache-2.0 */
/* grant: see grant.h. */
#include "lifecycle/grant.h"

#include "base/cleanup.h"
#include "base/trace.h"
#include "container/idmap.h"
#include "container/oom.h"
#include "container/seccomp_agent.h"
#include "kernel/ns.h"
#include "kernel/pidfd.h"
#include "lifecycle/channel.h"
#include "lifecycle/process_entry.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

/* What the files hold is what systemd is told, where it is. */
int start_limit (struct start *start, struct error *err)
{
    const struct oci_resources *resources = start->config->linux.resources;
    bool in_userns = start->plan.userns || process_in_user_namespace () == 1;

    if (start->unit.name)
        resources = systemd_resources (start->arena, resources);
    return cgroup_limit (&start->record.cgroup, resources, in_userns, err);
}

bool start_awaits_grant (const struct start *start, bool in_cgroup)
{
    return !in_cgroup || start->plan.userns || start->plan.intermediate ||
           start->config->linux.net_devices.count > 0;
}

/* Into the network namespace that C was born in or will join. */
static int grant_net_devices (struct start *start, struct error *err)
{
    int netns = -1;

    if (start->net_devices.count == 0)
        return 0;
    if (start->plan.make & CLONE_NEWNET)
        netns = ns_open_process (start->record.pid, "net");
    else
        netns = namespaces_take (&start->namespaces, CLONE_NEWNET);
    if (netns < 0)
        return error_set (err, "RT-NETDEV", errno, "cannot open the container's network namespace");
    return netdev_grant (&start->net_devices, netns, err);
}

static int prepare_seccomp (struct start *start, struct error *err)
{
    const struct oci_seccomp *seccomp = start->config->linux.seccomp;

    if (!seccomp)
        return 0;
    if (seccomp_prepare (seccomp, &start->seccomp, err) < 0)
        return -1;
    return seccomp_listens (&start->seccomp) ? seccomp_agent_prepare (seccomp, err) : 0;
}

static int send_seccomp (const struct start *start, struct error *err)
{
    const struct seccomp_program *program = &start->seccomp;
    size_t instructions = program->count * sizeof (struct sock_filter);

    if (!start->config->linux.seccomp)
        return 0;
    unsigned char *payload =
        arena_alloc (start->arena, sizeof (program->flags) + sizeof (program->door) + instructions);
    unsigned char *end = payload;

    end = mempcpy (end, &program->flags, sizeof (program->flags));
    end = mempcpy (end, program->door, sizeof (program->door));
    end = mempcpy (end, program->instructions, instructions);
    return channel_send (start->line, CHANNEL_SECCOMP, payload, (size_t)(end - payload), -1, err);
}

int start_grant (struct start *start, bool in_cgroup, struct error *err)
{
    const struct oci_linux *linux = &start->config->linux;

    if (pidfd_start_time (start->record.pid, &start->record.start_time, NULL) < 0)
        return error_set (err, "RT-CLONE", errno, "the container's init died at birth");
    if (oom_grant (start->record.pid, &start->config->process->oom_score_adj, err) < 0)
        return -1;
    if ((start->plan.make & CLONE_NEWUSER) &&
        idmap_grant (&linux->uid_mappings, &linux->gid_mappings, start->record.pid, err) < 0)
        return -1;
    if ((start->plan.join & CLONE_NEWUSER) &&
        idmap_check_joined (&linux->uid_mappings, &linux->gid_mappings, start->record.pid, err) < 0)
        return -1;
    if (!in_cgroup && systemd_join (start->record.systemd_bus, start->record.systemd_unit,
                                    &start->record.cgroup, start->record.pid, err) < 0)
        return -1;
    if (grant_net_devices (start, err) < 0)
        return -1;
    if (start_awaits_grant (start, in_cgroup) &&
        channel_send (start->line, CHANNEL_GRANTED, NULL, 0, -1, err) < 0)
        return -1;
    /* The child builds the root meanwhile. */
    if (start->rdt.config && rdt_grant (&start->rdt, start->record.pid, err) < 0)
        return -1;
    /* On v1 C may still be on its way through the doors: there the holder stays for now. */
    if (cgroup_layout () == CGROUP_V2 &&
        systemd_settle (&start->unit, &start->record.cgroup, linux->resources, err) < 0)
        return -1;
    if (!cgroup_limits_first (&start->record.cgroup) && start_limit (start, err) < 0)
        return -1;
    uid_t owner;
    if (plan_delegation (start->config, &owner) &&
        cgroup_delegate (&start->record.cgroup, owner, err) < 0)
        return -1;
    trace_phase ("seccomp");
    return prepare_seccomp (start, err) < 0 ? -1 : send_seccomp (start, err);
}
