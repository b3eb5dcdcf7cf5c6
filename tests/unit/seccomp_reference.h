/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_reference: what libseccomp itself makes of a profile, to hold rt's program against it.
 */
#ifndef RT_TESTS_UNIT_SECCOMP_REFERENCE_H
#define RT_TESTS_UNIT_SECCOMP_REFERENCE_H

#include "bpf_machine.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct reference {
    bool refused; /* libseccomp takes no rule whose condition was there before */
    size_t count;
    struct sock_filter code[BPF_MAXINSNS];
};

static inline uint32_t with_data (uint32_t action, const struct oci_uint64 *data)
{
    if (action != SCMP_ACT_ERRNO (0) && action != SCMP_ACT_TRACE (0))
        return action;
    return action | (data->present ? (uint32_t)data->value : EPERM);
}

/* One rule for each condition where an argument comes twice, else one for all. */
static inline int reference_add (scmp_filter_ctx filter, const struct oci_seccomp_syscall *entry,
                                 uint32_t action, int number)
{
    struct scmp_arg_cmp compare[6];
    unsigned int seen = 0;
    bool twice = false;

    for (size_t i = 0; i < entry->args.count; i++) {
        const struct oci_seccomp_arg *arg = &entry->args.items[i];
        twice = twice || (seen >> arg->index & 1);
        seen |= 1u << arg->index;
        if (i < 6)
            compare[i] = (struct scmp_arg_cmp){arg->index, (enum scmp_compare)arg->op, arg->value,
                                               arg->value_two};
    }
    if (!twice)
        return seccomp_rule_add_array (filter, action, number, (unsigned int)entry->args.count,
                                       compare);
    for (size_t i = 0; i < entry->args.count; i++) {
        int result = seccomp_rule_add_array (filter, action, number, 1, &compare[i]);
        if (result < 0)
            return result;
    }
    return 0;
}

/* For one architecture. With several in one filter libseccomp 2.5 sometimes forgets to load the
 * number of the call for the second one. */
static inline void make_reference (const struct oci_seccomp *seccomp, uint32_t arch,
                                   struct reference *reference)
{
    uint32_t fallback = with_data (seccomp->default_action, &seccomp->default_errno_ret);
    reference->refused = false;
    assert_int_equal (seccomp_api_set (6), 0);
    scmp_filter_ctx filter = seccomp_init (fallback);

    if (arch != seccomp_arch_native ()) {
        assert_int_equal (seccomp_arch_add (filter, arch), 0);
        assert_int_equal (seccomp_arch_remove (filter, seccomp_arch_native ()), 0);
    }
    for (size_t i = 0; i < seccomp->syscalls.count; i++) {
        const struct oci_seccomp_syscall *entry = &seccomp->syscalls.items[i];
        uint32_t action = with_data (entry->action, &entry->errno_ret);
        for (size_t n = 0; n < entry->names.count && action != fallback; n++) {
            int number = seccomp_syscall_resolve_name (entry->names.items[n]);
            int result =
                number == __NR_SCMP_ERROR ? 0 : reference_add (filter, entry, action, number);
            assert_true (result == 0 || result == -EEXIST);
            reference->refused = reference->refused || result < 0;
        }
    }
    assert_int_equal (seccomp_attr_set (filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), 0);
    int fd = memfd_create ("reference", 0);
    assert_int_equal (seccomp_export_bpf (filter, fd), 0);
    ssize_t length = pread (fd, reference->code, sizeof (reference->code), 0);
    assert_true (length > 0);
    (void)close (fd);
    seccomp_release (filter);
    reference->count = (size_t)length / sizeof (*reference->code);
}

/* The number that a call of socketcall and ipc has on its own on x86; -1 = none. For those that the
 * tests name. */
static inline int x86_direct (int multiplexed)
{
    static const int pairs[][2] = {{-101, 359}, {-103, 362}, {-115, 365}, {-116, 370},
                                   {-117, 372}, {-118, 364}, {-119, 337}, {-120, 345},
                                   {-202, 393}, {-212, 401}, {-221, 397}};

    for (size_t i = 0; i < COUNT (pairs); i++)
        if (pairs[i][0] == multiplexed)
            return pairs[i][1];
    return -1;
}

/* The highest number that the profile names; INT64_MAX where newer calls are no matter of its. */
static inline int64_t reference_highest (const struct oci_seccomp *seccomp, uint32_t arch)
{
    uint32_t fallback = with_data (seccomp->default_action, &seccomp->default_errno_ret);
    int64_t found = -1;

    if (fallback == SCMP_ACT_ALLOW || fallback == SCMP_ACT_LOG ||
        (fallback & 0xffff0000) == SCMP_ACT_TRACE (0))
        return INT64_MAX;
    for (size_t s = 0; s < seccomp->syscalls.count; s++)
        for (size_t i = 0; i < seccomp->syscalls.items[s].names.count; i++) {
            int number =
                seccomp_syscall_resolve_name_arch (arch, seccomp->syscalls.items[s].names.items[i]);
            if (number < 0 && arch == SCMP_ARCH_X86)
                number = x86_direct (number);
            if (number > found)
                found = number;
        }
    return found < 0 ? INT64_MAX : found;
}

#endif
