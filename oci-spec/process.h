/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process: config.json's `process`, and the whole of exec's process.json (config.md, "Process").
 */
#ifndef OCI_SPEC_PROCESS_H
#define OCI_SPEC_PROCESS_H

#include "types.h"

#include <sys/types.h>

struct oci_user {
    uid_t uid;
    gid_t gid;
    struct oci_uint64 umask; /* at most 07777 */
    OCI_ARRAY (gid_t) additional_gids;
};

/* Capability sets as bits: bit CAP_X is set. Names that this build does not know are not in the
 * sets but in `unknown` (the specification wants a warning, not an error: CAP-07). */
struct oci_capabilities {
    uint64_t bounding;
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;
    uint64_t ambient;
    struct oci_strings unknown;
};

struct oci_rlimit {
    int type; /* RLIMIT_* */
    uint64_t soft;
    uint64_t hard;
};

struct oci_io_priority {
    int io_class; /* IOPRIO_CLASS_RT 1, BE 2, IDLE 3 */
    int priority; /* 0..7 */
};

struct oci_scheduler {
    uint32_t policy; /* SCHED_* */
    struct oci_int64 nice;
    struct oci_int64 priority;
    uint64_t flags; /* SCHED_FLAG_* */
    struct oci_uint64 runtime;
    struct oci_uint64 deadline;
    struct oci_uint64 period;
};

struct oci_console_size {
    uint16_t height; /* rows; larger numbers of the document are cut to 65535 */
    uint16_t width;  /* columns */
};

struct oci_process {
    bool terminal;
    struct oci_console_size *console_size; /* NULL = absent, as for each pointer to a section */
    struct oci_user user;
    struct oci_strings args;
    struct oci_strings env;
    const char *cwd;
    struct oci_capabilities *capabilities;
    OCI_ARRAY (struct oci_rlimit) rlimits;
    struct oci_bool no_new_privileges;
    const char *apparmor_profile;
    const char *selinux_label;
    struct oci_int64 oom_score_adj;
    struct oci_io_priority *io_priority;
    struct oci_scheduler *scheduler;
    const char *affinity_initial; /* execCPUAffinity; syntax checked */
    const char *affinity_final;
};

#endif
