/* SPDX-License-Identifier: Apache-2.0 */
/* events_json: see events.h. Pure. */
#include "lifecycle/events.h"

#include "base/json_write.h"

static void put_positive (struct json_writer *writer, const char *key, uint64_t value)
{
    if (value > 0)
        json_uint (writer, key, value);
}

static void put_numbers (struct json_writer *writer, const char *key,
                         const struct stats_numbers *numbers)
{
    if (numbers->count == 0)
        return;
    json_open (writer, key, '[');
    for (size_t i = 0; i < numbers->count; i++)
        json_uint (writer, NULL, numbers->items[i]);
    json_close (writer, ']');
}

static void put_pressure_line (struct json_writer *writer, const char *key,
                               const struct stats_pressure_line *line)
{
    json_open (writer, key, '{');
    json_hundredths (writer, "avg10", line->avg10);
    json_hundredths (writer, "avg60", line->avg60);
    json_hundredths (writer, "avg300", line->avg300);
    json_uint (writer, "total", line->total);
    json_close (writer, '}');
}

static void put_pressure (struct json_writer *writer, const struct stats_pressure *pressure)
{
    if (!pressure->present)
        return;
    json_open (writer, "psi", '{');
    put_pressure_line (writer, "some", &pressure->some);
    put_pressure_line (writer, "full", &pressure->full);
    json_close (writer, '}');
}

static void put_cpu (struct json_writer *writer, const struct stats_cpu *cpu)
{
    json_open (writer, "cpu", '{');
    json_open (writer, "usage", '{');
    put_positive (writer, "total", cpu->total);
    put_numbers (writer, "percpu", &cpu->percpu);
    put_numbers (writer, "percpu_kernel", &cpu->percpu_kernel);
    put_numbers (writer, "percpu_user", &cpu->percpu_user);
    json_uint (writer, "kernel", cpu->kernel);
    json_uint (writer, "user", cpu->user);
    json_close (writer, '}');
    json_open (writer, "throttling", '{');
    put_positive (writer, "periods", cpu->periods);
    put_positive (writer, "throttledPeriods", cpu->throttled_periods);
    put_positive (writer, "throttledTime", cpu->throttled_time);
    json_close (writer, '}');
    if (cpu->burst_periods > 0) {
        json_open (writer, "burst", '{');
        json_uint (writer, "burstsPeriods", cpu->burst_periods);
        put_positive (writer, "burstTime", cpu->burst_time);
        json_close (writer, '}');
    }
    put_pressure (writer, &cpu->pressure);
    json_close (writer, '}');
}

static void put_cpuset (struct json_writer *writer, const struct stats_cpuset *cpuset)
{
    json_open (writer, "cpuset", '{');
    put_numbers (writer, "cpus", &cpuset->cpus);
    json_uint (writer, "cpu_exclusive", cpuset->cpu_exclusive);
    put_numbers (writer, "mems", &cpuset->mems);
    json_uint (writer, "mem_hardwall", cpuset->mem_hardwall);
    json_uint (writer, "mem_exclusive", cpuset->mem_exclusive);
    json_uint (writer, "memory_migrate", cpuset->memory_migrate);
    json_uint (writer, "memory_spread_page", cpuset->memory_spread_page);
    json_uint (writer, "memory_spread_slab", cpuset->memory_spread_slab);
    json_uint (writer, "memory_pressure", cpuset->memory_pressure);
    json_uint (writer, "sched_load_balance", cpuset->sched_load_balance);
    json_int (writer, "sched_relax_domain_level", cpuset->sched_relax_domain_level);
    json_close (writer, '}');
}

static void put_use (struct json_writer *writer, const char *key,
                     const struct stats_memory_use *use)
{
    json_open (writer, key, '{');
    json_uint (writer, "limit", use->limit);
    put_positive (writer, "usage", use->usage);
    put_positive (writer, "max", use->max);
    json_uint (writer, "failcnt", use->failcnt);
    json_close (writer, '}');
}

static void put_memory (struct json_writer *writer, const struct stats_memory *memory)
{
    const struct stats_memory_use *only = &memory->swap_only;

    json_open (writer, "memory", '{');
    put_positive (writer, "cache", memory->cache);
    put_use (writer, "usage", &memory->usage);
    put_use (writer, "swap", &memory->swap);
    if (only->limit || only->usage || only->max || only->failcnt)
        put_use (writer, "swapOnly", only);
    put_use (writer, "kernel", &memory->kernel);
    put_use (writer, "kernelTCP", &memory->kernel_tcp);
    if (memory->raw.count > 0) {
        json_open (writer, "raw", '{');
        for (size_t i = 0; i < memory->raw.count; i++)
            json_uint (writer, memory->raw.items[i].name, memory->raw.items[i].value);
        json_close (writer, '}');
    }
    put_pressure (writer, &memory->pressure);
    json_close (writer, '}');
}

