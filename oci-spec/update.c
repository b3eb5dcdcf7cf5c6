/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: see update.h.
 */
#include "oci-spec/update.h"

#include "base/json_write.h"

#include <string.h>

/* ---- merging ---- */

#define TAKE(member)                                                                               \
    do {                                                                                           \
        if (change->member.present)                                                                \
            to->member = change->member;                                                           \
    } while (0)

/* 0 is how engines say "as it is". */
#define TAKE_SET(member)                                                                           \
    do {                                                                                           \
        if (change->member.present && change->member.value != 0)                                   \
            to->member = change->member;                                                           \
    } while (0)

static void merge_memory (struct oci_memory *to, const struct oci_memory *change)
{
    TAKE_SET (limit);
    TAKE_SET (reservation);
    TAKE_SET (swap);
    TAKE_SET (kernel);
    TAKE_SET (kernel_tcp);
    TAKE (swappiness);
    TAKE (disable_oom_killer);
    TAKE (use_hierarchy);
    TAKE (check_before_update);
    bool lifted = change->limit.present && change->limit.value == -1;
    if (lifted && !(change->swap.present && change->swap.value != 0))
        to->swap = change->limit;
}

static void merge_cpu (struct oci_cpu *to, const struct oci_cpu *change)
{
    TAKE_SET (shares);
    TAKE_SET (period);
    TAKE_SET (quota);
    TAKE_SET (realtime_period);
    TAKE_SET (realtime_runtime);
    TAKE (burst);
    TAKE (idle);
    if (change->cpus && *change->cpus)
        to->cpus = change->cpus;
    if (change->mems && *change->mems)
        to->mems = change->mems;
}

struct list {
    size_t count;
    void *items;
};

/* Puts `item` over `kept` if they are about the same thing. */
typedef bool put_over_fn (void *kept, const void *item);

/* Each item of `change` replaces the one of its kind, or is a new one at the end. */
static struct list merge_list (struct arena *arena, const void *base, size_t base_count,
                               const void *change, size_t change_count, size_t size,
                               put_over_fn *put_over)
{
    struct list list = {.count = base_count,
                        .items = arena_array (arena, base_count + change_count + 1, size)};
    char *items = list.items;

    if (base_count > 0)
        memcpy (items, base, base_count * size);
    for (size_t i = 0; i < change_count; i++) {
        const char *item = (const char *)change + i * size;
        size_t at = 0;

        while (at < list.count && !put_over (items + at * size, item))
            at++;
        if (at == list.count)
            memcpy (items + list.count++ * size, item, size);
    }
    return list;
}

#define MERGE_LIST(member, put_over)                                                               \
    do {                                                                                           \
        struct list merged =                                                                       \
            merge_list (arena, to->member.items, to->member.count, change->member.items,           \
                        change->member.count, sizeof *to->member.items, put_over);                 \
        if (change->member.count > 0) {                                                            \
            to->member.items = merged.items;                                                       \
            to->member.count = merged.count;                                                       \
            to->member.present = true;                                                             \
        }                                                                                          \
    } while (0)

static bool put_over_weight (void *kept, const void *item)
{
    struct oci_device_weight *to = kept;
    const struct oci_device_weight *change = item;

    if (to->major != change->major || to->minor != change->minor)
        return false;
    TAKE_SET (weight);
    TAKE_SET (leaf_weight);
    return true;
}

static bool put_over_throttle (void *kept, const void *item)
{
    struct oci_device_throttle *to = kept;
    const struct oci_device_throttle *change = item;

    if (to->major != change->major || to->minor != change->minor)
        return false;
    *to = *change;
    return true;
}

static bool put_over_hugepages (void *kept, const void *item)
{
    struct oci_hugepage_limit *to = kept;
    const struct oci_hugepage_limit *change = item;

    if (!text_equal (to->page_size, change->page_size))
        return false;
    *to = *change;
    return true;
}

static bool put_over_priority (void *kept, const void *item)
{
    struct oci_interface_priority *to = kept;
    const struct oci_interface_priority *change = item;

    if (!text_equal (to->name, change->name))
        return false;
    *to = *change;
    return true;
}

static bool put_over_rdma (void *kept, const void *item)
{
    struct oci_rdma *to = kept;
    const struct oci_rdma *change = item;

    if (!text_equal (to->device, change->device))
        return false;
    TAKE (hca_handles);
    TAKE (hca_objects);
    return true;
}

