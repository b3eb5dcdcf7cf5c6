/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdt_stats: what resctrl says of a container's class of service and of its use of caches and
 * memory bandwidth (the kernel's Documentation/filesystems/resctrl, "info" and "mon_data").
 */
#ifndef RT_CONTAINER_RDT_STATS_H
#define RT_CONTAINER_RDT_STATS_H

#include "container/rdt.h"

#include <stdint.h>

/* Numbers of one cache domain; 0 where the domain is not available. */
struct rdt_domain {
    uint64_t mbm_total_bytes, mbm_local_bytes, llc_occupancy;
};

struct rdt_stats {
    struct {
        bool present; /* this machine can divide its caches */
        const char *cbm_mask, *schema_root, *schema;
        uint64_t min_cbm_bits, num_closids;
    } l3;
    struct {
        bool present; /* this machine can divide its memory bandwidth */
        const char *schema_root, *schema;
        uint64_t bandwidth_gran, delay_linear, min_bandwidth, num_closids;
    } mb;
    bool has_mbm, has_cmt;
    struct rdt_domain *domains; /* by their numbers */
    size_t domain_count;
};

/* outside: of the group that rdt_plan () has decided, or of its monitoring group. What this
 * machine cannot do is not present; a group that is gone has no numbers. */
int rdt_stats_read (struct arena *arena, const struct rdt *rdt, struct rdt_stats *stats,
                    struct error *err);

#endif
