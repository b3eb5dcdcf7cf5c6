/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd_user: properties of the unit that come from annotations (CGS-25 to CGS-27).
 */
#include "cgroup/systemd_properties.h"

#include "base/text.h"

#include <math.h>

enum { NAME_LENGTH_MIN = 3 };

static int wrong (struct error *err, const char *key, const char *why)
{
    error_set (err, "RT-SYSTEMD-PROPERTY", 0, "annotation %s: %s", key, why);
    return error_at (err, "/annotations");
}

/* Engines put annotations of images into config.json. So only what concerns the container's own
 * unit is taken, and nothing that widens what the document allows. Every other property is refused,
 * also those of a systemd yet to come: most reach further units (Wants, OnFailure), programs of the
 * kernel (BPFProgram) or the machine (FailureAction), or take from other containers (CPUWeight,
 * MemoryMin, ManagedOOMPreference). */
enum property_kind {
    OF_UNIT, /* takes the place of what rt would say itself */
    LIMIT    /* an upper limit: only where the document has none */
};

static const struct allowed {
    const char *name;
    enum property_kind kind;
    const char *kin; /* another property that says the same, or takes effect together with it */
} allowed[] = {
    {"Description", OF_UNIT, NULL},
    {"Documentation", OF_UNIT, NULL},
    {"CollectMode", OF_UNIT, NULL},
    {"After", OF_UNIT, NULL},               /* CRI-O: an order alone, which starts nothing */
    {"DefaultDependencies", OF_UNIT, NULL}, /* CRI-O */
    {"TimeoutStopUSec", OF_UNIT, NULL},
    {"RuntimeMaxUSec", OF_UNIT, NULL},
    {"KillSignal", OF_UNIT, NULL},
    {"ManagedOOMSwap", OF_UNIT, NULL},
    {"ManagedOOMMemoryPressure", OF_UNIT, NULL},
    {"ManagedOOMMemoryPressureLimit", OF_UNIT, NULL},
    {"ManagedOOMMemoryPressureDurationUSec", OF_UNIT, NULL},
    {"MemoryMax", LIMIT, "MemoryLimit"},
    {"MemoryLimit", LIMIT, "MemoryMax"},
    {"MemoryHigh", LIMIT, NULL},
    {"MemorySwapMax", LIMIT, NULL},
    {"MemoryZSwapMax", LIMIT, NULL},
    {"CPUQuotaPerSecUSec", LIMIT, NULL},
    {"CPUQuotaPeriodUSec", LIMIT, "CPUQuotaPerSecUSec"},
    {"AllowedCPUs", LIMIT, NULL},
    {"AllowedMemoryNodes", LIMIT, NULL},
    {"TasksMax", LIMIT, NULL},
    {"IOReadBandwidthMax", LIMIT, NULL},
    {"IOWriteBandwidthMax", LIMIT, NULL},
    {"IOReadIOPSMax", LIMIT, NULL},
    {"IOWriteIOPSMax", LIMIT, NULL},
    {"OOMPolicy", LIMIT, NULL},
};

static const struct allowed *find_allowed (const char *name)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (text_equal (allowed[i].name, name))
            return &allowed[i];
    return NULL;
}

/* Has the document said it? */
static bool is_said (const struct unit_properties *properties, const char *name)
{
    for (size_t i = 0; name && i < properties->count; i++)
        if (text_equal (properties->items[i].name, name))
            return !properties->items[i].by_user;
    return false;
}

/* systemd writes what it is told to a unit file, line by line. */
static bool has_control (const struct dbus_value *value)
{
    if (strchr ("sog", value->type[0]))
        for (const char *at = value->text; *at; at++)
            if ((unsigned char)*at < ' ' || *at == 0x7f)
                return true;
    for (size_t i = 0; strchr ("a(", value->type[0]) && i < value->count; i++)
        if (has_control (&value->items[i]))
            return true;
    return false;
}

static bool is_name (const char *name)
{
    size_t length = strlen (name);

    return length >= NAME_LENGTH_MIN &&
           strspn (name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == length;
}

/* TimeoutStopSec, but not TimeoutStopUSec. */
static bool is_in_seconds (const char *name)
{
    size_t length = strlen (name);

    return length > 3 && text_equal (name + length - 3, "Sec") && name[length - 4] >= 'a' &&
           name[length - 4] <= 'z';
}

static int to_microseconds (struct dbus_value *value)
{
    char type = value->type[0];

    if (type == 'd') {
        double us = value->real * 1e6;
        if (!(us >= 0 && us < 1.8e19))
            return -1;
        value->number = (uint64_t)(us + 0.5);
    } else if (strchr ("nix", type) ? value->integer < 0 : !strchr ("yqut", type)) {
        return -1;
    } else if (__builtin_mul_overflow (value->number, UINT64_C (1000000), &value->number)) {
        return -1;
    }
    value->type = "t";
    return 0;
}

/* The name as systemd has it, if it may be said. `key` is for the error. */
static const struct allowed *choose (const char *key, const char *name,
                                     const struct unit_properties *properties, struct error *err)
{
    const struct allowed *row = find_allowed (name);

    if (!row) {
        error_set (err, "RT-SYSTEMD-PROPERTY", 0,
                   "annotation %s: the property %s is not one that annotations may set", key, name);
        error_hint (err, "an image may have brought the annotation; docs/choices.md has the list");
        (void)error_at (err, "/annotations");
        return NULL;
    }
    if (row->kind == LIMIT && (is_said (properties, row->name) || is_said (properties, row->kin))) {
        error_set (err, "RT-SYSTEMD-PROPERTY", 0,
                   "annotation %s: linux.resources has this limit already", key);
        (void)error_at (err, "/annotations");
        return NULL;
    }
    return row;
}

static int add_one (const char *key, const char *text, struct unit_properties *properties,
                    struct error *err)
{
    const char *name = key + strlen (SYSTEMD_PROPERTY_ANNOTATION);
    bool in_seconds = is_in_seconds (name);
    struct error why = {0};
    struct dbus_value value;

    if (!is_name (name))
        return wrong (err, key, "the name of a property has letters only, three at least");
    if (in_seconds)
        name = arena_printf (properties->arena, "%.*sUSec", (int)(strlen (name) - 3), name);
    const struct allowed *row = choose (key, name, properties, err);
    if (!row)
        return -1;
    if (dbus_value_parse (properties->arena, text, &value, &why) < 0) {
        wrong (err, key, why.text);
        return error_hint (err, "values are written as GVariant text: 5, uint64 5, true, 'word', "
                                "['a', 'b']");
    }
    if (has_control (&value))
        return wrong (err, key, "a line break or another control character in its text");
    if (in_seconds && to_microseconds (&value) < 0)
        return wrong (err, key, "not a number of seconds");
    unit_property_set (properties, row->name, value);
    for (size_t i = 0; i < properties->count; i++)
        if (text_equal (properties->items[i].name, row->name))
            properties->items[i].by_user = true;
    return 0;
}

int systemd_user_properties (const struct oci_map *annotations, struct unit_properties *properties,
                             struct error *err)
{
    for (size_t i = 0; annotations && i < annotations->count; i++)
        if (text_starts_with (annotations->items[i].key, SYSTEMD_PROPERTY_ANNOTATION) &&
            add_one (annotations->items[i].key, annotations->items[i].value, properties, err) < 0)
            return -1;
    return 0;
}
