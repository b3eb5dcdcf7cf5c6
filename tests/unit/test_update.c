/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What update decides without touching anything: which limits hold afterwards, their document, and
 * what undoes a knob.
 */
#include "base/arena.h"
#include "cgroup/knob.h"
#include "oci-spec/config.h"
#include "oci-spec/update.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct oci_resources *parse (struct arena *arena, const char *text)
{
    struct error err;
    struct oci_resources *resources =
        oci_resources_parse (arena, "x.json", text, strlen (text), NULL, NULL, &err);

    if (!resources)
        print_error ("%s: %s\n", text, err.text);
    assert_non_null (resources);
    return resources;
}

static const char *write_out (struct arena *arena, const struct oci_resources *resources)
{
    AUTO_TEXT struct text text = {0};

    oci_resources_write (&text, resources);
    assert_true (text.length > 0 && text.bytes[text.length - 1] == '\n');
    return arena_copy (arena, text.bytes, text.length - 1);
}

static void expect (const char *base, const char *change, const char *wanted)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_resources *before = base ? parse (&arena, base) : NULL;
    const char *base_written = before ? write_out (&arena, before) : "";
    const struct oci_resources *merged =
        oci_resources_merge (&arena, before, parse (&arena, change));
    const char *written = write_out (&arena, merged);

    assert_string_equal (written, wanted);
    /* What is written is read as it was, and merging has changed nothing it was given. */
    assert_string_equal (write_out (&arena, parse (&arena, written)), wanted);
    if (before)
        assert_string_equal (write_out (&arena, before), base_written);
}

/* rows: UPD-02 UPD-23 */
static void what_is_absent_stays (void **state)
{
    (void)state;
    expect (NULL, "{}", "{}");
    expect (NULL, "{\"pids\":{\"limit\":0}}", "{\"pids\":{\"limit\":0}}");
    expect ("{\"pids\":{\"limit\":5}}", "{}", "{\"pids\":{\"limit\":5}}");
    expect ("{\"pids\":{\"limit\":5}}", "{\"pids\":{\"limit\":-1}}", "{\"pids\":{\"limit\":-1}}");
    expect ("{\"memory\":{\"limit\":10,\"swap\":20},\"cpu\":{\"shares\":3,\"cpus\":\"0\"}}",
            "{\"memory\":{\"limit\":15},\"cpu\":{\"cpus\":\"1\"}}",
            "{\"memory\":{\"limit\":15,\"swap\":20},\"cpu\":{\"shares\":3,\"cpus\":\"1\"}}");
    expect ("{\"cpu\":{\"quota\":5,\"period\":9}}", "{\"cpu\":{\"period\":8,\"burst\":0}}",
            "{\"cpu\":{\"quota\":5,\"burst\":0,\"period\":8}}");
    expect ("{\"memory\":{\"limit\":10,\"checkBeforeUpdate\":true}}",
            "{\"memory\":{\"swappiness\":0,\"checkBeforeUpdate\":false}}",
            "{\"memory\":{\"limit\":10,\"swappiness\":0,\"checkBeforeUpdate\":false}}");
}

/* rows: UPD-02 */
static void values_that_mean_not_asked (void **state)
{
    (void)state;
    expect ("{\"memory\":{\"limit\":10,\"swap\":20,\"reservation\":4},\"blockIO\":{\"weight\":11},"
            "\"cpu\":{\"shares\":1,\"quota\":2,\"period\":3,\"realtimeRuntime\":4,"
            "\"realtimePeriod\":5,\"cpus\":\"0\",\"mems\":\"0\"}}",
            "{\"memory\":{\"limit\":0,\"swap\":0,\"reservation\":0},\"blockIO\":{\"weight\":0},"
            "\"cpu\":{\"shares\":0,\"quota\":0,\"period\":0,\"realtimeRuntime\":0,"
            "\"realtimePeriod\":0,\"cpus\":\"\",\"mems\":\"\"}}",
            "{\"memory\":{\"limit\":10,\"reservation\":4,\"swap\":20},"
            "\"cpu\":{\"shares\":1,\"quota\":2,\"period\":3,\"realtimeRuntime\":4,"
            "\"realtimePeriod\":5,\"cpus\":\"0\",\"mems\":\"0\"},\"blockIO\":{\"weight\":11}}");
}

