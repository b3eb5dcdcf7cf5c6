/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From linux.resources to files and values, for both versions of cgroups, without touching any.
 */
#include "cgroup/cpu.h"
#include "cgroup/knob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define INT(v)                                                                                     \
    {                                                                                              \
        .present = true, .value = (v)                                                              \
    }

typedef int convert_fn (const struct oci_resources *, enum cgroup_version, struct knobs *,
                        struct error *);

/* All knobs on one line: "file=value file=value". */
static char *show (struct arena *arena, const struct knobs *knobs)
{
    char *line = arena_string (arena, "");

    for (size_t i = 0; i < knobs->count; i++)
        line = arena_printf (arena, "%s%s%s=%s", line, i ? " | " : "", knobs->items[i].file,
                             knobs->items[i].value);
    return line;
}

static void expect_as (convert_fn *convert, const struct oci_resources *resources,
                       enum cgroup_version version, const char *wanted)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct knobs knobs = {.arena = &arena};
    struct error err = {0};
    int result = convert (resources, version, &knobs, &err);

    if (wanted[0] == '!') { /* an error at this pointer */
        assert_int_equal (result, -1);
        assert_string_equal (err.pointer, wanted + 1);
        assert_true (error_is_set (&err));
        return;
    }
    if (result < 0)
        print_error ("%s\n", err.text);
    assert_int_equal (result, 0);
    assert_string_equal (show (&arena, &knobs), wanted);
    for (size_t i = 0; i < knobs.count; i++)
        assert_true (strncmp (knobs.items[i].pointer, "/linux/resources/", 17) == 0);
}

static void expect (convert_fn *convert, const struct oci_resources *resources, const char *v1,
                    const char *v2)
{
    expect_as (convert, resources, CGROUP_VERSION_1, v1);
    expect_as (convert, resources, CGROUP_VERSION_2, v2);
}

static void wants_memory (struct oci_memory memory, const char *v1, const char *v2)
{
    expect (memory_knobs, &(struct oci_resources){.memory = &memory}, v1, v2);
}

static void wants_cpu (struct oci_cpu cpu, const char *v1, const char *v2)
{
    expect (cpu_knobs, &(struct oci_resources){.cpu = &cpu}, v1, v2);
}

static void wants_io (struct oci_block_io io, const char *v1, const char *v2)
{
    expect (io_knobs, &(struct oci_resources){.block_io = &io}, v1, v2);
}

/* rows: CGR-21 CGR-22 CGR-38 */
static void pids_limit_is_written_as_it_is (void **state)
{
    (void)state;
    struct oci_resources resources = {0};
    expect (pids_knobs, &resources, "", "");
    resources.pids_limit = (struct oci_int64)INT (100);
    expect (pids_knobs, &resources, "pids.max=100", "pids.max=100");
    resources.pids_limit.value = 0;
    expect (pids_knobs, &resources, "pids.max=0", "pids.max=0");
    resources.pids_limit.value = -1;
    expect (pids_knobs, &resources, "pids.max=max", "pids.max=max");
    resources.pids_limit.value = -2;
    expect (pids_knobs, &resources, "!/linux/resources/pids/limit", "!/linux/resources/pids/limit");
}

/* rows: CGR-01 CGR-03 CGR-38 */
static void memory_limit_and_reservation (void **state)
{
    (void)state;
    wants_memory ((struct oci_memory){0}, "", "");
    wants_memory ((struct oci_memory){.limit = INT (0), .swap = INT (0)}, "", "");
    wants_memory ((struct oci_memory){.limit = INT (1 << 20), .reservation = INT (4096)},
                  "memory.limit_in_bytes=1048576 | memory.soft_limit_in_bytes=4096",
                  "memory.max=1048576 | memory.low=4096");
    wants_memory ((struct oci_memory){.limit = INT (9223372036854771712)},
                  "memory.limit_in_bytes=9223372036854771712", "memory.max=9223372036854771712");
    wants_memory ((struct oci_memory){.limit = INT (-2)}, "!/linux/resources/memory/limit",
                  "!/linux/resources/memory/limit");
    wants_memory ((struct oci_memory){.reservation = INT (-7)},
                  "!/linux/resources/memory/reservation", "!/linux/resources/memory/reservation");
}

