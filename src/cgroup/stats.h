/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats: what the kernel has counted for a container's cgroup, in one form for v1, v2 and hybrid
 * hosts. Times are nanoseconds, sizes bytes; a limit that is not set is UINT64_MAX, but for that of
 * pids, which is 0 (as runc says them).
 *
 * Each file has a pure parser (stats_parse.h) and a row in a table (stats_v1.c, stats_v2.c); what
 * is not there leaves its zeros: a controller that is off, a kernel without pressure stall
 * information, a cgroup that vanishes while it is read.
 */
#ifndef RT_CGROUP_STATS_H
#define RT_CGROUP_STATS_H

#include "cgroup/cgroup.h"

#include <stddef.h>
#include <stdint.h>

struct stats_numbers {
    uint64_t *items;
    size_t count;
};

/* Lines of "name number", in the kernel's order. */
struct stats_named {
    const char *name;
    uint64_t value;
};

struct stats_names {
    struct stats_named *items;
    size_t count;
};

/* Averages of the last 10, 60 and 300 seconds in hundredths of a percent; total in microseconds. */
struct stats_pressure_line {
    uint64_t avg10, avg60, avg300, total;
};

struct stats_pressure {
    bool present;
    struct stats_pressure_line some, full;
};

struct stats_memory_use {
    uint64_t usage, limit, max, failcnt;
};

struct stats_memory {
    uint64_t cache;
    struct stats_memory_use usage;
    struct stats_memory_use swap;      /* memory and swap together, as v1 counts */
    struct stats_memory_use swap_only; /* v2 */
    struct stats_memory_use kernel, kernel_tcp;
    struct stats_names raw; /* memory.stat */
    struct stats_pressure pressure;
};

struct stats_cpu {
    uint64_t total, user, kernel;
    struct stats_numbers percpu, percpu_user, percpu_kernel;
    uint64_t periods, throttled_periods, throttled_time;
    uint64_t burst_periods, burst_time;
    struct stats_pressure pressure;
};

struct stats_cpuset {
    struct stats_numbers cpus, mems;
    uint64_t cpu_exclusive, mem_hardwall, mem_exclusive, memory_migrate;
    uint64_t memory_spread_page, memory_spread_slab, memory_pressure, sched_load_balance;
    int64_t sched_relax_domain_level;
};

/* `op` is "Read", "Write", "Sync", "Async", "Discard", "Total"; "" where there is but one number.
 */
struct stats_io {
    uint64_t major, minor, value;
    const char *op;
};

enum stats_io_kind {
    STATS_IO_SERVICE_BYTES,
    STATS_IO_SERVICED,
    STATS_IO_QUEUED,
    STATS_IO_SERVICE_TIME,
    STATS_IO_WAIT_TIME,
    STATS_IO_MERGED,
    STATS_IO_TIME,
    STATS_IO_SECTORS,
    STATS_IO_COST_USAGE, /* the four of iocost: microseconds */
    STATS_IO_COST_WAIT,
    STATS_IO_COST_INDEBT,
    STATS_IO_COST_INDELAY,
    STATS_IO_KINDS
};

struct stats_ios {
    struct stats_io *items;
    size_t count;
};

struct stats_hugetlb {
    const char *size; /* "2MB" */
    uint64_t usage, max, failcnt;
};

struct stats_hugetlbs {
    struct stats_hugetlb *items;
    size_t count;
};

struct stats_rdma {
    const char *device;
    uint64_t handles, objects;
};

struct stats_rdmas {
    struct stats_rdma *items;
    size_t count;
};

struct cgroup_stats {
    struct stats_cpu cpu;
    struct stats_cpuset cpuset;
    struct stats_memory memory;
    uint64_t pids_current, pids_limit;
    bool pids_counted; /* by the controller */
    struct stats_ios io[STATS_IO_KINDS];
    struct stats_pressure io_pressure;
    struct stats_hugetlbs hugetlb;
    struct stats_rdmas rdma_current, rdma_limit;
    struct stats_names misc_current, misc_events;
};

/* Everything is in the arena. A file whose text cannot be understood is an error that names it. */
int cgroup_stats_read (struct arena *arena, const struct oci_map *paths, struct cgroup_stats *stats,
                       struct error *err);

#endif
