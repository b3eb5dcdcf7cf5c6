/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resources: see resources.h. Memory limits and the like take -1 for "no limit".
 */
#include "oci-spec/resources.h"

#include "oci-spec/sections.h"

#include <string.h>

static void decode_rule_type (struct decoder *decoder, const struct decode_row *row,
                              const struct place *at, void *target)
{
    const struct json *value = at->value;

    if (value->type != JSON_STRING)
        decode_type_error (decoder, at, "a string");
    else if (strlen (value->text) > 1 || (value->text[0] && !strchr ("abc", value->text[0])))
        decode_error (decoder, at, "RT-CONFIG-WORD", "must be \"a\", \"b\" or \"c\", not \"%.20s\"",
                      value->text);
    else if (value->text[0] != '\0')
        *((char *)target + row->offset) = value->text[0];
}

static void decode_access (struct decoder *decoder, const struct decode_row *row,
                           const struct place *at, void *target)
{
    unsigned int access = 0;

    if (at->value->type != JSON_STRING) {
        decode_type_error (decoder, at, "a string");
        return;
    }
    for (const char *letter = at->value->text; *letter; letter++) {
        if (*letter == 'r')
            access |= OCI_ACCESS_READ;
        else if (*letter == 'w')
            access |= OCI_ACCESS_WRITE;
        else if (*letter == 'm')
            access |= OCI_ACCESS_MKNOD;
        else {
            decode_error (decoder, at, "RT-CONFIG-WORD",
                          "must be made of the letters r, w and m, not \"%.20s\"", at->value->text);
            return;
        }
    }
    memcpy ((char *)target + row->offset, &access, sizeof (access));
}

static void finish_device_rule (struct decoder *decoder, const struct place *at, void *target)
{
    struct oci_device_rule *rule = target;

    (void)decoder;
    (void)at;
    if (rule->type == '\0')
        rule->type = 'a';
}

static const struct decode_row device_rule_rows[] = {
    ROW_BOOL ("allow", struct oci_device_rule, allow, REQUIRED),
    ROW_FUNCTION ("type", struct oci_device_rule, type, char, decode_rule_type),
    ROW_INTEGER ("major", struct oci_device_rule, major, -1, UINT32_MAX),
    ROW_INTEGER ("minor", struct oci_device_rule, minor, -1, UINT32_MAX),
    ROW_FUNCTION ("access", struct oci_device_rule, access, unsigned int, decode_access),
};
DECODE_TABLE_FINISHED (device_rule_table, struct oci_device_rule, device_rule_rows,
                       finish_device_rule);

/* Docker's API takes -1 for "leave it", and passes that on as an unsigned number. */
static void decode_swappiness (struct decoder *decoder, const struct decode_row *row,
                               const struct place *at, void *target)
{
    if (at->value->type != JSON_NUMBER || strcmp (at->value->text, "18446744073709551615") != 0)
        decode_optional_uint64 (decoder, row, at, target);
}

static const struct decode_row memory_rows[] = {
    ROW_INTEGER ("limit", struct oci_memory, limit, -1, INT64_MAX),
    ROW_INTEGER ("reservation", struct oci_memory, reservation, -1, INT64_MAX),
    ROW_INTEGER ("swap", struct oci_memory, swap, -1, INT64_MAX),
    ROW_INTEGER ("kernel", struct oci_memory, kernel, -1, INT64_MAX),
    ROW_INTEGER ("kernelTCP", struct oci_memory, kernel_tcp, -1, INT64_MAX),
    ROW_FUNCTION ("swappiness", struct oci_memory, swappiness, struct oci_uint64, decode_swappiness,
                  .max = 100),
    ROW_BOOL ("disableOOMKiller", struct oci_memory, disable_oom_killer),
    ROW_BOOL ("useHierarchy", struct oci_memory, use_hierarchy),
    ROW_BOOL ("checkBeforeUpdate", struct oci_memory, check_before_update),
};
DECODE_TABLE (memory_table, struct oci_memory, memory_rows);

static const struct decode_row cpu_rows[] = {
    ROW_INTEGER ("shares", struct oci_cpu, shares, 0, UINT64_MAX),
    ROW_INTEGER ("quota", struct oci_cpu, quota, INT64_MIN, INT64_MAX),
    ROW_INTEGER ("burst", struct oci_cpu, burst, 0, UINT64_MAX),
    ROW_INTEGER ("period", struct oci_cpu, period, 0, UINT64_MAX),
    ROW_INTEGER ("realtimeRuntime", struct oci_cpu, realtime_runtime, INT64_MIN, INT64_MAX),
    ROW_INTEGER ("realtimePeriod", struct oci_cpu, realtime_period, 0, UINT64_MAX),
    ROW_STRING ("cpus", struct oci_cpu, cpus),
    ROW_STRING ("mems", struct oci_cpu, mems),
    ROW_INTEGER ("idle", struct oci_cpu, idle, 0, 1),
};
DECODE_TABLE (cpu_table, struct oci_cpu, cpu_rows);

