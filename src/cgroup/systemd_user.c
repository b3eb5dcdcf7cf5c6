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

/* Engines put annotations of images into config.json: what they say of the unit may not reach
 * beyond the unit, nor widen what the document allows. */
static const struct {
    const char *name;
    const char *why;
} refused[] = {
    {"PIDs", "which processes are in the unit is rt's"},
    {"Slice", "where the unit lies is rt's, by linux.cgroupsPath"},
    {"DevicePolicy", "which devices can be used is what linux.resources.devices says"},
    {"DeviceAllow", "which devices can be used is what linux.resources.devices says"},
    {"Conflicts", "it would stop units that are not the container's"},
    {"PropagatesStopTo", "it would stop units that are not the container's"},
    {"RebootArgument", "it is about the whole machine"},
    {"FailureAction", "it would stop the whole machine"},
    {"SuccessAction", "it would stop the whole machine"},
    {"StartLimitAction", "it would stop the whole machine"},
    {"JobTimeoutAction", "it would stop the whole machine"},
    {"JobTimeoutRebootArgument", "it is about the whole machine"},
};

static const char *why_refused (const char *name)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (text_equal (refused[i].name, name))
            return refused[i].why;
    return NULL;
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

static int add_one (const char *key, const char *text, struct unit_properties *properties,
                    struct error *err)
{
    const char *name = key + strlen (SYSTEMD_PROPERTY_ANNOTATION);
    struct error why = {0};
    struct dbus_value value;

    if (!is_name (name))
        return wrong (err, key, "the name of a property has letters only, three at least");
    if (why_refused (name))
        return wrong (err, key, why_refused (name));
    if (dbus_value_parse (properties->arena, text, &value, &why) < 0) {
        wrong (err, key, why.text);
        return error_hint (err, "values are written as GVariant text: 5, uint64 5, true, 'word', "
                                "['a', 'b']");
    }
    if (is_in_seconds (name)) {
        if (to_microseconds (&value) < 0)
            return wrong (err, key, "not a number of seconds");
        name = arena_printf (properties->arena, "%.*sUSec", (int)(strlen (name) - 3), name);
    }
    unit_property_set (properties, name, value);
    for (size_t i = 0; i < properties->count; i++)
        if (text_equal (properties->items[i].name, name))
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