static void put_pids (struct json_writer *writer, const struct cgroup_stats *stats)
{
    json_open (writer, "pids", '{');
    put_positive (writer, "current", stats->pids_current);
    put_positive (writer, "limit", stats->pids_limit);
    json_close (writer, '}');
}

static void put_blkio (struct json_writer *writer, const struct cgroup_stats *stats)
{
    static const char *const keys[] = {
        [STATS_IO_SERVICE_BYTES] = "ioServiceBytesRecursive",
        [STATS_IO_SERVICED] = "ioServicedRecursive",
        [STATS_IO_QUEUED] = "ioQueueRecursive",
        [STATS_IO_SERVICE_TIME] = "ioServiceTimeRecursive",
        [STATS_IO_WAIT_TIME] = "ioWaitTimeRecursive",
        [STATS_IO_MERGED] = "ioMergedRecursive",
        [STATS_IO_TIME] = "ioTimeRecursive",
        [STATS_IO_SECTORS] = "sectorsRecursive",
        [STATS_IO_COST_USAGE] = "ioCostUsage",
        [STATS_IO_COST_WAIT] = "ioCostWait",
        [STATS_IO_COST_INDEBT] = "ioCostIndebt",
        [STATS_IO_COST_INDELAY] = "ioCostIndelay",
    };

    json_open (writer, "blkio", '{');
    for (size_t kind = 0; kind < STATS_IO_KINDS; kind++) {
        const struct stats_ios *ios = &stats->io[kind];
        if (ios->count == 0)
            continue;
        json_open (writer, keys[kind], '[');
        for (size_t i = 0; i < ios->count; i++) {
            json_open (writer, NULL, '{');
            put_positive (writer, "major", ios->items[i].major);
            put_positive (writer, "minor", ios->items[i].minor);
            if (*ios->items[i].op)
                json_string (writer, "op", ios->items[i].op);
            put_positive (writer, "value", ios->items[i].value);
            json_close (writer, '}');
        }
        json_close (writer, ']');
    }
    put_pressure (writer, &stats->io_pressure);
    json_close (writer, '}');
}

static void put_hugetlb (struct json_writer *writer, const struct stats_hugetlbs *list)
{
    json_open (writer, "hugetlb", '{');
    for (size_t i = 0; i < list->count; i++) {
        json_open (writer, list->items[i].size, '{');
        put_positive (writer, "usage", list->items[i].usage);
        put_positive (writer, "max", list->items[i].max);
        json_uint (writer, "failcnt", list->items[i].failcnt);
        json_close (writer, '}');
    }
    json_close (writer, '}');
}

static void put_rdma_list (struct json_writer *writer, const char *key,
                           const struct stats_rdmas *list)
{
    json_open (writer, key, '[');
    for (size_t i = 0; i < list->count; i++) {
        json_open (writer, NULL, '{');
        json_string (writer, "device", list->items[i].device);
        json_uint (writer, "hcaHandles", list->items[i].handles);
        json_uint (writer, "hcaObjects", list->items[i].objects);
        json_close (writer, '}');
    }
    json_close (writer, ']');
}

/* What runc's lines do not have. */
static void put_rdma (struct json_writer *writer, const struct cgroup_stats *stats)
{
    if (stats->rdma_current.count + stats->rdma_limit.count == 0)
        return;
    json_open (writer, "rdma", '{');
    put_rdma_list (writer, "current", &stats->rdma_current);
    put_rdma_list (writer, "limit", &stats->rdma_limit);
    json_close (writer, '}');
}

/* In misc.events the names are "RESOURCE.max". */
static uint64_t misc_events (const struct stats_names *events, const char *resource)
{
    size_t length = strlen (resource);

    for (size_t i = 0; i < events->count; i++)
        if (text_starts_with (events->items[i].name, resource) &&
            text_equal (events->items[i].name + length, ".max"))
            return events->items[i].value;
    return 0;
}

static void put_misc (struct json_writer *writer, const struct cgroup_stats *stats)
{
    if (stats->misc_current.count == 0)
        return;
    json_open (writer, "misc", '{');
    for (size_t i = 0; i < stats->misc_current.count; i++) {
        const struct stats_named *item = &stats->misc_current.items[i];
        json_open (writer, item->name, '{');
        json_uint (writer, "usage", item->value);
        json_uint (writer, "events", misc_events (&stats->misc_events, item->name));
        json_close (writer, '}');
    }
    json_close (writer, '}');
}