/* rows: CGR-04 CGR-05 CGR-06 CGR-07 */
static void swap_is_a_total_in_v1_and_alone_in_v2 (void **state)
{
    (void)state;
    wants_memory ((struct oci_memory){.limit = INT (1000), .swap = INT (3000)},
                  "memory.limit_in_bytes=1000 | memory.memsw.limit_in_bytes=3000",
                  "memory.swap.max=2000 | memory.max=1000");
    wants_memory ((struct oci_memory){.limit = INT (1000), .swap = INT (1000)},
                  "memory.limit_in_bytes=1000 | memory.memsw.limit_in_bytes=1000",
                  "memory.swap.max=0 | memory.max=1000");
    wants_memory ((struct oci_memory){.limit = INT (1000), .swap = INT (-1)},
                  "memory.limit_in_bytes=1000 | memory.memsw.limit_in_bytes=-1",
                  "memory.swap.max=max | memory.max=1000");
    wants_memory ((struct oci_memory){.limit = INT (-1)},
                  "memory.limit_in_bytes=-1 | memory.memsw.limit_in_bytes=-1",
                  "memory.swap.max=max | memory.max=max");
    wants_memory ((struct oci_memory){.limit = INT (-1), .swap = INT (5000)},
                  "memory.limit_in_bytes=-1 | memory.memsw.limit_in_bytes=5000",
                  "memory.swap.max=5000 | memory.max=max");
    wants_memory ((struct oci_memory){.limit = INT (2000), .swap = INT (1000)},
                  "!/linux/resources/memory/swap", "!/linux/resources/memory/swap");
    wants_memory ((struct oci_memory){.swap = INT (1000)}, "!/linux/resources/memory/swap",
                  "!/linux/resources/memory/swap");
    wants_memory ((struct oci_memory){.swap = INT (-3)}, "!/linux/resources/memory/swap",
                  "!/linux/resources/memory/swap");
}

/* rows: CGR-09 CGR-10 CGR-11 CGR-12 */
static void what_v2_does_not_have_is_an_error_there (void **state)
{
    (void)state;
    wants_memory ((struct oci_memory){.kernel = INT (4096)}, "memory.kmem.limit_in_bytes=4096",
                  "!/linux/resources/memory/kernel");
    wants_memory ((struct oci_memory){.kernel = INT (-1), .kernel_tcp = INT (-1)},
                  "memory.kmem.limit_in_bytes=-1 | memory.kmem.tcp.limit_in_bytes=-1", "");
    wants_memory ((struct oci_memory){.kernel_tcp = INT (4096)},
                  "memory.kmem.tcp.limit_in_bytes=4096", "!/linux/resources/memory/kernelTCP");
    wants_memory ((struct oci_memory){.swappiness = INT (60)}, "memory.swappiness=60",
                  "!/linux/resources/memory/swappiness");
    wants_memory ((struct oci_memory){.swappiness = INT (101)},
                  "!/linux/resources/memory/swappiness", "!/linux/resources/memory/swappiness");
    wants_memory ((struct oci_memory){.swappiness = INT (UINT64_MAX)}, "", "");
    wants_memory ((struct oci_memory){.disable_oom_killer = INT (true)}, "memory.oom_control=1",
                  "!/linux/resources/memory/disableOOMKiller");
    wants_memory ((struct oci_memory){.disable_oom_killer = INT (false)}, "memory.oom_control=0",
                  "");
    wants_memory ((struct oci_memory){.use_hierarchy = INT (true)}, "memory.use_hierarchy=1", "");
    wants_memory ((struct oci_memory){.use_hierarchy = INT (false)}, "memory.use_hierarchy=0",
                  "!/linux/resources/memory/useHierarchy");
}

