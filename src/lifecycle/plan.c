/* SPDX-License-Identifier: Apache-2.0 */
/* plan: see plan.h. */
#include "lifecycle/plan.h"

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
    *plan = (struct plan){
        .make = make & ~(uint64_t)(CLONE_NEWTIME | CLONE_NEWCGROUP),
        .join = join,
        .make_cgroup = make & CLONE_NEWCGROUP,
        .make_time = make & CLONE_NEWTIME,
        .userns = (make | join) & CLONE_NEWUSER,
    };
    plan->first_leg = (join & (CLONE_NEWPID | CLONE_NEWUSER)) || plan->make_time ||
                      (join && (make & CLONE_NEWUSER));
}