static void put_rdt_domains (struct json_writer *writer, const struct rdt_stats *rdt)
{
    if (rdt->has_mbm) {
        json_open (writer, "mbm_stats", '[');
        for (size_t i = 0; i < rdt->domain_count; i++) {
            json_open (writer, NULL, '{');
            json_uint (writer, "mbm_total_bytes", rdt->domains[i].mbm_total_bytes);
            json_uint (writer, "mbm_local_bytes", rdt->domains[i].mbm_local_bytes);
            json_close (writer, '}');
        }
        json_close (writer, ']');
    }
    if (rdt->has_cmt) {
        json_open (writer, "cmt_stats", '[');
        for (size_t i = 0; i < rdt->domain_count; i++) {
            json_open (writer, NULL, '{');
            json_uint (writer, "llc_occupancy", rdt->domains[i].llc_occupancy);
            json_close (writer, '}');
        }
        json_close (writer, ']');
    }
}

static void put_optional (struct json_writer *writer, const char *key, const char *value)
{
    if (value && *value)
        json_string (writer, key, value);
}

static void put_rdt (struct json_writer *writer, const struct rdt_stats *rdt)
{
    json_open (writer, "intel_rdt", '{');
    if (rdt && rdt->l3.present) {
        json_open (writer, "l3_cache_info", '{');
        put_optional (writer, "cbm_mask", rdt->l3.cbm_mask);
        put_positive (writer, "min_cbm_bits", rdt->l3.min_cbm_bits);
        put_positive (writer, "num_closids", rdt->l3.num_closids);
        json_close (writer, '}');
        put_optional (writer, "l3_cache_schema_root", rdt->l3.schema_root);
        put_optional (writer, "l3_cache_schema", rdt->l3.schema);
    }
    if (rdt && rdt->mb.present) {
        json_open (writer, "mem_bw_info", '{');
        put_positive (writer, "bandwidth_gran", rdt->mb.bandwidth_gran);
        put_positive (writer, "delay_linear", rdt->mb.delay_linear);
        put_positive (writer, "min_bandwidth", rdt->mb.min_bandwidth);
        put_positive (writer, "num_closids", rdt->mb.num_closids);
        json_close (writer, '}');
        put_optional (writer, "mem_bw_schema_root", rdt->mb.schema_root);
        put_optional (writer, "mem_bw_schema", rdt->mb.schema);
    }
    if (rdt)
        put_rdt_domains (writer, rdt);
    json_close (writer, '}');
}

static void put_interfaces (struct json_writer *writer, const struct netcounters *list)
{
    json_open (writer, "network_interfaces", '[');
    for (size_t i = 0; i < list->count; i++) {
        const struct netcounter *item = &list->items[i];
        json_open (writer, NULL, '{');
        json_string (writer, "Name", item->name);
        json_uint (writer, "RxBytes", item->rx_bytes);
        json_uint (writer, "RxPackets", item->rx_packets);
        json_uint (writer, "RxErrors", item->rx_errors);
        json_uint (writer, "RxDropped", item->rx_dropped);
        json_uint (writer, "TxBytes", item->tx_bytes);
        json_uint (writer, "TxPackets", item->tx_packets);
        json_uint (writer, "TxErrors", item->tx_errors);
        json_uint (writer, "TxDropped", item->tx_dropped);
        json_close (writer, '}');
    }
    json_close (writer, ']');
}

void events_stats_line (struct text *out, const char *id, const struct events_stats *stats)
{
    struct json_writer writer = {.out = out};

    json_open (&writer, NULL, '{');
    json_string (&writer, "type", "stats");
    json_string (&writer, "id", id);
    json_open (&writer, "data", '{');
    put_cpu (&writer, &stats->cgroup.cpu);
    put_cpuset (&writer, &stats->cgroup.cpuset);
    put_memory (&writer, &stats->cgroup.memory);
    put_pids (&writer, &stats->cgroup);
    put_blkio (&writer, &stats->cgroup);
    put_hugetlb (&writer, &stats->cgroup.hugetlb);
    put_rdma (&writer, &stats->cgroup);
    put_misc (&writer, &stats->cgroup);
    put_rdt (&writer, stats->has_rdt ? &stats->rdt : NULL);
    if (stats->has_interfaces)
        put_interfaces (&writer, &stats->interfaces);
    else
        json_null (&writer, "network_interfaces");
    json_close (&writer, '}');
    json_close (&writer, '}');
    text_putc (out, '\n');
}

void events_oom_line (struct text *out, const char *id)
{
    struct json_writer writer = {.out = out};

    json_open (&writer, NULL, '{');
    json_string (&writer, "type", "oom");
    json_string (&writer, "id", id);
    json_close (&writer, '}');
    text_putc (out, '\n');
}