/* rows: UPD-04 */
static void no_limit_lifts_swap_too (void **state)
{
    (void)state;
    expect ("{\"memory\":{\"limit\":10,\"swap\":20}}", "{\"memory\":{\"limit\":-1}}",
            "{\"memory\":{\"limit\":-1,\"swap\":-1}}");
    expect ("{\"memory\":{\"limit\":10,\"swap\":20}}", "{\"memory\":{\"limit\":-1,\"swap\":0}}",
            "{\"memory\":{\"limit\":-1,\"swap\":-1}}");
    expect ("{\"memory\":{\"limit\":10,\"swap\":20}}", "{\"memory\":{\"swap\":-1}}",
            "{\"memory\":{\"limit\":10,\"swap\":-1}}");
}

/* rows: UPD-15 UPD-16 */
static void lists_are_merged_by_what_they_are_about (void **state)
{
    (void)state;
    expect ("{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":100}],"
            "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1},"
            "{\"major\":8,\"minor\":16,\"rate\":2}]}}",
            "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"leafWeight\":50},"
            "{\"major\":9,\"minor\":0,\"weight\":10}],"
            "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":16,\"rate\":3},"
            "{\"major\":9,\"minor\":0,\"rate\":4},{\"major\":9,\"minor\":0,\"rate\":0}]}}",
            "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":100,"
            "\"leafWeight\":50},{\"major\":9,\"minor\":0,\"weight\":10}],"
            "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1},"
            "{\"major\":8,\"minor\":16,\"rate\":3},{\"major\":9,\"minor\":0,\"rate\":0}]}}");
    expect ("{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}],"
            "\"network\":{\"priorities\":[{\"name\":\"a\",\"priority\":1}]},"
            "\"rdma\":{\"m\":{\"hcaHandles\":1}},\"unified\":{\"a.b\":\"1\",\"c.d\":\"2\"}}",
            "{\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":2},"
            "{\"pageSize\":\"2MB\",\"limit\":18446744073709551615}],"
            "\"network\":{\"classID\":7,\"priorities\":[{\"name\":\"a\",\"priority\":2}]},"
            "\"rdma\":{\"m\":{\"hcaObjects\":2}},\"unified\":{\"c.d\":\"x\\ny\"}}",
            "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":18446744073709551615},"
            "{\"pageSize\":\"1GB\",\"limit\":2}],"
            "\"network\":{\"classID\":7,\"priorities\":[{\"name\":\"a\",\"priority\":2}]},"
            "\"rdma\":{\"m\":{\"hcaHandles\":1,\"hcaObjects\":2}},"
            "\"unified\":{\"a.b\":\"1\",\"c.d\":\"x\\ny\"}}");
}

/* rows: UPD-17 */
static void device_rules_are_left_out (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_resources *base =
        parse (&arena, "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}");
    const struct oci_resources *merged = oci_resources_merge (
        &arena, base, parse (&arena, "{\"devices\":[{\"allow\":true},{\"allow\":true}]}"));

    (void)state;
    assert_int_equal (merged->devices.count, 1);
    assert_false (merged->devices.items[0].allow);
    assert_string_equal (write_out (&arena, merged), "{}");
}

/* Documents of properties by chance: a change twice is the change once, and nothing over something
 * leaves it. */
