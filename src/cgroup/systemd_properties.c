/* SPDX-License-Identifier: Apache-2.0 */
/* systemd_properties: see systemd_properties.h. */
#include "cgroup/systemd_properties.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/bitlist.h"

#include <inttypes.h>
#include <limits.h>

enum { US_PER_S = 1000000, QUOTA_STEP_US = 10000 /* one percent of a second */ };

int systemd_version_parse (const char *text)
{
    uint64_t version;
    char number[8];

    text += strcspn (text, "0123456789");
    (void)snprintf (number, sizeof number, "%.*s", (int)strspn (text, "0123456789"), text);
    return text_to_uint64 (number, INT_MAX, &version) < 0 ? 0 : (int)version;
}

void unit_property_set (struct unit_properties *properties, const char *name,
                        struct dbus_value value)
{
    for (size_t i = 0; i < properties->count; i++) {
        if (text_equal (properties->items[i].name, name)) {
            properties->items[i].value = value;
            return;
        }
    }
    if (properties->count == properties->room) {
        struct unit_property *old = properties->items;
        properties->room = properties->room ? 2 * properties->room : 32;
        properties->items =
            arena_array (properties->arena, properties->room, sizeof *properties->items);
        if (old)
            memcpy (properties->items, old, properties->count * sizeof *old);
    }
    properties->items[properties->count++] = (struct unit_property){.name = name, .value = value};
}

void unit_property_bool (struct unit_properties *properties, const char *name, bool value)
{
    unit_property_set (properties, name, (struct dbus_value){.type = "b", .number = value});
}

void unit_property_uint64 (struct unit_properties *properties, const char *name, uint64_t value)
{
    unit_property_set (properties, name, (struct dbus_value){.type = "t", .number = value});
}

void unit_property_string (struct unit_properties *properties, const char *name, const char *value)
{
    unit_property_set (properties, name, (struct dbus_value){.type = "s", .text = value});
}

void unit_property_strings (struct unit_properties *properties, const char *name,
                            const char *const *values, size_t count)
{
    struct dbus_value list = {.type = "as", .count = count};

    list.items = arena_array (properties->arena, count + 1, sizeof *list.items);
    for (size_t i = 0; i < count; i++)
        list.items[i] = (struct dbus_value){.type = "s", .text = values[i]};
    unit_property_set (properties, name, list);
}

/* "max" and -1 are systemd's infinity. */
static int read_limit (const char *text, uint64_t *value)
{
    if (text_equal (text, "max") || text_equal (text, "-1")) {
        *value = UINT64_MAX;
        return 0;
    }
    return text_to_uint64 (text, UINT64_MAX, value);
}

/* Where the value is none that systemd could take, the file's own check will tell. */
static void set_limit (struct unit_properties *properties, const char *name, const char *text)
{
    uint64_t value;

    if (read_limit (text, &value) == 0)
        unit_property_uint64 (properties, name, value);
}

static void set_quota (struct unit_properties *properties, uint64_t quota, uint64_t period)
{
    uint64_t per_second = UINT64_MAX;

    if (quota != UINT64_MAX) {
        unsigned __int128 exact = (unsigned __int128)quota * US_PER_S / (period ? period : 100000);
        exact = (exact + QUOTA_STEP_US - 1) / QUOTA_STEP_US * QUOTA_STEP_US;
        per_second = exact >= UINT64_MAX ? UINT64_MAX : (uint64_t)exact;
    }
    unit_property_uint64 (properties, "CPUQuotaPerSecUSec", per_second);
}

static void set_period (struct unit_properties *properties, uint64_t period)
{
    if (period > 0 && properties->systemd >= 242)
        unit_property_uint64 (properties, "CPUQuotaPeriodUSec", period);
}

/* "max 100000", "50000" */
static void set_bandwidth (struct unit_properties *properties, const struct knob *knob)
{
    size_t length = strcspn (knob->value, " ");
    uint64_t quota, period = 0;
    const char *first = arena_copy (properties->arena, knob->value, length);

    if (knob->flags & KNOB_AFTER_FIRST) { /* the period alone */
        if (text_to_uint64 (knob->value, UINT64_MAX, &period) == 0)
            set_period (properties, period);
        return;
    }
    if (knob->value[length] == ' ')
        (void)text_to_uint64 (knob->value + length + 1, UINT64_MAX, &period);
    if (read_limit (first, &quota) < 0)
        return;
    set_quota (properties, quota, period);
    set_period (properties, period);
}

