/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux: config.json's `linux` (config-linux.md). resources and seccomp have files of their own.
 */
#ifndef OCI_SPEC_LINUX_H
#define OCI_SPEC_LINUX_H

#include "resources.h"
#include "seccomp.h"
#include "types.h"

#include <sys/types.h>

struct oci_namespace {
    int type;         /* CLONE_NEW* */
    const char *path; /* NULL = make a new one */
};

struct oci_device {
    char type; /* 'c' (also written u), 'b', 'p' */
    const char *path;
    int64_t major, minor;
    mode_t file_mode; /* permission bits; 0666 where absent */
    uid_t uid;
    gid_t gid;
};

struct oci_time_offset {
    int clock; /* CLOCK_MONOTONIC or CLOCK_BOOTTIME */
    int64_t secs;
    uint32_t nanosecs;
};

struct oci_net_device {
    const char *host_name;
    const char *name; /* NULL = keep */
};

struct oci_personality {
    unsigned long domain; /* PER_LINUX or PER_LINUX32 */
};

struct oci_intel_rdt {
    const char *clos_id;
    struct oci_strings schemata;
    const char *l3_cache_schema;
    const char *mem_bw_schema;
    bool enable_monitoring;
};

struct oci_memory_policy {
    int mode;           /* MPOL_* */
    unsigned int flags; /* MPOL_F_* */
    const char *nodes;
};

struct oci_linux {
    OCI_ARRAY (struct oci_namespace) namespaces;
    struct oci_id_mappings uid_mappings;
    struct oci_id_mappings gid_mappings;
    OCI_ARRAY (struct oci_time_offset) time_offsets;
    OCI_ARRAY (struct oci_device) devices;
    OCI_ARRAY (struct oci_net_device) net_devices;
    const char *cgroups_path;
    struct oci_resources *resources;
    unsigned long rootfs_propagation; /* MS_SHARED ..., with MS_REC; 0 = absent */
    struct oci_seccomp *seccomp;
    struct oci_map sysctl;
    struct oci_strings masked_paths;
    struct oci_strings readonly_paths;
    const char *mount_label;
    struct oci_intel_rdt *intel_rdt;
    struct oci_memory_policy *memory_policy;
    struct oci_personality *personality;
};

#endif
