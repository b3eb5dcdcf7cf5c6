/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of the files that statistics are made of, as kernels 5.10 to 6.18 write them, and some
 * that none does.
 */
#include "base/duration.h"
#include "base/text.h"
#include "cgroup/stats_parse.h"
#include "kernel/netcounters.h"
#include "lifecycle/events.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int begin (void **state)
{
    static struct arena arena;

    *state = &arena;
    return 0;
}

static int end (void **state)
{
    arena_release (*state);
    return 0;
}

/* rows: VRB-57 */
static void test_numbers (void **state)
{
    static const struct {
        const char *text;
        int result;
        uint64_t value;
    } rows[] = {
        {"0\n", 0, 0},
        {"9223372036854771712\n", 0, UINT64_C (9223372036854771712)},
        {"18446744073709551615\n", 0, UINT64_MAX},
        {"18446744073709551616\n", -1, 0},
        {"max\n", 0, UINT64_MAX},
        {"-1\n", -1, 0},
        {"", -1, 0},
        {"\n", -1, 0},
        {"12 kB\n", 0, 12},
        {"1x\n", -1, 0},
        {"99999999999999999999999999999999999999999\n", -1, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t value = 0;
        assert_int_equal (stats_parse_number (*state, rows[i].text, &value), rows[i].result);
        assert_int_equal (value, rows[i].value);
    }
    int64_t level = 7;
    assert_int_equal (stats_parse_signed (*state, "-1\n", &level), 0);
    assert_int_equal (level, -1);
    assert_int_equal (stats_parse_signed (*state, "max\n", &level), -1);
}

/* rows: VRB-58 */
static void test_pids (void **state)
{
    uint64_t limit = 1;

    assert_int_equal (stats_parse_pids_limit (*state, "max\n", &limit), 0);
    assert_int_equal (limit, 0);
    assert_int_equal (stats_parse_pids_limit (*state, "50\n", &limit), 0);
    assert_int_equal (limit, 50);
    assert_int_equal (stats_parse_pids_limit (*state, "many\n", &limit), -1);
}

/* rows: VRB-55 */
static void test_cpu (void **state)
{
    struct stats_cpu cpu = {0};

    assert_int_equal (stats_parse_cpu_v2 (*state,
                                          "usage_usec 9028\nuser_usec 4514\nsystem_usec 4513\n"
                                          "nice_usec 0\ncore_sched.force_idle_usec 0\n"
                                          "nr_periods 7\nnr_throttled 3\nthrottled_usec 11\n"
                                          "nr_bursts 2\nburst_usec 5\n",
                                          &cpu),
                      0);
    assert_int_equal (cpu.total, 9028000);
    assert_int_equal (cpu.user, 4514000);
    assert_int_equal (cpu.kernel, 4513000);
    assert_int_equal (cpu.periods, 7);
    assert_int_equal (cpu.throttled_periods, 3);
    assert_int_equal (cpu.throttled_time, 11000);
    assert_int_equal (cpu.burst_periods, 2);
    assert_int_equal (cpu.burst_time, 5000);
    assert_int_equal (stats_parse_cpu_v2 (*state, "usage_usec 18446744073709551\n", &cpu), 0);
    assert_int_equal (cpu.total, UINT64_C (18446744073709551000));
    assert_int_equal (stats_parse_cpu_v2 (*state, "usage_usec 18446744073709552\n", &cpu), 0);
    assert_int_equal (cpu.total, UINT64_MAX); /* not what is left of it */
    assert_int_equal (stats_parse_cpu_v2 (*state, "usage_usec\n", &cpu), -1);

    cpu = (struct stats_cpu){0};
    assert_int_equal (stats_parse_cpu_v1 (*state,
                                          "nr_periods 4\nnr_throttled 2\nthrottled_time 12345\n"
                                          "nr_bursts 1\nburst_time 6\n",
                                          &cpu),
                      0);
    assert_int_equal (cpu.throttled_time, 12345);
    assert_int_equal (cpu.burst_time, 6);
    assert_int_equal (stats_parse_cpuacct (*state, "user 3\nsystem 5\n", &cpu), 0);
    assert_int_equal (cpu.user, 30000000);
    assert_int_equal (cpu.kernel, 50000000);
    assert_int_equal (
        stats_parse_cpuacct_all (*state, "cpu user system\n0 0 1\n1 4000000 4000001\n", &cpu), 0);
    assert_int_equal (cpu.percpu_user.count, 2);
    assert_int_equal (cpu.percpu_user.items[1], 4000000);
    assert_int_equal (cpu.percpu_kernel.items[1], 4000001);
    assert_int_equal (stats_parse_cpuacct_all (*state, "cpu user system\n0 0\n", &cpu), -1);
    assert_int_equal (stats_parse_numbers (*state, "2222524 6805880 \n", &cpu.percpu), 0);
    assert_int_equal (cpu.percpu.count, 2);
    assert_int_equal (cpu.percpu.items[1], 6805880);
}

/* rows: VRB-56 */
static void test_cpuset (void **state)
{
    struct stats_numbers list = {0};

    assert_int_equal (stats_parse_list (*state, "0-2,65\n", &list), 0);
    assert_int_equal (list.count, 4);
    assert_int_equal (list.items[2], 2);
    assert_int_equal (list.items[3], 65);
    assert_int_equal (stats_parse_list (*state, "\n", &list), 0);
    assert_int_equal (list.count, 0);
    assert_int_equal (stats_parse_list (*state, "3-1\n", &list), -1);
}

/* rows: VRB-57 */
static void test_memory (void **state)
{
    struct cgroup_stats stats = {0};
    struct stats_memory *memory = &stats.memory;

    assert_int_equal (
        stats_parse_names (*state, "anon 4096\nfile 8192\n\nnuma_locality\nshmem 0", &memory->raw),
        0);
    assert_int_equal (memory->raw.count, 3);
    assert_string_equal (memory->raw.items[2].name, "shmem");
    assert_int_equal (stats_parse_names (*state, "anon x\n", &memory->raw), -1);
    assert_int_equal (memory->raw.count, 3);

    memory->usage = (struct stats_memory_use){100, 1000, 900, 3};
    memory->swap_only = (struct stats_memory_use){10, 500, 60, 1};
    stats_complete (&stats, true);
    assert_int_equal (memory->cache, 8192);
    assert_int_equal (memory->swap.usage, 110);
    assert_int_equal (memory->swap.limit, 1500);
    assert_int_equal (memory->swap.max, 0);
    memory->usage.limit = UINT64_MAX;
    stats_complete (&stats, true);
    assert_int_equal (memory->swap.limit, UINT64_MAX);

    memory->swap.usage = 77; /* v1 counts it itself */
    stats_complete (&stats, false);
    assert_int_equal (memory->swap.usage, 77);
}

/* rows: CGR-36 */
static void test_pressure (void **state)
{
    struct stats_pressure pressure = {0};

    assert_int_equal (stats_parse_pressure (*state,
                                            "some avg10=0.12 avg60=100.00 avg300=3.07 total=8300\n"
                                            "full avg10=0.00 avg60=0.01 avg300=0.00 total=6109\n",
                                            &pressure),
                      0);
    assert_true (pressure.present);
    assert_int_equal (pressure.some.avg10, 12);
    assert_int_equal (pressure.some.avg60, 10000);
    assert_int_equal (pressure.some.avg300, 307);
    assert_int_equal (pressure.some.total, 8300);
    assert_int_equal (pressure.full.avg60, 1);
    /* Before Linux 5.13 the processors' has one line. */
    assert_int_equal (stats_parse_pressure (
                          *state, "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n", &pressure),
                      0);
    assert_int_equal (pressure.full.total, 0);
    assert_int_equal (stats_parse_pressure (*state, "some avg10=1 total=1\n", &pressure), -1);
    assert_int_equal (stats_parse_pressure (*state, "some avg10\n", &pressure), -1);
    assert_int_equal (pressure.some.avg10, 100);
}

/* rows: VRB-59 */
static void test_blkio (void **state)
{
    struct stats_ios ios = {0};

    assert_int_equal (stats_parse_blkio (*state, "Total 0\n", &ios), 0);
    assert_int_equal (ios.count, 0);
    assert_int_equal (stats_parse_blkio (*state,
                                         "8:0 Read 1282048\n8:0 Write 2195456\n8:0 Total 3477504\n"
                                         "259:3 Read 1\nTotal 3477505\n",
                                         &ios),
                      0);
    assert_int_equal (ios.count, 4);
    assert_int_equal (ios.items[3].major, 259);
    assert_int_equal (ios.items[3].minor, 3);
    assert_string_equal (ios.items[1].op, "Write");
    assert_int_equal (ios.items[1].value, 2195456);
    /* A file of the next kind does not replace what there is. */
    assert_int_equal (stats_parse_blkio (*state, "8:0 Read 5\n", &ios), 0);
    assert_int_equal (ios.count, 4);

    struct stats_ios sectors = {0};
    assert_int_equal (stats_parse_blkio (*state, "8:0 6792\n", &sectors), 0);
    assert_int_equal (sectors.items[0].value, 6792);
    assert_string_equal (sectors.items[0].op, "");
    sectors.count = 0;
    assert_int_equal (stats_parse_blkio (*state, "8:0 Read much\n", &sectors), -1);
}

/* rows: VRB-59 */
static void test_io (void **state)
{
    struct stats_ios ios[STATS_IO_KINDS] = {0};

    /* A device without numbers has a line on some kernels. */
    assert_int_equal (stats_parse_io (*state,
                                      "8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 "
                                      "dbytes=0 dios=0 cost.usage=12 cost.wait=3\n"
                                      "8:0 \n98:0 rbytes=12288 wbytes=0 rios=3 wios=0\n"
                                      "(unknown) rbytes=1\n",
                                      ios),
                      0);
    assert_int_equal (ios[STATS_IO_SERVICE_BYTES].count, 4);
    assert_int_equal (ios[STATS_IO_SERVICE_BYTES].items[1].value, 314773504);
    assert_string_equal (ios[STATS_IO_SERVICE_BYTES].items[1].op, "Write");
    assert_int_equal (ios[STATS_IO_SERVICED].items[2].major, 98);
    assert_int_equal (ios[STATS_IO_SERVICED].items[2].value, 3);
    assert_int_equal (ios[STATS_IO_COST_USAGE].items[0].value, 12);
    assert_int_equal (ios[STATS_IO_COST_INDEBT].count, 0);
    assert_int_equal (stats_parse_io (*state, "8:0 rbytes=\n", ios), -1);
    assert_int_equal (ios[STATS_IO_SERVICED].count, 4);
}

/* rows: CGR-37 */
static void test_rdma_and_misc (void **state)
{
    struct stats_rdmas rdma = {0};
    struct events_stats stats = {0};
    AUTO_TEXT struct text line = {0};

    assert_int_equal (stats_parse_rdma (*state,
                                        "mlx4_0 hca_handle=2 hca_object=2000\n"
                                        "ocrdma1 hca_handle=3 hca_object=max\n",
                                        &rdma),
                      0);
    assert_int_equal (rdma.count, 2);
    assert_string_equal (rdma.items[0].device, "mlx4_0");
    assert_int_equal (rdma.items[0].objects, 2000);
    assert_int_equal (rdma.items[1].objects, UINT64_MAX);
    assert_int_equal (stats_parse_rdma (*state, "mlx4_0 hca_handle=two\n", &rdma), -1);

    assert_int_equal (stats_parse_names (*state, "res_a 3\nres_b 0\n", &stats.cgroup.misc_current),
                      0);
    assert_int_equal (
        stats_parse_names (*state, "res_a.max 0\nres_b.max 9\n", &stats.cgroup.misc_events), 0);
    events_stats_line (&line, "x", &stats);
    assert_non_null (strstr (line.bytes, "\"misc\":{\"res_a\":{\"usage\":3,\"events\":0},"
                                         "\"res_b\":{\"usage\":0,\"events\":9}}"));
}

/* A directory that stands for a cgroup of v2. */
static void put (const char *directory, const char *name, const char *text)
{
    char path[128];

    (void)snprintf (path, sizeof path, "%s/%s", directory, name);
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true (fd >= 0);
    assert_int_equal (write (fd, text, strlen (text)), strlen (text));
    (void)close (fd);
}

/* rows: CGM-29 CGM-26 VRB-60 */
static void test_what_is_there_is_read (void **state)
{
    static const char *const files[][2] = {
        {"cgroup.procs", ""},
        {"cpu.stat", "usage_usec 5\n"},
        {"hugetlb.2MB.current", "2097152\n"},
        {"hugetlb.2MB.rsvd.current", "4194304\n"},
        {"hugetlb.2MB.events", "max 3\n"},
        {"hugetlb.1GB.current", "7\n"},
        {"memory.current", "100\n"},
        {"memory.max", "max\n"},
        {"memory.events", "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\n"},
    };
    char directory[] = "/tmp/rt-stats-XXXXXX";
    struct oci_pair pair = {"", directory};
    const struct oci_map paths = {.present = true, .items = &pair, .count = 1};
    struct cgroup_stats stats;
    struct error err;

    assert_non_null (mkdtemp (directory));
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        put (directory, files[i][0], files[i][1]);
    assert_int_equal (cgroup_stats_read (*state, &paths, &stats, &err), 0);
    assert_int_equal (stats.cpu.total, 5000);
    assert_false (stats.cpu.pressure.present);
    assert_int_equal (stats.hugetlb.count, 2);
    assert_string_equal (stats.hugetlb.items[0].size, "1GB");
    assert_int_equal (stats.hugetlb.items[0].usage, 7);
    assert_int_equal (stats.hugetlb.items[1].usage, 4194304); /* the reservations */
    assert_int_equal (stats.hugetlb.items[1].failcnt, 3);
    assert_int_equal (stats.memory.usage.failcnt, 12);
    assert_int_equal (stats.memory.swap.usage, 100);
    assert_int_equal (stats.pids_current, 0);

    put (directory, "memory.current", "lots\n");
    stats.cpu.total = 1;
    assert_int_equal (cgroup_stats_read (*state, &paths, &stats, &err), -1);
    assert_non_null (strstr (err.text, "/memory.current' has no numbers"));
    assert_int_equal (stats.cpu.total, 1);

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[128];
        (void)snprintf (path, sizeof path, "%s/%s", directory, files[i][0]);
        assert_int_equal (unlink (path), 0);
    }
    assert_int_equal (rmdir (directory), 0);
    assert_int_equal (cgroup_stats_read (*state, &paths, &stats, &err), 0);
    assert_int_equal (stats.cpu.total, 0);
}