/* The bytes of the mask, least first. */
static int set_bit_list (struct unit_properties *properties, const char *name,
                         const struct knob *knob, struct error *err)
{
    AUTO_BITLIST struct bitlist list = {0};
    struct dbus_value value = {.type = "ay"};

    if (properties->systemd < 244 || knob->value[0] == '\0')
        return 0;
    if (bitlist_parse (knob->value, &list) < 0) {
        error_set (err, "RT-CGROUP-VALUE", errno, "'%s' is not a list of numbers like 0-3,7",
                   knob->value);
        return error_at (err, "%s", knob->pointer);
    }
    size_t bits = sizeof *list.words * CHAR_BIT;
    value.items = arena_array (properties->arena, list.bits / CHAR_BIT, sizeof *value.items);
    for (size_t i = 0; i < list.bits / CHAR_BIT; i++) {
        uint64_t byte = list.words[i * CHAR_BIT / bits] >> (i * CHAR_BIT % bits) & UINT8_MAX;
        value.items[i] = (struct dbus_value){.type = "y", .number = byte};
        if (byte)
            value.count = i + 1;
    }
    unit_property_set (properties, name, value);
    return 0;
}

/* Appends ("/dev/block/8:0", number) to a property of type a(st). */
static void add_device (struct unit_properties *properties, const char *name, const char *device,
                        uint64_t number)
{
    struct arena *arena = properties->arena;
    struct dbus_value list = {.type = "a(st)"};

    for (size_t i = 0; i < properties->count; i++)
        if (text_equal (properties->items[i].name, name))
            list = properties->items[i].value;
    struct dbus_value *items = arena_array (arena, list.count + 1, sizeof *items);
    if (list.count)
        memcpy (items, list.items, list.count * sizeof *items);
    struct dbus_value *pair = arena_array (arena, 2, sizeof *pair);
    pair[0] =
        (struct dbus_value){.type = "s", .text = arena_printf (arena, "/dev/block/%s", device)};
    pair[1] = (struct dbus_value){.type = "t", .number = number};
    items[list.count++] = (struct dbus_value){.type = "(st)", .items = pair, .count = 2};
    list.items = items;
    unit_property_set (properties, name, list);
}

/* "8:0 rbps=1 wbps=max ..." of io.max, or "8:0 1" of v1. */
static void set_io_limits (struct unit_properties *properties, const struct knob *knob,
                           const char *v1_property)
{
    static const char *const names[][2] = {{"rbps=", "IOReadBandwidthMax"},
                                           {"wbps=", "IOWriteBandwidthMax"},
                                           {"riops=", "IOReadIOPSMax"},
                                           {"wiops=", "IOWriteIOPSMax"}};
    size_t length = strcspn (knob->value, " ");
    const char *device = arena_copy (properties->arena, knob->value, length);
    uint64_t number;

    for (const char *word = knob->value + length; *word; word += strcspn (word, " ")) {
        word += strspn (word, " ");
        const char *text = arena_copy (properties->arena, word, strcspn (word, " "));
        if (v1_property && read_limit (text, &number) == 0)
            add_device (properties, v1_property, device, number ? number : UINT64_MAX);
        for (size_t i = 0; !v1_property && i < sizeof names / sizeof names[0]; i++)
            if (text_starts_with (text, names[i][0]) &&
                read_limit (text + strlen (names[i][0]), &number) == 0)
                add_device (properties, names[i][1], device, number);
    }
}

/* "100", "default 100" or "8:0 100". */
static void set_weight (struct unit_properties *properties, const struct knob *knob,
                        const char *name, const char *device_name)
{
    const char *space = strchr (knob->value, ' ');
    const char *text = space ? space + 1 : knob->value;
    uint64_t number;

    if (text_to_uint64 (text, UINT64_MAX, &number) < 0)
        return;
    if (space && !text_starts_with (knob->value, "default "))
        add_device (properties, device_name,
                    arena_copy (properties->arena, knob->value, (size_t)(space - knob->value)),
                    number);
    else
        unit_property_uint64 (properties, name, number);
}

static const struct plain {
    const char *file, *property;
    int since; /* the first systemd that has it */
} plain_limits[] = {
    {"memory.max", "MemoryMax", 0},
    {"memory.high", "MemoryHigh", 0},
    {"memory.low", "MemoryLow", 0},
    {"memory.min", "MemoryMin", 240},
    {"memory.swap.max", "MemorySwapMax", 232},
    {"memory.zswap.max", "MemoryZSwapMax", 253},
    {"memory.limit_in_bytes", "MemoryLimit", 0},
    {"cpu.weight", "CPUWeight", 232},
    {"cpu.shares", "CPUShares", 0},
};

