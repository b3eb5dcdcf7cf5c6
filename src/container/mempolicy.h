/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mempolicy: linux.memoryPolicy (config-linux.md; set_mempolicy(2)).
 *
 * apply   inside, in the cgroup (the nodes are held against its cpuset) and before a filter is
 *         loaded: profiles deny set_mempolicy without CAP_SYS_NICE. NULL = absent.
 *
 * RT-MEMPOLICY-NODES at /linux/memoryPolicy/nodes, RT-MEMPOLICY-SET at /linux/memoryPolicy.
 */
#ifndef RT_CONTAINER_MEMPOLICY_H
#define RT_CONTAINER_MEMPOLICY_H

#include "base/error.h"
#include "oci-spec/linux.h"

int mempolicy_apply (const struct oci_memory_policy *policy, struct error *err);

#endif