static bool put_over_pair (void *kept, const void *item)
{
    struct oci_pair *to = kept;
    const struct oci_pair *change = item;

    if (!text_equal (to->key, change->key))
        return false;
    *to = *change;
    return true;
}

static void merge_block_io (struct arena *arena, struct oci_block_io *to,
                            const struct oci_block_io *change)
{
    TAKE_SET (weight);
    TAKE_SET (leaf_weight);
    MERGE_LIST (weight_device, put_over_weight);
    MERGE_LIST (read_bps, put_over_throttle);
    MERGE_LIST (write_bps, put_over_throttle);
    MERGE_LIST (read_iops, put_over_throttle);
    MERGE_LIST (write_iops, put_over_throttle);
}

static void merge_network (struct arena *arena, struct oci_network *to,
                           const struct oci_network *change)
{
    TAKE (class_id);
    MERGE_LIST (priorities, put_over_priority);
}

/* A copy of a section of the base, or a new one, to be changed. */
static void *section (struct arena *arena, const void *base, size_t size)
{
    void *copy = arena_alloc (arena, size);

    if (base)
        memcpy (copy, base, size);
    return copy;
}

struct oci_resources *oci_resources_merge (struct arena *arena, const struct oci_resources *base,
                                           const struct oci_resources *change)
{
    struct oci_resources *to = section (arena, base, sizeof *to);

    if (change->memory) {
        to->memory = section (arena, to->memory, sizeof *to->memory);
        merge_memory (to->memory, change->memory);
    }
    if (change->cpu) {
        to->cpu = section (arena, to->cpu, sizeof *to->cpu);
        merge_cpu (to->cpu, change->cpu);
    }
    TAKE (pids_limit);
    if (change->block_io) {
        to->block_io = section (arena, to->block_io, sizeof *to->block_io);
        merge_block_io (arena, to->block_io, change->block_io);
    }
    MERGE_LIST (hugepage_limits, put_over_hugepages);
    if (change->network) {
        to->network = section (arena, to->network, sizeof *to->network);
        merge_network (arena, to->network, change->network);
    }
    MERGE_LIST (rdma, put_over_rdma);
    MERGE_LIST (unified, put_over_pair);
    return to;
}

/* ---- writing ---- */

static void write_int (struct json_writer *writer, const char *key, struct oci_int64 value)
{
    if (value.present)
        json_int (writer, key, value.value);
}

static void write_uint (struct json_writer *writer, const char *key, struct oci_uint64 value)
{
    if (value.present)
        json_uint (writer, key, value.value);
}

static void write_bool (struct json_writer *writer, const char *key, struct oci_bool value)
{
    if (value.present)
        json_bool (writer, key, value.value);
}

static void write_memory (struct json_writer *writer, const struct oci_memory *memory)
{
    json_open (writer, "memory", '{');
    write_int (writer, "limit", memory->limit);
    write_int (writer, "reservation", memory->reservation);
    write_int (writer, "swap", memory->swap);
    write_int (writer, "kernel", memory->kernel);
    write_int (writer, "kernelTCP", memory->kernel_tcp);
    write_uint (writer, "swappiness", memory->swappiness);
    write_bool (writer, "disableOOMKiller", memory->disable_oom_killer);
    write_bool (writer, "useHierarchy", memory->use_hierarchy);
    write_bool (writer, "checkBeforeUpdate", memory->check_before_update);
    json_close (writer, '}');
}

static void write_cpu (struct json_writer *writer, const struct oci_cpu *cpu)
{
    json_open (writer, "cpu", '{');
    write_uint (writer, "shares", cpu->shares);
    write_int (writer, "quota", cpu->quota);
    write_uint (writer, "burst", cpu->burst);
    write_uint (writer, "period", cpu->period);
    write_int (writer, "realtimeRuntime", cpu->realtime_runtime);
    write_uint (writer, "realtimePeriod", cpu->realtime_period);
    if (cpu->cpus)
        json_string (writer, "cpus", cpu->cpus);
    if (cpu->mems)
        json_string (writer, "mems", cpu->mems);
    write_int (writer, "idle", cpu->idle);
    json_close (writer, '}');
}

