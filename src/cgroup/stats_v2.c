/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats_v2: the files of the unified hierarchy. cpu.stat and the pressure files are there without
 * any controller, on hybrid hosts too.
 */
#include "cgroup/stats_parse.h"

#define ROW(name, parser, member)                                                                  \
    {                                                                                              \
        "", name, stats_parse_##parser, offsetof (struct cgroup_stats, member)                     \
    }
#define MEMORY(prefix, member)                                                                     \
    ROW (prefix ".current", number, memory.member.usage),                                          \
        ROW (prefix ".max", number, memory.member.limit),                                          \
        ROW (prefix ".peak", number, memory.member.max),                                           \
        ROW (prefix ".events", limit_hits, memory.member.failcnt)

/* How often the usage was about to go over the limit: what v1 calls failcnt. */
static int stats_parse_limit_hits (struct arena *arena, const char *text, void *place)
{
    (void)arena;
    return stats_find (text, "max", place) < 0 ? -1 : 0;
}

static const struct stats_file files[] = {
    ROW ("cpu.stat", cpu_v2, cpu),
    ROW ("cpu.pressure", pressure, cpu.pressure),
    ROW ("cpuset.cpus.effective", list, cpuset.cpus),
    ROW ("cpuset.mems.effective", list, cpuset.mems),
    MEMORY ("memory", usage), /* memory.peak since 5.19, memory.swap.peak since 6.5 */
    MEMORY ("memory.swap", swap_only),
    ROW ("memory.stat", names, memory.raw),
    ROW ("memory.pressure", pressure, memory.pressure),
    ROW ("pids.current", number, pids_current),
    ROW ("pids.max", pids_limit, pids_limit),
    ROW ("io.stat", io, io),
    ROW ("io.pressure", pressure, io_pressure),
    ROW ("rdma.current", rdma, rdma_current),
    ROW ("rdma.max", rdma, rdma_limit),
    ROW ("misc.current", names, misc_current),
    ROW ("misc.events", names, misc_events),
};

const struct stats_files stats_files_v2 = {
    .items = files,
    .count = sizeof files / sizeof files[0],
    .hugetlb = "",
    .usage = ".current",
    .max = "",
    .failures = ".events",
};