/* rows: VRB-51 */
static void test_a_line_of_zeros (void **state)
{
    struct events_stats stats = {0};
    AUTO_TEXT struct text line = {0};

    (void)state;
    events_stats_line (&line, "box", &stats);
    assert_string_equal (
        line.bytes,
        "{\"type\":\"stats\",\"id\":\"box\",\"data\":{\"cpu\":{\"usage\":{\"kernel\":0,\"user\":0},"
        "\"throttling\":{}},\"cpuset\":{\"cpu_exclusive\":0,\"mem_hardwall\":0,"
        "\"mem_exclusive\":0,\"memory_migrate\":0,\"memory_spread_page\":0,"
        "\"memory_spread_slab\":0,\"memory_pressure\":0,\"sched_load_balance\":0,"
        "\"sched_relax_domain_level\":0},\"memory\":{\"usage\":{\"limit\":0,\"failcnt\":0},"
        "\"swap\":{\"limit\":0,\"failcnt\":0},\"kernel\":{\"limit\":0,\"failcnt\":0},"
        "\"kernelTCP\":{\"limit\":0,\"failcnt\":0}},\"pids\":{},\"blkio\":{},\"hugetlb\":{},"
        "\"intel_rdt\":{},\"network_interfaces\":null}}\n");
}

/* rows: VRB-60 */
static void test_hugetlb_line (void **state)
{
    struct stats_hugetlb sizes[] = {{"1GB", 0, 0, 0}, {"2MB", 4194304, 6291456, 2}};
    struct events_stats stats = {.cgroup.hugetlb = {sizes, 2}};
    AUTO_TEXT struct text line = {0};

    (void)state;
    events_stats_line (&line, "x", &stats);
    assert_non_null (strstr (line.bytes,
                             "\"hugetlb\":{\"1GB\":{\"failcnt\":0},\"2MB\":{\"usage\":4194304,"
                             "\"max\":6291456,\"failcnt\":2}}"));
}

