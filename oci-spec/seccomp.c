/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp: see seccomp.h. The names of system calls stay words: which of them exist is known to
 * libseccomp, for each architecture.
 */
#include "oci-spec/seccomp.h"

#include "oci-spec/sections.h"

/* An errno or trace number travels in the low 16 bits of an action. */
#define DATA_MAX 0xffff

static void finish_seccomp (struct decoder *decoder, const struct place *at, void *target)
{
    struct oci_seccomp *seccomp = target;

    (void)decoder;
    seccomp->flags_present = decode_has (at->value, "flags");
}

static const struct decode_row arg_rows[] = {
    ROW_INTEGER ("index", struct oci_seccomp_arg, index, 0, 5, REQUIRED),
    ROW_INTEGER ("value", struct oci_seccomp_arg, value, 0, UINT64_MAX, REQUIRED),
    ROW_INTEGER ("valueTwo", struct oci_seccomp_arg, value_two, 0, UINT64_MAX),
    ROW_ENUM ("op", struct oci_seccomp_arg, op, oci_seccomp_operators, REQUIRED),
};
DECODE_TABLE (arg_table, struct oci_seccomp_arg, arg_rows);

static const struct decode_row syscall_rows[] = {
    ROW_STRINGS ("names", struct oci_seccomp_syscall, names, REQUIRED),
    ROW_ENUM ("action", struct oci_seccomp_syscall, action, oci_seccomp_actions, REQUIRED),
    ROW_INTEGER ("errnoRet", struct oci_seccomp_syscall, errno_ret, 0, DATA_MAX),
    ROW_OBJECTS ("args", struct oci_seccomp_syscall, args, arg_table),
};
DECODE_TABLE (syscall_table, struct oci_seccomp_syscall, syscall_rows);

static const struct decode_row seccomp_rows[] = {
    ROW_ENUM ("defaultAction", struct oci_seccomp, default_action, oci_seccomp_actions, REQUIRED),
    ROW_INTEGER ("defaultErrnoRet", struct oci_seccomp, default_errno_ret, 0, DATA_MAX),
    ROW_ENUMS ("architectures", struct oci_seccomp, architectures, uint32_t, oci_seccomp_archs),
    ROW_FLAGS ("flags", struct oci_seccomp, flags, oci_seccomp_flags),
    ROW_STRING ("listenerPath", struct oci_seccomp, listener_path),
    ROW_STRING ("listenerMetadata", struct oci_seccomp, listener_metadata),
    ROW_OBJECTS ("syscalls", struct oci_seccomp, syscalls, syscall_table),
};
DECODE_TABLE_DEFINE (oci_seccomp_table, seccomp_rows, finish_seccomp);
