/* SPDX-License-Identifier: Apache-2.0 */
/* From resources, device rules and annotations to the properties of a unit. */
#include "cgroup/systemd_properties.h"

#include "base/text.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define INT(v)                                                                                     \
    {                                                                                              \
        .present = true, .value = (v)                                                              \
    }

static void show_value (const struct dbus_value *value, struct text *out)
{
    const char *between = "[";

    switch (value->type[0]) {
    case 's':
        text_puts (out, value->text);
        return;
    case 'a':
    case '(':
        for (size_t i = 0; i < value->count; i++, between = " ") {
            text_puts (out, between);
            show_value (&value->items[i], out);
        }
        text_puts (out, value->count ? "]" : "[]");
        return;
    default:
        if (value->number == UINT64_MAX)
            text_puts (out, "infinity");
        else
            text_printf (out, "%" PRIu64, value->number);
    }
}

static void show (const struct unit_properties *properties, struct text *out)
{
    for (size_t i = 0; i < properties->count; i++) {
        text_printf (out, "%s%s:%s=", i ? " | " : "", properties->items[i].name,
                     properties->items[i].value.type);
        show_value (&properties->items[i].value, out);
    }
}

static struct oci_pair v2_pair = {"", "/sys/fs/cgroup"};
static const struct oci_map v2 = {.count = 1, .items = &v2_pair, .present = true};
static struct oci_pair v1_pairs[] = {
    {"cpu,cpuacct", "/c"}, {"memory", "/m"}, {"pids", "/p"}, {"blkio", "/b"}, {"cpuset", "/s"}};
static const struct oci_map v1 = {.count = 5, .items = v1_pairs, .present = true};

static void wants (const struct oci_map *host, int systemd, const struct oci_resources *resources,
                   const char *wanted)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text shown = {0};
    struct knobs knobs = {.arena = &arena};
    struct unit_properties properties = {.arena = &arena, .systemd = systemd};
    struct error err = {0};

    assert_int_equal (knobs_for (host, resources, &knobs, &err), 0);
    int result = systemd_limit_properties (&knobs, &properties, &err);
    if (wanted[0] == '!') {
        assert_int_equal (result, -1);
        assert_string_equal (err.pointer, wanted + 1);
        return;
    }
    assert_int_equal (result, 0);
    show (&properties, &shown);
    assert_string_equal (text_string (&shown), wanted);
}

/* rows: CGS-16 CGS-20 */
static void memory_and_tasks (void **state)
{
    struct oci_memory memory = {.limit = INT (4096), .reservation = INT (2048), .swap = INT (6144)};
    struct oci_memory unlimited = {.limit = INT (-1)};
    struct oci_pair pairs[] = {{"memory.high", "max"},
                               {"memory.min", "1"},
                               {"memory.max", "8192"},
                               {"memory.zswap.max", "5"},
                               {"hugetlb.2MB.max", "0"}};
    const struct oci_map unified = {.count = 5, .items = pairs, .present = true};

    (void)state;
    wants (&v2, 252, &(struct oci_resources){.memory = &memory},
           "MemorySwapMax:t=2048 | MemoryMax:t=4096 | MemoryLow:t=2048");
    wants (&v1, 252, &(struct oci_resources){.memory = &memory}, "MemoryLimit:t=4096");
    wants (&v2, 252, &(struct oci_resources){.memory = &unlimited},
           "MemorySwapMax:t=infinity | MemoryMax:t=infinity");
    wants (&v2, 239, &(struct oci_resources){.memory = &memory, .unified = unified},
           "MemorySwapMax:t=2048 | MemoryMax:t=8192 | MemoryLow:t=2048 | MemoryHigh:t=infinity");
    wants (&v2, 253, &(struct oci_resources){.unified = unified},
           "MemoryHigh:t=infinity | MemoryMin:t=1 | MemoryMax:t=8192 | MemoryZSwapMax:t=5");
    wants (&v2, 252, &(struct oci_resources){.pids_limit = INT (0)}, "TasksMax:t=1");
    wants (&v2, 252, &(struct oci_resources){.pids_limit = INT (-1)}, "TasksMax:t=infinity");
    wants (&v1, 252, &(struct oci_resources){.pids_limit = INT (7)}, "TasksMax:t=7");
    wants (&v2, 252, &(struct oci_resources){0}, "");
}

static void wants_cpu (const struct oci_map *host, int systemd, struct oci_cpu cpu,
                       const char *wanted)
{
    wants (host, systemd, &(struct oci_resources){.cpu = &cpu}, wanted);
}

