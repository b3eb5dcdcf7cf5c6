/* SPDX-License-Identifier: Apache-2.0 */
/* plan: see plan.h. */
#include "lifecycle/plan.h"

#include "base/text.h"

#include <linux/mount.h>
#include <sched.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

void plan_namespaces (const struct oci_linux *linux, struct plan *plan)
{
    uint64_t make = 0;
    uint64_t join = 0;

    for (size_t i = 0; i < linux->namespaces.count; i++) {
        const struct oci_namespace *one = &linux->namespaces.items[i];
        *(one->path ? &join : &make) |= (uint64_t)(unsigned int)one->type;
    }
    bool userns = (make | join) & CLONE_NEWUSER;
    uint64_t late = make & (CLONE_NEWCGROUP | (userns ? (uint64_t)CLONE_NEWIPC : 0));
    *plan = (struct plan){
        .make = make & ~(CLONE_NEWTIME | late),
        .join = join,
        .make_late = (int)late,
        .make_time = make & CLONE_NEWTIME,
        .userns = userns,
    };
    plan->birth = join & CLONE_NEWPID;
    plan->intermediate = (join & CLONE_NEWUSER) || (join && (make & CLONE_NEWUSER));
}

static bool has_writable_cgroup_mount (const struct oci_config *config)
{
    for (size_t i = 0; i < config->mounts.count; i++) {
        const struct oci_mount *mount = &config->mounts.items[i];
        if (!mount->bind && mount->type && text_equal (mount->type, "cgroup") &&
            text_equal (mount->destination, "/sys/fs/cgroup"))
            return !((mount->attr_set | mount->rec_set) & MOUNT_ATTR_RDONLY);
    }
    return false;
}

bool plan_delegation (const struct oci_config *config, uid_t *uid)
{
    const struct oci_namespace *cgroup = oci_config_namespace (config, CLONE_NEWCGROUP);
    const struct oci_id_mappings *mappings = &config->linux.uid_mappings;
    uid_t inside = config->process->user.uid;
    uid_t outside = inside;

    if (!cgroup || cgroup->path || !has_writable_cgroup_mount (config))
        return false;
    for (size_t i = 0; i < mappings->count; i++) {
        const struct oci_id_mapping *one = &mappings->items[i];
        if (inside >= one->container_id && inside - one->container_id < one->size)
            outside = one->host_id + (inside - one->container_id);
    }
    if (outside == 0)
        return false;
    *uid = outside;
    return true;
}