static const struct decode_row pids_rows[] = {
    ROW_INTEGER ("limit", struct oci_resources, pids_limit, -1, INT64_MAX),
};
DECODE_TABLE (pids_table, struct oci_resources, pids_rows);

static const struct decode_row device_weight_rows[] = {
    ROW_INTEGER ("major", struct oci_device_weight, major, 0, UINT32_MAX, REQUIRED),
    ROW_INTEGER ("minor", struct oci_device_weight, minor, 0, UINT32_MAX, REQUIRED),
    ROW_INTEGER ("weight", struct oci_device_weight, weight, 0, UINT16_MAX),
    ROW_INTEGER ("leafWeight", struct oci_device_weight, leaf_weight, 0, UINT16_MAX),
};
DECODE_TABLE (device_weight_table, struct oci_device_weight, device_weight_rows);

static const struct decode_row throttle_rows[] = {
    ROW_INTEGER ("major", struct oci_device_throttle, major, 0, UINT32_MAX, REQUIRED),
    ROW_INTEGER ("minor", struct oci_device_throttle, minor, 0, UINT32_MAX, REQUIRED),
    ROW_INTEGER ("rate", struct oci_device_throttle, rate, 0, UINT64_MAX, REQUIRED),
};
DECODE_TABLE (throttle_table, struct oci_device_throttle, throttle_rows);

static const struct decode_row block_io_rows[] = {
    ROW_INTEGER ("weight", struct oci_block_io, weight, 0, UINT16_MAX),
    ROW_INTEGER ("leafWeight", struct oci_block_io, leaf_weight, 0, UINT16_MAX),
    ROW_OBJECTS ("weightDevice", struct oci_block_io, weight_device, device_weight_table),
    ROW_OBJECTS ("throttleReadBpsDevice", struct oci_block_io, read_bps, throttle_table),
    ROW_OBJECTS ("throttleWriteBpsDevice", struct oci_block_io, write_bps, throttle_table),
    ROW_OBJECTS ("throttleReadIOPSDevice", struct oci_block_io, read_iops, throttle_table),
    ROW_OBJECTS ("throttleWriteIOPSDevice", struct oci_block_io, write_iops, throttle_table),
};
DECODE_TABLE (block_io_table, struct oci_block_io, block_io_rows);

static const struct decode_row hugepage_rows[] = {
    ROW_STRING ("pageSize", struct oci_hugepage_limit, page_size, REQUIRED),
    ROW_INTEGER ("limit", struct oci_hugepage_limit, limit, 0, UINT64_MAX, REQUIRED),
};
DECODE_TABLE (hugepage_table, struct oci_hugepage_limit, hugepage_rows);

static const struct decode_row priority_rows[] = {
    ROW_STRING ("name", struct oci_interface_priority, name, REQUIRED),
    ROW_INTEGER ("priority", struct oci_interface_priority, priority, 0, UINT32_MAX, REQUIRED),
};
DECODE_TABLE (priority_table, struct oci_interface_priority, priority_rows);

static const struct decode_row network_rows[] = {
    ROW_INTEGER ("classID", struct oci_network, class_id, 0, UINT32_MAX),
    ROW_OBJECTS ("priorities", struct oci_network, priorities, priority_table),
};
DECODE_TABLE (network_table, struct oci_network, network_rows);

static const struct decode_row rdma_key = ROW_STRING ("", struct oci_rdma, device, REQUIRED);

static const struct decode_row rdma_rows[] = {
    ROW_INTEGER ("hcaHandles", struct oci_rdma, hca_handles, 0, UINT32_MAX),
    ROW_INTEGER ("hcaObjects", struct oci_rdma, hca_objects, 0, UINT32_MAX),
};
DECODE_TABLE (rdma_table, struct oci_rdma, rdma_rows);

static const struct decode_row resources_rows[] = {
    ROW_OBJECTS ("devices", struct oci_resources, devices, device_rule_table),
    ROW_OBJECT ("memory", struct oci_resources, memory, memory_table),
    ROW_OBJECT ("cpu", struct oci_resources, cpu, cpu_table),
    ROW_SPREAD ("pids", struct oci_resources, pids_table),
    ROW_OBJECT ("blockIO", struct oci_resources, block_io, block_io_table),
    ROW_OBJECTS ("hugepageLimits", struct oci_resources, hugepage_limits, hugepage_table),
    ROW_OBJECT ("network", struct oci_resources, network, network_table),
    ROW_KEYED ("rdma", struct oci_resources, rdma, rdma_table, rdma_key),
    ROW_MAP ("unified", struct oci_resources, unified),
};
DECODE_TABLE_DEFINE (oci_resources_table, resources_rows, NULL);
