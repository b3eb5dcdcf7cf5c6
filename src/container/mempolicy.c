/* SPDX-License-Identifier: Apache-2.0 */
/* mempolicy: see mempolicy.h. */
#include "container/mempolicy.h"

#include "kernel/bitlist.h"
#include "kernel/sched.h"
#include "oci-spec/names.h"

#include <errno.h>

int mempolicy_apply (const struct oci_memory_policy *policy, struct error *err)
{
    AUTO_BITLIST struct bitlist nodes = {0};

    if (!policy)
        return 0;
    if (policy->nodes && policy->nodes[0] != '\0' && bitlist_parse (policy->nodes, &nodes) < 0) {
        error_set (err, "RT-MEMPOLICY-NODES", errno, "bad list of memory nodes \"%s\"",
                   policy->nodes);
        return error_at (err, "/linux/memoryPolicy/nodes");
    }
    if (sched_set_memory (policy->mode | (int)policy->flags, nodes.words, nodes.bits) == 0)
        return 0;
    int errnum = errno;
    const char *mode = oci_names_of (&oci_memory_policy_modes, (uint64_t)policy->mode);
    error_set (err, "RT-MEMPOLICY-SET", errnum, "cannot set memory policy %s for nodes \"%s\"",
               mode ? mode : "", policy->nodes ? policy->nodes : "");
    if (errnum == EINVAL)
        error_hint (err, "the nodes must be there and in the cpuset, MPOL_DEFAULT and MPOL_LOCAL "
                         "take none, and the kernel must know mode and flags");
    return error_at (err, "/linux/memoryPolicy");
}
