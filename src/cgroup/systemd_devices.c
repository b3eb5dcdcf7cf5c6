/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd_devices: device rules as DevicePolicy= and DeviceAllow= say them: nothing but what is
 * listed (CGS-22, CGD-15).
 *
 * systemd enforces its list beside rt's program, and again after each daemon-reload: it must never
 * be narrower than the document's rules, and where it is the only one, not wider either.
 */
#include "cgroup/systemd_properties.h"

#include "base/text.h"

#include <inttypes.h>

/* The name of a major number: "Character devices:\n  1 mem\n...\n\nBlock devices:\n..." */
static const char *group_name (struct arena *arena, const char *text, char type, int64_t major)
{
    const char *line = strstr (text, type == 'c' ? "Character devices:" : "Block devices:");

    for (; line && *line && *line != '\n'; line += *line == '\n') {
        const char *number = line + strspn (line, " ");
        size_t length = strspn (number, "0123456789");
        uint64_t value;

        if (length > 0 &&
            text_to_uint64 (arena_copy (arena, number, length), UINT32_MAX, &value) == 0 &&
            value == (uint64_t)major && number[length] == ' ')
            return arena_copy (arena, number + length + 1, strcspn (number + length + 1, "\n"));
        line += strcspn (line, "\n");
    }
    return NULL;
}

/* The device of a rule in systemd's words, or NULL where there are none. */
static const char *node_of (struct arena *arena, const struct device_rule *rule, char type,
                            const char *devices_text, int systemd)
{
    const char *kind = type == 'c' ? "char" : "block";

    if (rule->major == DEVICE_ANY)
        return rule->minor == DEVICE_ANY ? arena_printf (arena, "%s-*", kind) : NULL;
    if (rule->minor != DEVICE_ANY)
        return arena_printf (arena, "/dev/%s/%" PRId64 ":%" PRId64, kind, rule->major, rule->minor);
    if (systemd >= 240)
        return arena_printf (arena, "%s-%" PRId64, kind, rule->major);
    const char *name = group_name (arena, devices_text, type, rule->major);
    return name ? arena_printf (arena, "%s-%s", kind, name) : NULL;
}

static void add (struct arena *arena, struct dbus_value *list, const char *node, unsigned access)
{
    struct dbus_value *pair = arena_array (arena, 2, sizeof *pair);

    pair[0] = (struct dbus_value){.type = "s", .text = node};
    pair[1] = (struct dbus_value){.type = "s",
                                  .text = arena_printf (arena, "%s%s%s",
                                                        access & OCI_ACCESS_READ ? "r" : "",
                                                        access & OCI_ACCESS_WRITE ? "w" : "",
                                                        access & OCI_ACCESS_MKNOD ? "m" : "")};
    list->items[list->count++] = (struct dbus_value){.type = "(ss)", .items = pair, .count = 2};
}

/* The index of the first rule that cannot be said, or the count of all. */
static size_t list_rules (const struct device_rules *rules, const char *devices_text,
                          const struct unit_properties *properties, struct dbus_value *list)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct device_rule *rule = &rules->items[i];
        const char types[] = {rule->type == 'a' ? 'c' : rule->type, rule->type == 'a' ? 'b' : 0};

        if (!rule->allow)
            return i;
        for (size_t j = 0; j < sizeof types && types[j]; j++) {
            const char *node =
                node_of (properties->arena, rule, types[j], devices_text, properties->systemd);
            if (!node)
                return i;
            add (properties->arena, list, node, rule->access);
        }
    }
    return rules->count;
}

int systemd_device_properties (const struct device_rules *rules, bool own_program,
                               const char *devices_text, struct unit_properties *properties,
                               struct error *err)
{
    struct dbus_value list = {.type = "a(ss)"};
    size_t said;

    list.items = arena_array (properties->arena, 2 * rules->count + 1, sizeof *list.items);
    said = list_rules (rules, devices_text, properties, &list);
    if (said < rules->count && !own_program) {
        error_set (err, "RT-SYSTEMD-DEVICES", 0,
                   "systemd cannot hold this device rule on cgroup v1: it only knows lists of "
                   "what is allowed");
        error_hint (err, "use the cgroupfs driver, or rules that allow after denying all");
        return rules->items[said].index < 0
                   ? error_at (err, "/linux/resources/devices")
                   : error_at (err, "/linux/resources/devices/%" PRId64, rules->items[said].index);
    }
    bool all = said < rules->count || device_rules_allow_all (rules);
    if (all)
        list.count = 0;
    unit_property_string (properties, "DevicePolicy", all ? "auto" : "strict");
    unit_property_set (properties, "DeviceAllow", list);
    return 0;
}