/* rows: UPD-02 UPD-23 */
static void by_chance (void **state)
{
    static const char *const parts[] = {
        "\"pids\":{\"limit\":%u}",
        "\"memory\":{\"limit\":%u,\"swap\":-1}",
        "\"cpu\":{\"shares\":%u}",
        "\"cpu\":{\"quota\":-1,\"idle\":0,\"period\":%u}",
        "\"blockIO\":{\"throttleWriteIOPSDevice\":[{\"major\":%u,\"minor\":0,\"rate\":5}]}",
        "\"unified\":{\"memory.high\":\"%u\",\"pids.max\":\"3\"}",
        "\"hugepageLimits\":[{\"pageSize\":\"%u0KB\",\"limit\":5}]",
    };
    enum { PARTS = sizeof parts / sizeof parts[0] };

    (void)state;
    srandom (20);
    for (int round = 0; round < 5000; round++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct oci_resources *given[2];

        for (size_t i = 0; i < 2; i++) {
            size_t first = (size_t)random () % PARTS, second = (size_t)random () % PARTS;
            char one[128], two[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            (void)snprintf (one, sizeof one, parts[first], (unsigned)random () % 4 + 1);
            (void)snprintf (two, sizeof two, parts[second], (unsigned)random () % 4 + 1);
#pragma GCC diagnostic pop
            bool both = strncmp (one, two, 5) != 0;
            given[i] = parse (
                &arena, arena_printf (&arena, "{%s%s%s}", one, both ? "," : "", both ? two : ""));
        }
        const struct oci_resources *once = oci_resources_merge (&arena, given[0], given[1]);
        const struct oci_resources *twice = oci_resources_merge (&arena, once, given[1]);
        const struct oci_resources *none = oci_resources_merge (&arena, once, parse (&arena, "{}"));
        const char *written = write_out (&arena, once);
        assert_string_equal (write_out (&arena, twice), written);
        assert_string_equal (write_out (&arena, none), written);
        assert_string_equal (write_out (&arena, parse (&arena, written)), written);
    }
}

/* rows: UPD-22 */
static void what_undoes_a_knob (void **state)
{
    static const struct {
        const char *file, *value, *shown, *wanted;
    } cases[] = {
        {"pids.max", "5", "max\n", "max"},
        {"pids.max", "5", "100\n", "100"},
        {"memory.limit_in_bytes", "5", "9223372036854771712\n", "9223372036854771712"},
        {"cpu.max", "5000 10000", "max 100000\n", "max 100000"},
        {"cpu.max", "10000", "5000 100000\n", "5000 100000"},
        {"cpu.cfs_quota_us", "5000", "-1\n", "-1"},
        {"cpuset.cpus", "0", "\n", "\n"},
        {"cpuset.cpus", "0", "0-3,5\n", "0-3,5"},
        {"memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "0"},
        {"io.weight", "50", "default 100\n8:0 200\n", "default 100"},
        {"io.weight", "8:0 50", "default 100\n8:0 200\n", "8:0 200"},
        {"io.weight", "8:16 50", "default 100\n8:0 200\n8:160 7\n", "8:16 default"},
        {"io.max", "8:0 rbps=5", "", "8:0 rbps=max wbps=max riops=max wiops=max"},
        {"io.max", "8:0 rbps=5",
         "8:16 rbps=1 wbps=max riops=max wiops=max\n"
         "8:0 rbps=7 wbps=max riops=max wiops=9\n",
         "8:0 rbps=7 wbps=max riops=max wiops=9"},
        {"blkio.throttle.read_bps_device", "8:0 5", "8:0 17\n", "8:0 17"},
        {"blkio.throttle.read_bps_device", "8:0 5", "", "8:0 0"},
        {"blkio.bfq.weight", "100", "200\n", "200"},
        {"rdma.max", "m hca_handle=1", "m hca_handle=2 hca_object=max\n",
         "m hca_handle=2 hca_object=max"},
        {"net_prio.ifpriomap", "eth0 3", "lo 0\neth0 1\n", "eth0 1"},
        {"misc.max", "sev 1", "sev max\ntdx 4\n", "sev max"},
        {"new.file", "key 1", "other 2\nkey 3\n", "key 3"}, /* some file of `unified` */
        {"new.file", "key 1", "other 2\nlast 3\n", NULL},
        {"new.file", "key", "other 2\nlast 3\n", NULL},
        {"memory.high", "5", "max", "max"},
        {"cpu.weight", "50", "100\n", "100"},
        {"cpu.weight", "50", "0\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        const struct knob knob = {.file = cases[i].file, .value = cases[i].value};
        const char *before = knob_before (&arena, &knob, cases[i].shown);

        if (!cases[i].wanted)
            assert_null (before);
        else
            assert_string_equal (before, cases[i].wanted);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_is_absent_stays),
        cmocka_unit_test (values_that_mean_not_asked),
        cmocka_unit_test (no_limit_lifts_swap_too),
        cmocka_unit_test (lists_are_merged_by_what_they_are_about),
        cmocka_unit_test (device_rules_are_left_out),
        cmocka_unit_test (by_chance),
        cmocka_unit_test (what_undoes_a_knob),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