/* rows: CGS-17 CGS-18 CGS-19 */
static void processors (void **state)
{
    (void)state;
    wants_cpu (&v2, 252, (struct oci_cpu){.shares = INT (1024)}, "CPUWeight:t=100");
    wants_cpu (&v1, 252, (struct oci_cpu){.shares = INT (1024)}, "CPUShares:t=1024");
    wants_cpu (&v2, 252, (struct oci_cpu){.shares = INT (1024), .idle = INT (1)}, "CPUWeight:t=0");
    wants_cpu (&v2, 251, (struct oci_cpu){.shares = INT (1024), .idle = INT (1)},
               "CPUWeight:t=100");
    wants_cpu (&v2, 252, (struct oci_cpu){.idle = INT (0)}, "");
    wants_cpu (&v2, 252, (struct oci_cpu){.quota = INT (20000), .period = INT (100000)},
               "CPUQuotaPerSecUSec:t=200000 | CPUQuotaPeriodUSec:t=100000");
    wants_cpu (&v2, 241, (struct oci_cpu){.quota = INT (20000), .period = INT (100000)},
               "CPUQuotaPerSecUSec:t=200000");
    wants_cpu (&v1, 252, (struct oci_cpu){.quota = INT (33333), .period = INT (50000)},
               "CPUQuotaPerSecUSec:t=670000 | CPUQuotaPeriodUSec:t=50000");
    wants_cpu (&v2, 252, (struct oci_cpu){.quota = INT (-1)}, "CPUQuotaPerSecUSec:t=infinity");
    wants_cpu (&v2, 252, (struct oci_cpu){.quota = INT (1)}, "CPUQuotaPerSecUSec:t=10000");
    wants_cpu (&v2, 252, (struct oci_cpu){.period = INT (50000)}, "CPUQuotaPeriodUSec:t=50000");
    wants_cpu (&v2, 244, (struct oci_cpu){.cpus = "0-3", .mems = "1"},
               "AllowedCPUs:ay=[15] | AllowedMemoryNodes:ay=[2]");
    wants_cpu (&v2, 244, (struct oci_cpu){.cpus = "0,8-9,64"},
               "AllowedCPUs:ay=[1 3 0 0 0 0 0 0 1]");
    wants_cpu (&v2, 243, (struct oci_cpu){.cpus = "0-3"}, "");
    wants_cpu (&v2, 244, (struct oci_cpu){.cpus = "3-x"}, "!/linux/resources/cpu/cpus");
}

/* rows: CGS-21 CGS-24 */
static void block_devices_and_oom (void **state)
{
    struct oci_device_throttle throttle[] = {{8, 0, 1000}, {8, 16, 0}};
    struct oci_device_weight weight[] = {{8, 0, INT (1000), {0}}};
    struct oci_block_io io = {.weight = INT (10),
                              .weight_device = {.count = 1, .items = weight},
                              .read_bps = {.count = 2, .items = throttle},
                              .write_iops = {.count = 1, .items = throttle}};
    struct oci_pair pairs[] = {{"memory.oom.group", "1"}, {"io.max", "8:0 rbps=7 wiops=max"}};
    struct oci_resources unified = {.unified = {.count = 2, .items = pairs, .present = true}};

    (void)state;
    wants (&v2, 252, &(struct oci_resources){.block_io = &io},
           "IOWeight:t=1 | IODeviceWeight:a(st)=[[/dev/block/8:0 10000]] | "
           "IOReadBandwidthMax:a(st)=[[/dev/block/8:0 1000] [/dev/block/8:16 infinity]] | "
           "IOWriteIOPSMax:a(st)=[[/dev/block/8:0 1000]]");
    wants (&v1, 252, &(struct oci_resources){.block_io = &io},
           "BlockIOWeight:t=10 | BlockIODeviceWeight:a(st)=[[/dev/block/8:0 1000]] | "
           "IOReadBandwidthMax:a(st)=[[/dev/block/8:0 1000] [/dev/block/8:16 infinity]] | "
           "IOWriteIOPSMax:a(st)=[[/dev/block/8:0 1000]]");
    wants (&v2, 253, &unified,
           "OOMPolicy:s=kill | IOReadBandwidthMax:a(st)=[[/dev/block/8:0 7]] | "
           "IOWriteIOPSMax:a(st)=[[/dev/block/8:0 infinity]]");
    pairs[0].value = "0";
    unified.unified.count = 1;
    wants (&v2, 253, &unified, "OOMPolicy:s=continue");
    wants (&v2, 252, &unified, "");
}

