/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp: config.json's `linux.seccomp` (config-linux.md, "Seccomp"). Actions are SCMP_ACT_*
 * numbers of libseccomp with the errno or trace data still missing in the low 16 bits;
 * architectures SCMP_ARCH_*; operators SCMP_CMP_*; flags SECCOMP_FILTER_FLAG_* of the kernel.
 */
#ifndef OCI_SPEC_SECCOMP_H
#define OCI_SPEC_SECCOMP_H

#include "types.h"

struct oci_seccomp_arg {
    uint32_t index; /* 0..5 */
    uint64_t value;
    uint64_t value_two;
    int op; /* enum scmp_compare */
};

struct oci_seccomp_syscall {
    struct oci_strings names;
    uint32_t action;
    struct oci_uint64 errno_ret; /* only with ERRNO and TRACE */
    OCI_ARRAY (struct oci_seccomp_arg) args;
};

struct oci_seccomp {
    uint32_t default_action;
    struct oci_uint64 default_errno_ret;
    OCI_ARRAY (uint32_t) architectures;
    uint64_t flags;
    bool flags_present;
    const char *listener_path;
    const char *listener_metadata;
    OCI_ARRAY (struct oci_seccomp_syscall) syscalls;

    /* By annotations. */
    bool unknown_is_error; /* names of calls that nobody knows */
    const char *program;   /* base64, in place of all else but flags; NULL = none */
    bool of_annotation;    /* the document has no section of its own: `program` is all */
};

#endif
