/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats_v1: the files of the v1 controllers.
 *
 * What block devices did is counted by their I/O scheduler (bfq, formerly cfq) or by the throttling
 * layer: of the files for one kind of number the first that has any counts.
 */
#include "cgroup/stats_parse.h"

#define ROW(controller, name, parser, member)                                                      \
    {                                                                                              \
        controller, name, stats_parse_##parser, offsetof (struct cgroup_stats, member)             \
    }
#define MEMORY(prefix, member)                                                                     \
    ROW ("memory", prefix ".usage_in_bytes", number, memory.member.usage),                         \
        ROW ("memory", prefix ".limit_in_bytes", number, memory.member.limit),                     \
        ROW ("memory", prefix ".max_usage_in_bytes", number, memory.member.max),                   \
        ROW ("memory", prefix ".failcnt", number, memory.member.failcnt)
#define BLKIO(name, kind)                                                                          \
    ROW ("blkio", "blkio.bfq." name, blkio, io[kind]), ROW ("blkio", "blkio." name, blkio, io[kind])
#define THROTTLE(name, kind)                                                                       \
    BLKIO (name "_recursive", kind),                                                               \
        ROW ("blkio", "blkio.throttle." name "_recursive", blkio, io[kind]),                       \
        ROW ("blkio", "blkio.throttle." name, blkio, io[kind])

/* Rows of one controller stand together. */
static const struct stats_file files[] = {
    ROW ("cpu", "cpu.stat", cpu_v1, cpu),
    ROW ("cpuacct", "cpuacct.stat", cpuacct, cpu),
    ROW ("cpuacct", "cpuacct.usage", number, cpu.total),
    ROW ("cpuacct", "cpuacct.usage_percpu", numbers, cpu.percpu),
    ROW ("cpuacct", "cpuacct.usage_all", cpuacct_all, cpu),
    ROW ("cpuset", "cpuset.cpus", list, cpuset.cpus),
    ROW ("cpuset", "cpuset.mems", list, cpuset.mems),
    ROW ("cpuset", "cpuset.cpu_exclusive", number, cpuset.cpu_exclusive),
    ROW ("cpuset", "cpuset.mem_hardwall", number, cpuset.mem_hardwall),
    ROW ("cpuset", "cpuset.mem_exclusive", number, cpuset.mem_exclusive),
    ROW ("cpuset", "cpuset.memory_migrate", number, cpuset.memory_migrate),
    ROW ("cpuset", "cpuset.memory_spread_page", number, cpuset.memory_spread_page),
    ROW ("cpuset", "cpuset.memory_spread_slab", number, cpuset.memory_spread_slab),
    ROW ("cpuset", "cpuset.memory_pressure", number, cpuset.memory_pressure),
    ROW ("cpuset", "cpuset.sched_load_balance", number, cpuset.sched_load_balance),
    ROW ("cpuset", "cpuset.sched_relax_domain_level", signed, cpuset.sched_relax_domain_level),
    MEMORY ("memory", usage),
    MEMORY ("memory.memsw", swap),
    MEMORY ("memory.kmem", kernel),
    MEMORY ("memory.kmem.tcp", kernel_tcp),
    ROW ("memory", "memory.stat", names, memory.raw),
    ROW ("pids", "pids.current", number, pids_current),
    ROW ("pids", "pids.max", pids_limit, pids_limit),
    THROTTLE ("io_service_bytes", STATS_IO_SERVICE_BYTES),
    THROTTLE ("io_serviced", STATS_IO_SERVICED),
    BLKIO ("io_queued_recursive", STATS_IO_QUEUED),
    BLKIO ("io_service_time_recursive", STATS_IO_SERVICE_TIME),
    BLKIO ("io_wait_time_recursive", STATS_IO_WAIT_TIME),
    BLKIO ("io_merged_recursive", STATS_IO_MERGED),
    BLKIO ("time_recursive", STATS_IO_TIME),
    BLKIO ("sectors_recursive", STATS_IO_SECTORS),
    ROW ("rdma", "rdma.current", rdma, rdma_current),
    ROW ("rdma", "rdma.max", rdma, rdma_limit),
    ROW ("misc", "misc.current", names, misc_current),
    ROW ("misc", "misc.events", names, misc_events),
};

const struct stats_files stats_files_v1 = {
    .items = files,
    .count = sizeof files / sizeof files[0],
    .hugetlb = "hugetlb",
    .usage = ".usage_in_bytes",
    .max = ".max_usage_in_bytes",
    .failures = ".failcnt",
};