static void write_throttles (struct json_writer *writer, const char *key,
                             const struct oci_throttles *throttles)
{
    if (throttles->count == 0)
        return;
    json_open (writer, key, '[');
    for (size_t i = 0; i < throttles->count; i++) {
        json_open (writer, NULL, '{');
        json_int (writer, "major", throttles->items[i].major);
        json_int (writer, "minor", throttles->items[i].minor);
        json_uint (writer, "rate", throttles->items[i].rate);
        json_close (writer, '}');
    }
    json_close (writer, ']');
}

static void write_block_io (struct json_writer *writer, const struct oci_block_io *io)
{
    json_open (writer, "blockIO", '{');
    write_uint (writer, "weight", io->weight);
    write_uint (writer, "leafWeight", io->leaf_weight);
    if (io->weight_device.count > 0) {
        json_open (writer, "weightDevice", '[');
        for (size_t i = 0; i < io->weight_device.count; i++) {
            json_open (writer, NULL, '{');
            json_int (writer, "major", io->weight_device.items[i].major);
            json_int (writer, "minor", io->weight_device.items[i].minor);
            write_uint (writer, "weight", io->weight_device.items[i].weight);
            write_uint (writer, "leafWeight", io->weight_device.items[i].leaf_weight);
            json_close (writer, '}');
        }
        json_close (writer, ']');
    }
    write_throttles (writer, "throttleReadBpsDevice", &io->read_bps);
    write_throttles (writer, "throttleWriteBpsDevice", &io->write_bps);
    write_throttles (writer, "throttleReadIOPSDevice", &io->read_iops);
    write_throttles (writer, "throttleWriteIOPSDevice", &io->write_iops);
    json_close (writer, '}');
}

static void write_hugepages (struct json_writer *writer, const struct oci_resources *resources)
{
    json_open (writer, "hugepageLimits", '[');
    for (size_t i = 0; i < resources->hugepage_limits.count; i++) {
        json_open (writer, NULL, '{');
        json_string (writer, "pageSize", resources->hugepage_limits.items[i].page_size);
        json_uint (writer, "limit", resources->hugepage_limits.items[i].limit);
        json_close (writer, '}');
    }
    json_close (writer, ']');
}

static void write_network (struct json_writer *writer, const struct oci_network *network)
{
    json_open (writer, "network", '{');
    write_uint (writer, "classID", network->class_id);
    json_open (writer, "priorities", '[');
    for (size_t i = 0; i < network->priorities.count; i++) {
        json_open (writer, NULL, '{');
        json_string (writer, "name", network->priorities.items[i].name);
        json_uint (writer, "priority", network->priorities.items[i].priority);
        json_close (writer, '}');
    }
    json_close (writer, ']');
    json_close (writer, '}');
}

static void write_rdma (struct json_writer *writer, const struct oci_resources *resources)
{
    json_open (writer, "rdma", '{');
    for (size_t i = 0; i < resources->rdma.count; i++) {
        json_open (writer, resources->rdma.items[i].device, '{');
        write_uint (writer, "hcaHandles", resources->rdma.items[i].hca_handles);
        write_uint (writer, "hcaObjects", resources->rdma.items[i].hca_objects);
        json_close (writer, '}');
    }
    json_close (writer, '}');
}

void oci_resources_write (struct text *out, const struct oci_resources *resources)
{
    struct json_writer writer = {.out = out};

    json_open (&writer, NULL, '{');
    if (resources->memory)
        write_memory (&writer, resources->memory);
    if (resources->cpu)
        write_cpu (&writer, resources->cpu);
    if (resources->pids_limit.present) {
        json_open (&writer, "pids", '{');
        json_int (&writer, "limit", resources->pids_limit.value);
        json_close (&writer, '}');
    }
    if (resources->block_io)
        write_block_io (&writer, resources->block_io);
    if (resources->hugepage_limits.count > 0)
        write_hugepages (&writer, resources);
    if (resources->network)
        write_network (&writer, resources->network);
    if (resources->rdma.count > 0)
        write_rdma (&writer, resources);
    if (resources->unified.count > 0) {
        json_open (&writer, "unified", '{');
        for (size_t i = 0; i < resources->unified.count; i++)
            json_string (&writer, resources->unified.items[i].key,
                         resources->unified.items[i].value);
        json_close (&writer, '}');
    }
    json_close (&writer, '}');
    text_putc (out, '\n');
}