/* rows: VRB-61 */
static void test_interfaces (void **state)
{
    struct netcounters list = {0};

    netcounters_parse (
        *state,
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
        "drop fifo colls carrier compressed\n"
        "    lo:       1       2    3    4    0     0          0         0       11      12   13   "
        "14    0     0       0          0\n"
        "eth0:1:1234567 8 0 0 0 0 0 0 9 10 0 0 0 0 0 0\n"
        "short: 1 2 3\nbad: 1 2 3 4 5 6 7 8 9 x 11 12 13 14 15 16\n",
        &list);
    assert_int_equal (list.count, 2);
    assert_string_equal (list.items[0].name, "lo");
    assert_int_equal (list.items[0].rx_dropped, 4);
    assert_int_equal (list.items[0].tx_bytes, 11);
    assert_int_equal (list.items[0].tx_dropped, 14);
    assert_string_equal (list.items[1].name, "eth0:1");
    assert_int_equal (list.items[1].rx_bytes, 1234567);
    assert_int_equal (list.items[1].tx_packets, 10);
}

/* rows: VRB-52 */
static void test_durations (void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t value;
    } rows[] = {
        {"5s", 0, INT64_C (5000000000)},
        {"100ms", 0, 100000000},
        {"1h30m", 0, INT64_C (5400000000000)},
        {"1.5s", 0, 1500000000},
        {".5s", 0, 500000000},
        {"1.s", 0, 1000000000},
        {"+2us", 0, 2000},
        {"2\xc2\xb5s", 0, 2000},
        {"2\xce\xbcs", 0, 2000},
        {"7ns", 0, 7},
        {"1.9ns", 0, 1},
        {"0", 0, 0},
        {"-1s", 0, -1000000000},
        {"0s", 0, 0},
        {"2562047h47m16.854775807s", 0, INT64_MAX},
        {"2562047h47m16.854775808s", -1, 0},
        {"9223372036854775808ns", -1, 0},
        {"", -1, 0},
        {"-", -1, 0},
        {"5", -1, 0},
        {"s", -1, 0},
        {".s", -1, 0},
        {"1.2.3s", -1, 0},
        {"5 s", -1, 0},
        {"5S", -1, 0},
        {"5sm", -1, 0},
        {"1s-1s", -1, 0},
        {"--1s", -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = 0;
        if (duration_parse (rows[i].text, &value) != rows[i].result || value != rows[i].value)
            fail_msg ("%s: %lld", rows[i].text, (long long)value);
    }
}

int main (void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_numbers),
        cmocka_unit_test (test_pids),
        cmocka_unit_test (test_cpu),
        cmocka_unit_test (test_cpuset),
        cmocka_unit_test (test_memory),
        cmocka_unit_test (test_pressure),
        cmocka_unit_test (test_blkio),
        cmocka_unit_test (test_io),
        cmocka_unit_test (test_rdma_and_misc),
        cmocka_unit_test (test_what_is_there_is_read),
        cmocka_unit_test (test_a_line_of_zeros),
        cmocka_unit_test (test_hugetlb_line),
        cmocka_unit_test (test_interfaces),
        cmocka_unit_test (test_durations),
    };

    return cmocka_run_group_tests (tests, begin, end);
}
