/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux: see linux.h.
 */
#include "oci-spec/linux.h"

#include "oci-spec/sections.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Device numbers as the kernel keeps them: 12 bits and 20 bits. Larger ones would be cut. */
#define MAJOR_MAX 0xfff
#define MINOR_MAX 0xfffff

/* Permissions, and the file type as stat(2) shows it, which podman leaves in. */
#define MODE_MAX 0177777

static const struct decode_row namespace_rows[] = {
    ROW_ENUM ("type", struct oci_namespace, type, oci_namespaces, REQUIRED),
    ROW_STRING ("path", struct oci_namespace, path),
};
DECODE_TABLE (namespace_table, struct oci_namespace, namespace_rows);

static const struct decode_row id_mapping_rows[] = {
    ROW_INTEGER ("containerID", struct oci_id_mapping, container_id, 0, UINT32_MAX, REQUIRED),
    ROW_INTEGER ("hostID", struct oci_id_mapping, host_id, 0, UINT32_MAX, REQUIRED),
    ROW_INTEGER ("size", struct oci_id_mapping, size, 1, UINT32_MAX, REQUIRED),
};
DECODE_TABLE_DEFINE (oci_id_mapping_table, id_mapping_rows, NULL);

static const struct oci_name clock_names[] = {
    {"monotonic", CLOCK_MONOTONIC},
    {"boottime", CLOCK_BOOTTIME},
};
static const struct oci_names clocks = {.what = "clock", .items = clock_names, .count = 2};

static const struct decode_row clock_row =
    ROW_ENUM ("", struct oci_time_offset, clock, clocks, REQUIRED);

static const struct decode_row time_offset_rows[] = {
    ROW_INTEGER ("secs", struct oci_time_offset, secs, INT64_MIN, INT64_MAX),
    ROW_INTEGER ("nanosecs", struct oci_time_offset, nanosecs, 0, 999999999),
};
DECODE_TABLE (time_offset_table, struct oci_time_offset, time_offset_rows);

static void decode_device_type (struct decoder *decoder, const struct decode_row *row,
                                const struct place *at, void *target)
{
    const struct json *value = at->value;

    if (value->type != JSON_STRING || strlen (value->text) != 1 || !strchr ("cubp", value->text[0]))
        decode_error (decoder, at, "RT-CONFIG-WORD",
                      "must be \"c\", \"u\", \"b\" or \"p\", not %s%.20s%s",
                      value->type == JSON_STRING ? "\"" : "",
                      value->type == JSON_STRING ? value->text : json_type_word (value->type),
                      value->type == JSON_STRING ? "\"" : "");
    else
        *((char *)target + row->offset) = value->text[0] == 'u' ? 'c' : value->text[0];
}

static uint32_t type_bits (char type)
{
    return type == 'c' ? S_IFCHR : type == 'b' ? S_IFBLK : S_IFIFO;
}

static void finish_device (struct decoder *decoder, const struct place *at, void *target)
{
    static const char *const numbers[] = {"major", "minor"};
    struct oci_device *device = target;

    uint32_t type = device->file_mode & S_IFMT;
    if (device->type && type != 0 && type != type_bits (device->type)) {
        struct place mode = {.up = at, .key = "fileMode", .value = at->value};
        decode_error (decoder, &mode, "RT-CONFIG-VALUE",
                      "has the file type of another type than \"%c\"", device->type);
    }
    device->file_mode = decode_has (at->value, "fileMode") ? device->file_mode & 07777 : 0666;
    for (size_t i = 0; i < 2; i++) {
        struct place missing = {.up = at, .key = numbers[i], .value = at->value};
        if ((device->type == 'c' || device->type == 'b') && !decode_has (at->value, numbers[i]))
            decode_error (decoder, &missing, "RT-CONFIG-REQUIRED",
                          "is required for a device of type \"%c\"", device->type);
    }
}

static const struct decode_row device_rows[] = {
    ROW_FUNCTION ("type", struct oci_device, type, char, decode_device_type, REQUIRED),
    ROW_STRING ("path", struct oci_device, path, REQUIRED),
    ROW_INTEGER ("major", struct oci_device, major, 0, MAJOR_MAX),
    ROW_INTEGER ("minor", struct oci_device, minor, 0, MINOR_MAX),
    ROW_INTEGER ("fileMode", struct oci_device, file_mode, 0, MODE_MAX),
    ROW_INTEGER ("uid", struct oci_device, uid, 0, ID_MAX),
    ROW_INTEGER ("gid", struct oci_device, gid, 0, ID_MAX),
};
DECODE_TABLE_FINISHED (device_table, struct oci_device, device_rows, finish_device);