/* rows: CGR-14 */
static void shares_become_weight (void **state)
{
    static const struct {
        uint64_t shares, weight;
    } rows[] = {{0, 1},
                {1, 1},
                {2, 1},
                {3, 2},
                {100, 17},
                {512, 59},
                {1024, 100},
                {2048, 174},
                {10000, 627},
                {65536, 3023},
                {262143, 10000},
                {262144, 10000},
                {UINT64_MAX, 10000}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal (cpu_shares_to_weight (rows[i].shares), rows[i].weight);
    for (uint64_t shares = 3; shares < 262144; shares++)
        assert_true (cpu_shares_to_weight (shares) >= cpu_shares_to_weight (shares - 1));
    wants_cpu ((struct oci_cpu){.shares = INT (1024)}, "cpu.shares=1024", "cpu.weight=100");
    wants_cpu ((struct oci_cpu){.shares = INT (0)}, "", "");
}

/* rows: CGR-15 CGR-17 CGR-18 CGR-19 CGR-38 */
static void cpu_bandwidth (void **state)
{
    (void)state;
    wants_cpu ((struct oci_cpu){.quota = INT (5000), .period = INT (10000)},
               "cpu.cfs_period_us=10000 | cpu.cfs_quota_us=5000", "cpu.max=5000 10000");
    wants_cpu ((struct oci_cpu){.quota = INT (5000)}, "cpu.cfs_quota_us=5000", "cpu.max=5000");
    wants_cpu ((struct oci_cpu){.quota = INT (-1)}, "cpu.cfs_quota_us=-1", "cpu.max=max");
    wants_cpu ((struct oci_cpu){.period = INT (50000)}, "cpu.cfs_period_us=50000",
               "cpu.max=50000"); /* behind what is there: KNOB_AFTER_FIRST */
    wants_cpu ((struct oci_cpu){.quota = INT (0), .period = INT (0)}, "", "");
    wants_cpu ((struct oci_cpu){.quota = INT (-5)}, "!/linux/resources/cpu/quota",
               "!/linux/resources/cpu/quota");
    wants_cpu ((struct oci_cpu){.quota = INT (5000), .burst = INT (1000)},
               "cpu.cfs_quota_us=5000 | cpu.cfs_burst_us=1000",
               "cpu.max=5000 | cpu.max.burst=1000");
    wants_cpu ((struct oci_cpu){.shares = INT (1024), .idle = INT (1)},
               "cpu.shares=1024 | cpu.idle=1", "cpu.weight=100 | cpu.idle=1");
    wants_cpu ((struct oci_cpu){.shares = INT (1024), .idle = INT (0)},
               "cpu.idle=0 | cpu.shares=1024", "cpu.idle=0 | cpu.weight=100");
    wants_cpu ((struct oci_cpu){.realtime_runtime = INT (950), .realtime_period = INT (1000)},
               "cpu.rt_period_us=1000 | cpu.rt_runtime_us=950",
               "!/linux/resources/cpu/realtimeRuntime");
    wants_cpu ((struct oci_cpu){.realtime_period = INT (1000)}, "cpu.rt_period_us=1000",
               "!/linux/resources/cpu/realtimePeriod");
}

/* rows: CGR-20 */
static void cpusets_are_passed_on (void **state)
{
    struct oci_cpu cpu = {.cpus = "0-1", .mems = "0"};

    (void)state;
    expect (cpuset_knobs, &(struct oci_resources){.cpu = &cpu}, "cpuset.cpus=0-1 | cpuset.mems=0",
            "cpuset.cpus=0-1 | cpuset.mems=0");
    cpu = (struct oci_cpu){.cpus = ""};
    expect (cpuset_knobs, &(struct oci_resources){.cpu = &cpu}, "", "");
}

/* rows: CGR-23 CGR-24 CGR-25 */
static void io_weights (void **state)
{
    struct oci_device_weight device = {.major = 8, .minor = 16, .weight = INT (500)};
    struct oci_device_weight leaf = {.major = 8, .minor = 0, .leaf_weight = INT (300)};

    (void)state;
    wants_io ((struct oci_block_io){.weight = INT (10)}, "blkio.weight=10 | blkio.bfq.weight=10",
              "io.bfq.weight=10 | io.weight=1");
    wants_io ((struct oci_block_io){.weight = INT (1000)},
              "blkio.weight=1000 | blkio.bfq.weight=1000", "io.bfq.weight=1000 | io.weight=10000");
    wants_io ((struct oci_block_io){.weight = INT (5)}, "!/linux/resources/blockIO/weight",
              "!/linux/resources/blockIO/weight");
    wants_io ((struct oci_block_io){.leaf_weight = INT (10)}, "blkio.leaf_weight=10",
              "!/linux/resources/blockIO/leafWeight");
    wants_io ((struct oci_block_io){.weight_device = {.count = 1, .items = &device}},
              "blkio.weight_device=8:16 500 | blkio.bfq.weight_device=8:16 500",
              "io.bfq.weight=8:16 500 | io.weight=8:16 4950");
    wants_io ((struct oci_block_io){.weight_device = {.count = 1, .items = &leaf}},
              "blkio.leaf_weight_device=8:0 300",
              "!/linux/resources/blockIO/weightDevice/0/leafWeight");
}

/* rows: CGR-26 */
static void io_throttles (void **state)
{
    struct oci_device_throttle items[] = {{8, 0, 600}, {8, 16, 0}};
    struct oci_throttles one = {.count = 1, .items = items};
    struct oci_throttles two = {.count = 2, .items = items};

    (void)state;
    wants_io ((struct oci_block_io){.read_bps = two},
              "blkio.throttle.read_bps_device=8:0 600 | blkio.throttle.read_bps_device=8:16 0",
              "io.max=8:0 rbps=600 | io.max=8:16 rbps=max");
    wants_io ((struct oci_block_io){.write_bps = one, .read_iops = one, .write_iops = one},
              "blkio.throttle.write_bps_device=8:0 600 | blkio.throttle.read_iops_device=8:0 600 "
              "| blkio.throttle.write_iops_device=8:0 600",
              "io.max=8:0 wbps=600 | io.max=8:0 riops=600 | io.max=8:0 wiops=600");
}

/* rows: CGR-27 CGR-28 */
static void huge_pages (void **state)
{
    static const char *const bad[] = {"../../x", "2M",   "MB", "02MB", "2mb",
                                      "2TB",     "2MB/", "",   "2MBB", "99999999999999999999MB"};
    struct oci_hugepage_limit item = {"2MB", 209715200};
    struct oci_resources resources = {.hugepage_limits = {.count = 1, .items = &item}};

    (void)state;
    expect (hugetlb_knobs, &resources,
            "hugetlb.2MB.rsvd.limit_in_bytes=209715200 | hugetlb.2MB.limit_in_bytes=209715200",
            "hugetlb.2MB.rsvd.max=209715200 | hugetlb.2MB.max=209715200");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        item.page_size = bad[i];
        expect (hugetlb_knobs, &resources, "!/linux/resources/hugepageLimits/0/pageSize",
                "!/linux/resources/hugepageLimits/0/pageSize");
    }
}

