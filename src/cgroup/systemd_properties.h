/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd_properties: what a container's unit is told (systemd.resource-control(5)). Pure; private
 * to cgroup/.
 *
 * The limits follow from the same knobs as the files of cgroupfs (knob.h), so that both always say
 * the same: what systemd knows it writes again at each daemon-reload, what it does not know it
 * would take away. Limits that no property exists for (hugetlb, rdma, burst ...) are left to the
 * files, which systemd does not touch then.
 */
#ifndef RT_CGROUP_SYSTEMD_PROPERTIES_H
#define RT_CGROUP_SYSTEMD_PROPERTIES_H

#include "cgroup/dbus_value.h"
#include "cgroup/devices.h"
#include "cgroup/knob.h"

struct unit_property {
    const char *name;
    struct dbus_value value;
    bool by_user; /* of an annotation */
};

struct unit_properties {
    struct arena *arena;
    int systemd; /* its version: 252 */
    struct unit_property *items;
    size_t count;
    size_t room;
};

/* Sets a property; one of the same name is replaced. */
void unit_property_set (struct unit_properties *properties, const char *name,
                        struct dbus_value value);
void unit_property_bool (struct unit_properties *properties, const char *name, bool value);
void unit_property_uint64 (struct unit_properties *properties, const char *name, uint64_t value);
void unit_property_string (struct unit_properties *properties, const char *name, const char *value);
void unit_property_strings (struct unit_properties *properties, const char *name,
                            const char *const *values, size_t count);

/* The properties that say the same as the knobs. */
int systemd_limit_properties (const struct knobs *knobs, struct unit_properties *properties,
                              struct error *err);

/* DevicePolicy and DeviceAllow, which can only allow. Rules that cannot be said so: where rt's own
 * program decides (v2), systemd is told to let all pass; where systemd alone decides what is
 * written (v1), they are an error. `devices_text` is /proc/devices (before systemd 240 a group has
 * a name only). */
int systemd_device_properties (const struct device_rules *rules, bool own_program,
                               const char *devices_text, struct unit_properties *properties,
                               struct error *err);

/* Those that users give as annotations "org.systemd.property.NAME" (GVariant text). A name ...Sec
 * takes seconds and becomes ...USec. Only names of a list are taken, as an image may have brought
 * the annotation: what is about the container's own unit replaces what rt would say itself, and a
 * limit is taken where `properties` has none yet. RT-SYSTEMD-PROPERTY at /annotations otherwise.
 * Comes after systemd_limit_properties. */
#define SYSTEMD_PROPERTY_ANNOTATION "org.systemd.property."
int systemd_user_properties (const struct oci_map *annotations, struct unit_properties *properties,
                             struct error *err);

/* The quota as systemd can hold it: whole percents of a processor, rounded up. A copy where that
 * changes it. */
const struct oci_resources *systemd_round_quota (struct arena *arena,
                                                 const struct oci_resources *resources);

/* "252.39-1~deb12u2", "v245": 252, 245; 0 where there is no number. */
int systemd_version_parse (const char *text);

#endif