static const struct decode_row net_device_key =
    ROW_STRING ("", struct oci_net_device, host_name, REQUIRED);

static const struct decode_row net_device_rows[] = {
    ROW_STRING ("name", struct oci_net_device, name),
};
DECODE_TABLE (net_device_table, struct oci_net_device, net_device_rows);

static const struct decode_row intel_rdt_rows[] = {
    ROW_STRING ("closID", struct oci_intel_rdt, clos_id),
    ROW_STRINGS ("schemata", struct oci_intel_rdt, schemata),
    ROW_STRING ("l3CacheSchema", struct oci_intel_rdt, l3_cache_schema),
    ROW_STRING ("memBwSchema", struct oci_intel_rdt, mem_bw_schema),
    ROW_BOOL ("enableMonitoring", struct oci_intel_rdt, enable_monitoring),
};
DECODE_TABLE (intel_rdt_table, struct oci_intel_rdt, intel_rdt_rows);

static const struct decode_row memory_policy_rows[] = {
    ROW_ENUM ("mode", struct oci_memory_policy, mode, oci_memory_policy_modes, REQUIRED),
    ROW_STRING ("nodes", struct oci_memory_policy, nodes),
    ROW_FLAGS ("flags", struct oci_memory_policy, flags, oci_memory_policy_flags),
};
DECODE_TABLE (memory_policy_table, struct oci_memory_policy, memory_policy_rows);

/* The specification names no flag yet, so that any is one that cannot be applied. */
static void decode_no_flags (struct decoder *decoder, const struct decode_row *row,
                             const struct place *at, void *target)
{
    (void)row;
    (void)target;
    if (at->value->type != JSON_ARRAY)
        decode_type_error (decoder, at, "an array");
    else if (at->value->count > 0)
        decode_error (decoder, at, "RT-CONFIG-WORD", "must be empty: no flag is defined");
}

static const struct decode_row personality_rows[] = {
    ROW_ENUM ("domain", struct oci_personality, domain, oci_personality_domains, REQUIRED),
    {.key = "flags", .decode = decode_no_flags},
};
DECODE_TABLE (personality_table, struct oci_personality, personality_rows);

static const struct decode_row linux_rows[] = {
    ROW_OBJECTS ("namespaces", struct oci_linux, namespaces, namespace_table),
    ROW_OBJECTS ("uidMappings", struct oci_linux, uid_mappings, oci_id_mapping_table),
    ROW_OBJECTS ("gidMappings", struct oci_linux, gid_mappings, oci_id_mapping_table),
    ROW_KEYED ("timeOffsets", struct oci_linux, time_offsets, time_offset_table, clock_row),
    ROW_OBJECTS ("devices", struct oci_linux, devices, device_table),
    ROW_KEYED ("netDevices", struct oci_linux, net_devices, net_device_table, net_device_key),
    ROW_STRING ("cgroupsPath", struct oci_linux, cgroups_path),
    ROW_OBJECT ("resources", struct oci_linux, resources, oci_resources_table),
    ROW_ENUM ("rootfsPropagation", struct oci_linux, rootfs_propagation, oci_propagations),
    ROW_OBJECT ("seccomp", struct oci_linux, seccomp, oci_seccomp_table),
    ROW_MAP ("sysctl", struct oci_linux, sysctl),
    ROW_STRINGS ("maskedPaths", struct oci_linux, masked_paths),
    ROW_STRINGS ("readonlyPaths", struct oci_linux, readonly_paths),
    ROW_STRING ("mountLabel", struct oci_linux, mount_label),
    ROW_OBJECT ("intelRdt", struct oci_linux, intel_rdt, intel_rdt_table),
    ROW_OBJECT ("memoryPolicy", struct oci_linux, memory_policy, memory_policy_table),
    ROW_OBJECT ("personality", struct oci_linux, personality, personality_table),
};
DECODE_TABLE_DEFINE (oci_linux_table, linux_rows, NULL);
