/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resources: config.json's `linux.resources`, and the document of update
 * (config-linux.md, "Control groups").
 */
#ifndef OCI_SPEC_RESOURCES_H
#define OCI_SPEC_RESOURCES_H

#include "types.h"

enum { OCI_ACCESS_READ = 1, OCI_ACCESS_WRITE = 2, OCI_ACCESS_MKNOD = 4 };

struct oci_device_rule {
    bool allow;
    char type;              /* 'a', 'b', 'c' */
    struct oci_int64 major; /* absent or -1 = all */
    struct oci_int64 minor;
    unsigned access; /* OCI_ACCESS_*; 0 = absent in the document */
};

struct oci_memory {
    struct oci_int64 limit, reservation, swap, kernel, kernel_tcp;
    struct oci_uint64 swappiness;
    struct oci_bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct oci_cpu {
    struct oci_uint64 shares, period, burst, realtime_period;
    struct oci_int64 quota, realtime_runtime, idle;
    const char *cpus;
    const char *mems;
};

struct oci_device_weight {
    int64_t major, minor;
    struct oci_uint64 weight, leaf_weight;
};

struct oci_device_throttle {
    int64_t major, minor;
    uint64_t rate;
};

struct oci_throttles {
    size_t count;
    struct oci_device_throttle *items;
    bool present;
};

struct oci_block_io {
    struct oci_uint64 weight, leaf_weight;
    OCI_ARRAY (struct oci_device_weight) weight_device;
    struct oci_throttles read_bps, write_bps, read_iops, write_iops;
};

struct oci_hugepage_limit {
    const char *page_size; /* "2MB"; syntax checked */
    uint64_t limit;
};

struct oci_interface_priority {
    const char *name;
    uint32_t priority;
};

struct oci_network {
    struct oci_uint64 class_id;
    OCI_ARRAY (struct oci_interface_priority) priorities;
};

struct oci_rdma {
    const char *device;
    struct oci_uint64 hca_handles, hca_objects;
};

struct oci_resources {
    OCI_ARRAY (struct oci_device_rule) devices;
    struct oci_memory *memory;
    struct oci_cpu *cpu;
    struct oci_int64 pids_limit;
    struct oci_block_io *block_io;
    OCI_ARRAY (struct oci_hugepage_limit) hugepage_limits;
    struct oci_network *network;
    OCI_ARRAY (struct oci_rdma) rdma;
    struct oci_map unified;
};

#endif