/* rows: CGS-18 */
static void rounded_quotas (void **state)
{
    static const struct {
        int64_t quota;
        uint64_t period;
        int64_t rounded;
    } cases[] = {{33333, 100000, 34000}, {20000, 100000, 20000}, {1, 0, 1000},         {-1, 0, -1},
                 {33333, 50000, 33500},  {0, 100000, 0},         {99999, 33333, 99999}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct oci_cpu cpu = {.quota = INT (cases[i].quota), .period = INT (cases[i].period)};
        const struct oci_resources resources = {.cpu = &cpu};

        assert_true (systemd_round_quota (&arena, &resources)->cpu->quota.value ==
                     cases[i].rounded);
        assert_true (cpu.quota.value == cases[i].quota);
    }
}

static const char devices_text[] = "Character devices:\n  1 mem\n136 pts\n188 ttyUSB\n\n"
                                   "Block devices:\n  8 sd\n188 other\n";

static int allow (int systemd, bool own_program, const struct oci_device_rule *rules, size_t count,
                  struct text *shown, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct unit_properties properties = {.arena = &arena, .systemd = systemd};
    struct device_rules made;
    struct device_rules few;
    struct oci_resources resources = {0};

    resources.devices.items = (struct oci_device_rule *)(uintptr_t)rules;
    resources.devices.count = count;
    assert_int_equal (device_rules_make (&arena, &resources, &made, err), 0);
    few = made;
    int result = systemd_device_properties (&few, own_program, devices_text, &properties, err);
    if (result == 0)
        show (&properties, shown);
    return result;
}

/* rows: CGS-22 CGD-15 */
static void devices (void **state)
{
    static const struct oci_device_rule rules[] = {
        {.allow = false, .type = 'a', .access = 7},
        {.allow = true, .type = 'c', .major = INT (188), .access = 3},
        {.allow = true, .type = 'b', .major = INT (8), .minor = INT (1), .access = 1},
        {.allow = true, .type = 'b', .major = INT (188), .access = 2}};
    static const struct oci_device_rule all[] = {{.allow = true, .type = 'a', .access = 7}};
    static const struct oci_device_rule hole[] = {
        {.allow = true, .type = 'a', .access = 7},
        {.allow = false, .type = 'c', .major = INT (10), .access = 7}};
    static const struct oci_device_rule minors[] = {
        {.allow = true, .type = 'c', .minor = INT (5), .access = 3}};
    struct error err = {0};

    (void)state;
    AUTO_TEXT struct text now = {0};
    assert_int_equal (allow (252, false, rules, 4, &now, &err), 0);
    assert_non_null (strstr (text_string (&now), "DevicePolicy:s=strict | DeviceAllow:a(ss)="));
    assert_non_null (strstr (text_string (&now), "[char-188 rw] [/dev/block/8:1 r] [block-188 w]"));
    assert_non_null (strstr (text_string (&now), "[/dev/char/1:3 rwm]"));
    assert_non_null (strstr (text_string (&now), "[char-136 rwm] [char-* m] [block-* m]]"));
    AUTO_TEXT struct text old = {0};
    assert_int_equal (allow (239, false, rules, 4, &old, &err), 0);
    assert_non_null (strstr (text_string (&old), "[char-ttyUSB rw] [/dev/block/8:1 r] "
                                                 "[block-other w]"));
    assert_non_null (strstr (text_string (&old), "[char-pts rwm]"));
    AUTO_TEXT struct text open = {0};
    assert_int_equal (allow (252, false, all, 1, &open, &err), 0);
    assert_string_equal (text_string (&open), "DevicePolicy:s=auto | DeviceAllow:a(ss)=[]");
    AUTO_TEXT struct text holed = {0};
    assert_int_equal (allow (252, true, hole, 2, &holed, &err), 0);
    assert_string_equal (text_string (&holed), "DevicePolicy:s=auto | DeviceAllow:a(ss)=[]");
    assert_int_equal (allow (252, false, hole, 2, &holed, &err), -1);
    assert_string_equal (err.pointer, "/linux/resources/devices/1");
    assert_int_equal (allow (252, false, minors, 1, &holed, &err), -1);
    assert_string_equal (err.pointer, "/linux/resources/devices/0");
}