static const struct plain throttles_v1[] = {
    {"blkio.throttle.read_bps_device", "IOReadBandwidthMax", 0},
    {"blkio.throttle.write_bps_device", "IOWriteBandwidthMax", 0},
    {"blkio.throttle.read_iops_device", "IOReadIOPSMax", 0},
    {"blkio.throttle.write_iops_device", "IOWriteIOPSMax", 0},
};

static const char *find_plain (const struct plain *rows, size_t count, const char *file,
                               int systemd)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal (rows[i].file, file) && systemd >= rows[i].since)
            return rows[i].property;
    return NULL;
}

static void set_tasks (struct unit_properties *properties, const struct knob *knob)
{
    uint64_t limit;

    if (read_limit (knob->value, &limit) == 0)
        unit_property_uint64 (properties, "TasksMax", limit ? limit : 1); /* it has no 0 */
}

/* Those of v1 where quota and period are two files. */
static void set_bandwidth_v1 (const struct knobs *knobs, struct unit_properties *properties)
{
    uint64_t quota, period = 0;
    const char *quota_text = NULL;

    for (size_t i = 0; i < knobs->count; i++) {
        if (text_equal (knobs->items[i].file, "cpu.cfs_quota_us"))
            quota_text = knobs->items[i].value;
        else if (text_equal (knobs->items[i].file, "cpu.cfs_period_us"))
            (void)text_to_uint64 (knobs->items[i].value, UINT64_MAX, &period);
    }
    if (quota_text && read_limit (quota_text, &quota) == 0)
        set_quota (properties, quota, period);
    set_period (properties, period);
}

static int add_knob (const struct knob *knob, struct unit_properties *properties, struct error *err)
{
    const char *file = knob->file;
    int systemd = properties->systemd;
    const char *plain =
        find_plain (plain_limits, sizeof plain_limits / sizeof plain_limits[0], file, systemd);
    const char *throttle =
        find_plain (throttles_v1, sizeof throttles_v1 / sizeof throttles_v1[0], file, systemd);

    if (plain)
        set_limit (properties, plain, knob->value);
    else if (throttle || text_equal (file, "io.max"))
        set_io_limits (properties, knob, throttle);
    else if (text_equal (file, "pids.max"))
        set_tasks (properties, knob);
    else if (text_equal (file, "cpu.max"))
        set_bandwidth (properties, knob);
    else if (text_equal (file, "cpu.idle") && systemd >= 252 && !text_equal (knob->value, "0"))
        unit_property_uint64 (properties, "CPUWeight", 0);
    else if (text_equal (file, "io.weight"))
        set_weight (properties, knob, "IOWeight", "IODeviceWeight");
    else if (text_equal (file, "blkio.weight") || text_equal (file, "blkio.weight_device"))
        set_weight (properties, knob, "BlockIOWeight", "BlockIODeviceWeight");
    else if (text_equal (file, "cpuset.cpus"))
        return set_bit_list (properties, "AllowedCPUs", knob, err);
    else if (text_equal (file, "cpuset.mems"))
        return set_bit_list (properties, "AllowedMemoryNodes", knob, err);
    else if (text_equal (file, "memory.oom.group") && systemd >= 253)
        unit_property_string (properties, "OOMPolicy",
                              text_equal (knob->value, "1") ? "kill" : "continue");
    return 0;
}

int systemd_limit_properties (const struct knobs *knobs, struct unit_properties *properties,
                              struct error *err)
{
    for (size_t i = 0; i < knobs->count; i++)
        if (add_knob (&knobs->items[i], properties, err) < 0)
            return -1;
    set_bandwidth_v1 (knobs, properties);
    return 0;
}

const struct oci_resources *systemd_round_quota (struct arena *arena,
                                                 const struct oci_resources *resources)
{
    const struct oci_cpu *cpu = resources ? resources->cpu : NULL;

    if (!cpu || !cpu->quota.present || cpu->quota.value <= 0)
        return resources;
    uint64_t period = cpu->period.present && cpu->period.value ? cpu->period.value : 100000;
    unsigned __int128 exact = (unsigned __int128)cpu->quota.value * US_PER_S;
    unsigned __int128 percents = (exact / period + QUOTA_STEP_US - 1) / QUOTA_STEP_US;
    unsigned __int128 quota = percents * QUOTA_STEP_US * period / US_PER_S;
    if (quota == (unsigned __int128)cpu->quota.value || quota > INT64_MAX)
        return resources;
    struct oci_resources *copy = arena_alloc (arena, sizeof *copy);
    *copy = *resources;
    copy->cpu = arena_alloc (arena, sizeof *copy->cpu);
    *copy->cpu = *cpu;
    copy->cpu->quota.value = (int64_t)quota;
    return copy;
}