/* rows: CGR-29 */
static void network_is_v1_only (void **state)
{
    struct oci_interface_priority priority = {"eth0", 500};
    struct oci_network network = {.class_id = INT (1048577),
                                  .priorities = {.count = 1, .items = &priority}};
    struct oci_resources resources = {.network = &network};

    (void)state;
    expect (network_class_knobs, &resources, "net_cls.classid=1048577",
            "!/linux/resources/network/classID");
    expect (network_priority_knobs, &resources, "net_prio.ifpriomap=eth0 500",
            "!/linux/resources/network/priorities");
}

/* rows: CGR-30 */
static void rdma_limits (void **state)
{
    struct oci_rdma items[] = {
        {"mlx5_1", INT (3), INT (10000)}, {"mlx4_0", {0}, INT (1000)}, {"rxe3", {0}, {0}}};
    struct oci_resources resources = {.rdma = {.count = 2, .items = items}};

    (void)state;
    expect (rdma_knobs, &resources,
            "rdma.max=mlx5_1 hca_handle=3 hca_object=10000 | rdma.max=mlx4_0 hca_object=1000",
            "rdma.max=mlx5_1 hca_handle=3 hca_object=10000 | rdma.max=mlx4_0 hca_object=1000");
    resources.rdma.count = 3;
    expect (rdma_knobs, &resources, "!/linux/resources/rdma/rxe3", "!/linux/resources/rdma/rxe3");
}

/* rows: CGR-31 CGR-34 */
static void unified_names_files (void **state)
{
    struct oci_pair items[] = {{"io.max", "8:0 rbps=1\n8:16 wbps=2\n"}, {"cgroup.max.depth", "3"}};
    struct oci_resources resources = {.unified = {.count = 2, .items = items}};
    static const char *const bad[] = {"../cgroup.procs", "cgroupprocs", ".procs", "memory.", ""};

    (void)state;
    expect (unified_knobs, &resources, "!/linux/resources/unified/io.max",
            "io.max=8:0 rbps=1 | io.max=8:16 wbps=2 | cgroup.max.depth=3");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct knobs knobs = {.arena = &arena};
        struct error err = {0};
        items[0].key = bad[i];
        assert_int_equal (unified_knobs (&resources, CGROUP_VERSION_2, &knobs, &err), -1);
    }
    items[0].key = "a/b.~c";
    expect_as (unified_knobs, &resources, CGROUP_VERSION_2, "!/linux/resources/unified/a~1b.~0c");
}

