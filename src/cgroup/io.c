/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io: weights and throttles of block devices (FEATURES CGR-23 to CGR-26).
 *
 * Which file takes a weight depends on the kernel: BFQ's own where BFQ is there, else that of CFQ
 * (v1) or iocost (v2).
 */
#include "cgroup/knob.h"

#include <inttypes.h>

#define AT "/linux/resources/blockIO/"

static bool is_set (struct oci_uint64 value)
{
    return value.present && value.value != 0;
}

/* 10 to 1000 (CFQ, and the specification) onto 1 to 10000 (io.weight). */
static uint64_t to_io_weight (uint64_t weight)
{
    return weight <= 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

static int check_weight (uint64_t weight, const char *pointer, struct error *err)
{
    if (weight >= 10 && weight <= 1000)
        return 0;
    error_set (err, "RT-CGROUP-VALUE", 0, "weight %" PRIu64 " is not within 10 and 1000", weight);
    return error_at (err, "%s", pointer);
}

static int add_weight (uint64_t weight, enum cgroup_version version, struct knobs *knobs,
                       struct error *err)
{
    struct knob *knob;

    if (check_weight (weight, AT "weight", err) < 0)
        return -1;
    if (version == CGROUP_VERSION_1) {
        knob = knob_add_uint (knobs, "blkio", "blkio.weight", weight, AT "weight");
        knob->flags = KNOB_OR_NEXT;
        knob->check = KNOB_EXACT;
        knob = knob_add_uint (knobs, "blkio", "blkio.bfq.weight", weight, AT "weight");
        knob->check = KNOB_EXACT;
        return 0;
    }
    knob = knob_add_uint (knobs, "io", "io.bfq.weight", weight, AT "weight");
    knob->flags = KNOB_OR_NEXT;
    knob->check = KNOB_EXACT;
    knob = knob_add_uint (knobs, "io", "io.weight", to_io_weight (weight), AT "weight");
    knob->check = KNOB_EXACT;
    return 0;
}

static int add_device_weight (const struct oci_device_weight *device, size_t index,
                              enum cgroup_version version, struct knobs *knobs, struct error *err)
{
    struct arena *arena = knobs->arena;
    const char *pointer = arena_printf (arena, AT "weightDevice/%zu/weight", index);
    const char *leaf = arena_printf (arena, AT "weightDevice/%zu/leafWeight", index);
    const char *name = arena_printf (arena, "%" PRId64 ":%" PRId64, device->major, device->minor);

    if (is_set (device->weight)) {
        uint64_t weight = device->weight.value;
        if (check_weight (weight, pointer, err) < 0)
            return -1;
        bool v1 = version == CGROUP_VERSION_1;
        const char *same = arena_printf (arena, "%s %" PRIu64, name, weight);
        const char *second =
            v1 ? same : arena_printf (arena, "%s %" PRIu64, name, to_io_weight (weight));
        const char *controller = v1 ? "blkio" : "io";
        struct knob *knob = knob_add (knobs, controller,
                                      v1 ? "blkio.weight_device" : "io.bfq.weight", same, pointer);
        knob->flags = KNOB_OR_NEXT;
        knob->check = KNOB_KEYED;
        knob_add (knobs, controller, v1 ? "blkio.bfq.weight_device" : "io.weight", second, pointer)
            ->check = KNOB_KEYED;
    }
    if (is_set (device->leaf_weight)) {
        if (version == CGROUP_VERSION_2)
            return knob_inexpressible (err, version, leaf, "leaf weights were a matter of CFQ");
        knob_add (knobs, "blkio", "blkio.leaf_weight_device",
                  arena_printf (arena, "%s %" PRIu64, name, device->leaf_weight.value), leaf)
            ->check = KNOB_KEYED;
    }
    return 0;
}

static void add_throttles (const struct oci_throttles *throttles, const char *property,
                           const char *v1_file, const char *v2_key, enum cgroup_version version,
                           struct knobs *knobs)
{
    struct arena *arena = knobs->arena;

    for (size_t i = 0; i < throttles->count; i++) {
        const struct oci_device_throttle *item = &throttles->items[i];
        const char *pointer = arena_printf (arena, AT "%s/%zu/rate", property, i);
        const char *device = arena_printf (arena, "%" PRId64 ":%" PRId64, item->major, item->minor);

        struct knob *knob = knob_add (knobs, "io", "io.max", NULL, pointer);

        knob->check = KNOB_KEYED;
        if (version == CGROUP_VERSION_1) {
            knob->controller = "blkio";
            knob->file = v1_file;
            knob->value = arena_printf (arena, "%s %" PRIu64, device, item->rate);
        } else if (item->rate == 0) { /* v1's way to lift a limit */
            knob->value = arena_printf (arena, "%s %s=max", device, v2_key);
        } else {
            knob->value = arena_printf (arena, "%s %s=%" PRIu64, device, v2_key, item->rate);
        }
    }
}

int io_knobs (const struct oci_resources *resources, enum cgroup_version version,
              struct knobs *knobs, struct error *err)
{
    const struct oci_block_io *io = resources->block_io;

    if (!io)
        return 0;
    if (is_set (io->weight) && add_weight (io->weight.value, version, knobs, err) < 0)
        return -1;
    if (is_set (io->leaf_weight)) {
        if (version == CGROUP_VERSION_2)
            return knob_inexpressible (err, version, AT "leafWeight",
                                       "leaf weights were a matter of CFQ");
        knob_add_uint (knobs, "blkio", "blkio.leaf_weight", io->leaf_weight.value, AT "leafWeight")
            ->check = KNOB_EXACT;
    }
    for (size_t i = 0; i < io->weight_device.count; i++)
        if (add_device_weight (&io->weight_device.items[i], i, version, knobs, err) < 0)
            return -1;
    add_throttles (&io->read_bps, "throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps",
                   version, knobs);
    add_throttles (&io->write_bps, "throttleWriteBpsDevice", "blkio.throttle.write_bps_device",
                   "wbps", version, knobs);
    add_throttles (&io->read_iops, "throttleReadIOPSDevice", "blkio.throttle.read_iops_device",
                   "riops", version, knobs);
    add_throttles (&io->write_iops, "throttleWriteIOPSDevice", "blkio.throttle.write_iops_device",
                   "wiops", version, knobs);
    return 0;
}