/* rows: CGS-25 CGS-26 CGS-27 ANN-09 */
static void annotations (void **state)
{
    static const struct {
        const char *key, *value, *wanted; /* NULL: an error */
    } cases[] = {
        {"org.systemd.property.KillSignal", "8", "Old:t=1 | KillSignal:i=8"},
        {"org.systemd.property.Description", "'new'", "Old:t=1 | Description:s=new"},
        {"org.systemd.property.Description", "'a\nWants=poweroff.target'", NULL},
        {"org.systemd.property.Description", "'a\x7f'", NULL},
        {"org.systemd.property.Documentation", "['man:a(1)', 'man:b\n']", NULL},
        {"org.systemd.property.TasksMax", "uint64 3", "Old:t=1 | TasksMax:t=3"},
        {"org.systemd.property.Old", "'new'", NULL},
        {"org.systemd.property.Wants", "['poweroff.target']", NULL},
        {"org.systemd.property.MemoryMin", "uint64 3", NULL},
        {"org.systemd.property.CPUWeight", "uint64 10000", NULL},
        {"org.systemd.property.ManagedOOMPreference", "'omit'", NULL},
        {"org.systemd.property.TimeoutStopSec", "4", "Old:t=1 | TimeoutStopUSec:t=4000000"},
        {"org.systemd.property.TimeoutStopSec", "uint64 4", "Old:t=1 | TimeoutStopUSec:t=4000000"},
        {"org.systemd.property.TimeoutStopSec", "1.5", "Old:t=1 | TimeoutStopUSec:t=1500000"},
        {"org.systemd.property.TimeoutStopUSec", "uint64 4", "Old:t=1 | TimeoutStopUSec:t=4"},
        {"org.systemd.property.TimeoutStopSec", "-4", NULL},
        {"org.systemd.property.TimeoutStopSec", "true", NULL},
        {"org.systemd.property.TimeoutStopSec", "['a']", NULL},
        {"org.systemd.property.TimeoutStopSec", "uint64 18446744073709551615", NULL},
        {"org.systemd.property.TimeoutStopSec", "1e30", NULL},
        {"org.systemd.property.Sec", "4", NULL},
        {"org.systemd.property.", "4", NULL},
        {"org.systemd.property.Ab", "4", NULL},
        {"org.systemd.property.A-b", "4", NULL},
        {"org.systemd.property.A1b", "4", NULL},
        {"org.systemd.property.PIDs", "[uint32 1]", NULL},
        {"org.systemd.property.Slice", "'-.slice'", NULL},
        {"org.systemd.propertyAbc", "?", "Old:t=1"},
        {"other", "?", "Old:t=1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        AUTO_TEXT struct text shown = {0};
        struct unit_properties properties = {.arena = &arena, .systemd = 252};
        struct oci_pair pair = {cases[i].key, cases[i].value};
        const struct oci_map map = {.count = 1, .items = &pair, .present = true};
        struct error err = {0};

        unit_property_uint64 (&properties, "Old", 1);
        int result = systemd_user_properties (&map, &properties, &err);
        if (!cases[i].wanted) {
            assert_int_equal (result, -1);
            assert_string_equal (err.pointer, "/annotations");
            continue;
        }
        assert_int_equal (result, 0);
        show (&properties, &shown);
        assert_string_equal (text_string (&shown), cases[i].wanted);
    }
}

/* What the document limits is not limited anew by an annotation, nor by another name of it. */
static void limits_of_the_document (void **state)
{
    static const struct {
        const char *said, *name, *text;
        bool taken;
    } cases[] = {
        {"MemoryMax", "MemoryMax", "uint64 1", false},
        {"MemoryMax", "MemoryLimit", "uint64 1", false},
        {"MemoryLimit", "MemoryMax", "uint64 1", false},
        {"CPUQuotaPerSecUSec", "CPUQuotaPerSecUSec", "uint64 1", false},
        {"CPUQuotaPerSecUSec", "CPUQuotaPerSecSec", "1", false},
        {"CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec", "uint64 1", false},
        {"MemoryMax", "MemoryHigh", "uint64 1", true},
        {"Description", "Description", "'mine'", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct unit_properties properties = {.arena = &arena, .systemd = 252};
        struct oci_pair pair = {
            arena_printf (&arena, SYSTEMD_PROPERTY_ANNOTATION "%s", cases[i].name), cases[i].text};
        const struct oci_map map = {.count = 1, .items = &pair, .present = true};
        struct error err = {0};

        unit_property_uint64 (&properties, cases[i].said, 9);
        int result = systemd_user_properties (&map, &properties, &err);
        assert_int_equal (result, cases[i].taken ? 0 : -1);
        if (!cases[i].taken)
            assert_non_null (strstr (err.text, cases[i].name));
    }
}

static void versions (void **state)
{
    (void)state;
    assert_int_equal (systemd_version_parse ("252.39-1~deb12u2"), 252);
    assert_int_equal (systemd_version_parse ("v245"), 245);
    assert_int_equal (systemd_version_parse ("systemd 239 (239-82)"), 239);
    assert_int_equal (systemd_version_parse (""), 0);
    assert_int_equal (systemd_version_parse ("99999999999999999999"), 9999999);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (memory_and_tasks),
        cmocka_unit_test (processors),
        cmocka_unit_test (block_devices_and_oom),
        cmocka_unit_test (rounded_quotas),
        cmocka_unit_test (devices),
        cmocka_unit_test (annotations),
        cmocka_unit_test (limits_of_the_document),
        cmocka_unit_test (versions),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