/* rows: CGR-39 CGR-33 CGM-03 */
static void each_controller_goes_where_it_lives (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct oci_pair hybrid[] = {{"cpu,cpuacct", "/c"}, {"pids", "/p"}, {"", "/u"}};
    struct oci_map paths = {.count = 3, .items = hybrid};
    struct oci_memory memory = {.limit = INT (4096)};
    struct oci_cpu cpu = {.shares = INT (1024)};
    struct oci_pair unified = {"memory.max", "8192"};
    struct oci_resources resources = {.memory = &memory,
                                      .cpu = &cpu,
                                      .pids_limit = INT (5),
                                      .unified = {.count = 1, .items = &unified}};
    struct knobs knobs = {.arena = &arena};
    struct error err = {0};

    (void)state;
    assert_int_equal (knobs_for (&paths, &resources, &knobs, &err), 0);
    assert_string_equal (show (&arena, &knobs),
                         "pids.max=5 | memory.max=4096 | cpu.shares=1024 | memory.max=8192");
    paths.count = 2;
    knobs = (struct knobs){.arena = &arena};
    assert_int_equal (knobs_for (&paths, &resources, &knobs, &err), -1);
    assert_string_equal (err.pointer, "/linux/resources/unified/memory.max");
}

/* rows: CGR-14 CGR-38 */
static void what_is_read_back_is_compared (void **state)
{
    struct knob exact = {.value = "100", .check = KNOB_EXACT};
    struct knob bytes = {.value = "5000", .check = KNOB_ROUNDED, .unit = 4096};

    (void)state;
    assert_int_equal (knob_compare (&exact, exact.value, "100"), KNOB_HOLDS);
    assert_int_equal (knob_compare (&exact, exact.value, "100\n"), KNOB_HOLDS);
    assert_int_equal (knob_compare (&exact, exact.value, "default 100"), KNOB_HOLDS);
    assert_int_equal (knob_compare (&exact, exact.value, "99"), KNOB_DIFFERS);
    assert_int_equal (knob_compare (&exact, exact.value, "max"), KNOB_DIFFERS);
    assert_int_equal (knob_compare (&exact, exact.value, "nonsense"), KNOB_DIFFERS);
    assert_int_equal (knob_compare (&bytes, bytes.value, "4096"), KNOB_WAS_ROUNDED);
    assert_int_equal (knob_compare (&bytes, bytes.value, "8192"), KNOB_WAS_ROUNDED);
    assert_int_equal (knob_compare (&bytes, bytes.value, "0"), KNOB_DIFFERS);
    bytes.value = "-1";
    assert_int_equal (knob_compare (&bytes, bytes.value, "9223372036854771712"), KNOB_HOLDS);
    assert_int_equal (knob_compare (&bytes, bytes.value, "max"), KNOB_HOLDS);
    assert_int_equal (knob_compare (&bytes, bytes.value, "4096"), KNOB_DIFFERS);
    bytes.value = "9223372036854775807";
    assert_int_equal (knob_compare (&bytes, bytes.value, "max"), KNOB_HOLDS);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (pids_limit_is_written_as_it_is),
        cmocka_unit_test (memory_limit_and_reservation),
        cmocka_unit_test (swap_is_a_total_in_v1_and_alone_in_v2),
        cmocka_unit_test (what_v2_does_not_have_is_an_error_there),
        cmocka_unit_test (shares_become_weight),
        cmocka_unit_test (cpu_bandwidth),
        cmocka_unit_test (cpusets_are_passed_on),
        cmocka_unit_test (io_weights),
        cmocka_unit_test (io_throttles),
        cmocka_unit_test (huge_pages),
        cmocka_unit_test (network_is_v1_only),
        cmocka_unit_test (rdma_limits),
        cmocka_unit_test (unified_names_files),
        cmocka_unit_test (each_controller_goes_where_it_lives),
        cmocka_unit_test (what_is_read_back_is_compared),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
