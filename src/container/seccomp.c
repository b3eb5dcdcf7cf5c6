/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp: see seccomp.h.
 *
 * libseccomp makes one program for each architecture, and they are joined here. One program for all
 * architectures at once would do the same but takes libseccomp more than twice as long, as its work
 * grows with the square of the program. The result:
 *
 *     load arch
 *     is it A?                 for each architecture A of the machine
 *         x32 bit set?             x86_64 and x32 have the same arch and differ in the number
 *         load number, above the highest that the profile names? -> ENOSYS
 *         libseccomp's program for A (which looks at arch once more)
 *     kill
 */
#include "container/seccomp.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/privileges.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define X32_BIT 0x40000000u
#define ACTION_BITS 0xffff0000u
#define TREE_FROM 32 /* rules; below that a chain of comparisons is as good */
#define ARCHS_MAX 32

/* One system call of the profile, its entry decided: what libseccomp is told. */
struct rule {
    const char *name;
    int number; /* native; libseccomp's own negative one where this architecture has none */
    uint32_t action;
    const struct oci_seccomp_syscall *entry;
};

struct profile {
    uint32_t default_action;
    size_t count;
    struct rule *rules;
    bool newer_is_enosys;
};

#define AUTO_FILTER __attribute__ ((cleanup (filter_release)))
static void filter_release (scmp_filter_ctx *filter)
{
    if (*filter)
        seccomp_release (*filter);
}

void seccomp_program_release (struct seccomp_program *program)
{
    cleanup_free (&program->instructions);
    *program = (struct seccomp_program){0};
}

/* With what the low bits say: an errno, or a word for the tracer. Which actions take one and how
 * large it may be was checked when the document was read. */
static uint32_t action_with_data (uint32_t action, const struct oci_uint64 *data)
{
    if (action != SCMP_ACT_ERRNO (0) && action != SCMP_ACT_TRACE (0))
        return action;
    return action | (data->present ? (uint32_t)data->value & ~ACTION_BITS : EPERM);
}

static int refuse_notify (uint32_t action, struct error *err)
{
    if (action != SCMP_ACT_NOTIFY)
        return 0;
    return error_set (err, "RT-SECCOMP-NOTIFY", 0, "SCMP_ACT_NOTIFY is not supported yet");
}

/* Profiles of before a system call deny it by their default, and programs that would do without it
 * see "not permitted" instead of "not there" (SEC-25). Only a default that denies is meant. */
static bool default_denies (uint32_t action)
{
    switch (action & ACTION_BITS) {
    case SCMP_ACT_ALLOW:
    case SCMP_ACT_LOG:
    case SCMP_ACT_TRACE (0):
    case SCMP_ACT_NOTIFY:
        return false;
    default:
        return action != SCMP_ACT_ERRNO (ENOSYS);
    }
}

static size_t count_names (const struct oci_seccomp *seccomp)
{
    size_t count = 0;

    for (size_t i = 0; i < seccomp->syscalls.count; i++)
        count += seccomp->syscalls.items[i].names.count;
    return count;
}

/* The profile as a flat list; names that libseccomp does not know are left out (SEC-03). */
static int read_profile (const struct oci_seccomp *seccomp, struct profile *profile,
                         struct error *err)
{
    if (refuse_notify (seccomp->default_action, err) < 0)
        return error_at (err, "/linux/seccomp/defaultAction");
    profile->default_action =
        action_with_data (seccomp->default_action, &seccomp->default_errno_ret);
    profile->newer_is_enosys = default_denies (profile->default_action);
    profile->rules = calloc (count_names (seccomp) + 1, sizeof (*profile->rules));
    if (!profile->rules)
        return error_set (err, "RT-SECCOMP-BUILD", errno, "the seccomp profile");
    for (size_t i = 0; i < seccomp->syscalls.count; i++) {
        const struct oci_seccomp_syscall *entry = &seccomp->syscalls.items[i];
        struct rule rule = {.action = action_with_data (entry->action, &entry->errno_ret),
                            .entry = entry};
        if (refuse_notify (entry->action, err) < 0)
            return error_at (err, "/linux/seccomp/syscalls/%zu/action", i);
        for (size_t n = 0; n < entry->names.count; n++) {
            rule.name = entry->names.items[n];
            rule.number = seccomp_syscall_resolve_name (rule.name);
            if (rule.number != __NR_SCMP_ERROR)
                profile->rules[profile->count++] = rule;
            else
                log_debug ("seccomp: unknown system call %s is ignored", rule.name);
        }
    }
    return 0;
}

/* libseccomp takes each argument once a rule; a profile that names one twice means "or" (SEC-07).
 */
static bool has_argument_twice (const struct oci_seccomp_syscall *entry)
{
    unsigned int seen = 0;

    for (size_t i = 0; i < entry->args.count; i++) {
        if (seen >> entry->args.items[i].index & 1)
            return true;
        seen |= 1u << entry->args.items[i].index;
    }
    return false;
}

/* 0 or libseccomp's negative errno. */
static int add_rule (scmp_filter_ctx filter, const struct rule *rule)
{
    struct scmp_arg_cmp compare[6];
    const struct oci_seccomp_syscall *entry = rule->entry;
    bool one_by_one = has_argument_twice (entry);
    unsigned int count = 0;

    for (size_t i = 0; i < entry->args.count; i++) {
        const struct oci_seccomp_arg *arg = &entry->args.items[i];
        /* SCMP_CMP_MASKED_EQ: value is the mask, valueTwo what must remain (SEC-08). */
        compare[count++] = (struct scmp_arg_cmp){
            .arg = arg->index,
            .op = (enum scmp_compare)arg->op,
            .datum_a = arg->value,
            .datum_b = arg->value_two,
        };
        if (!one_by_one)
            continue;
        int result = seccomp_rule_add_array (filter, rule->action, rule->number, 1, compare);
        if (result < 0)
            return result;
        count = 0;
    }
    if (one_by_one)
        return 0;
    return seccomp_rule_add_array (filter, rule->action, rule->number, count, compare);
}

static int add_rules (scmp_filter_ctx filter, const struct profile *profile, struct error *err)
{
    size_t added = 0;

    for (size_t i = 0; i < profile->count; i++) {
        const struct rule *rule = &profile->rules[i];
        if (rule->action == profile->default_action)
            continue; /* says nothing, and libseccomp refuses it (SEC-09) */
        int result = add_rule (filter, rule);
        if (result < 0)
            return error_set (err, "RT-SECCOMP-RULE", -result, "seccomp rule for %s", rule->name);
        added++;
    }
    if (added > TREE_FROM)
        (void)seccomp_attr_set (filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return 0;
}

/* A program that grows. */
struct code {
    struct sock_filter *items;
    size_t count;
    size_t size;
};

#define AUTO_CODE __attribute__ ((cleanup (code_release)))
static void code_release (struct code *code)
{
    cleanup_free (&code->items);
}

static int code_reserve (struct code *code, size_t more)
{
    if (code->count + more <= code->size)
        return 0;
    size_t size = (code->count + more) * 2;
    struct sock_filter *items = realloc (code->items, size * sizeof (*items));
    if (!items)
        return -1;
    code->items = items;
    code->size = size;
    return 0;
}

/* The filter's program behind what is there. libseccomp 2.5 writes to descriptors only. */
static int code_add_filter (struct code *code, scmp_filter_ctx filter)
{
    AUTO_FD int fd = memfd_create ("seccomp", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create ("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = seccomp_export_bpf (filter, fd);
    if (result < 0) {
        errno = -result;
        return -1;
    }
    off_t size = lseek (fd, 0, SEEK_CUR);
    if (size < 0 || code_reserve (code, (size_t)size / sizeof (*code->items)) < 0)
        return -1;
    if (pread (fd, code->items + code->count, (size_t)size, 0) != (ssize_t)size)
        return -1;
    code->count += (size_t)size / sizeof (*code->items);
    return 0;
}

static int code_add (struct code *code, uint16_t op, uint8_t yes, uint8_t no, uint32_t k)
{
    if (code_reserve (code, 1) < 0)
        return -1;
    code->items[code->count++] = (struct sock_filter){.code = op, .jt = yes, .jf = no, .k = k};
    return 0;
}

static int code_load (struct code *code, size_t offset)
{
    return code_add (code, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

/* "if not (value OP k) goto": the place of a jump that is filled by code_land. Conditional jumps
 * reach 255 instructions; this one reaches everywhere. -1 on failure. */
static ssize_t code_jump_unless (struct code *code, uint16_t op, uint32_t k)
{
    if (code_add (code, BPF_JMP | op | BPF_K, 1, 0, k) < 0 ||
        code_add (code, BPF_JMP | BPF_JA, 0, 0, 0) < 0)
        return -1;
    return (ssize_t)code->count - 1;
}

static void code_land (struct code *code, ssize_t jump)
{
    code->items[jump].k = (uint32_t)(code->count - (size_t)jump - 1);
}

/* The highest number that the profile names on this architecture, or -1. */
static int64_t highest_number (const struct profile *profile, uint32_t arch)
{
    int64_t highest = -1;

    for (size_t i = 0; i < profile->count; i++) {
        int number = seccomp_syscall_resolve_name_arch (arch, profile->rules[i].name);
        if (number > highest)
            highest = number;
    }
    return highest;
}

/* Falls through for what the profile knows. On x86_64 numbers with the x32 bit are not "newer":
 * what is said of them is libseccomp's. */
static int add_enosys (struct code *code, const struct profile *profile, uint32_t arch)
{
    int64_t highest = profile->newer_is_enosys ? highest_number (profile, arch) : -1;

    if (highest < 0)
        return 0;
    if (code_load (code, offsetof (struct seccomp_data, nr)) < 0)
        return -1;
    if (arch == SCMP_ARCH_X86_64 && code_add (code, BPF_JMP | BPF_JGE | BPF_K, 2, 0, X32_BIT) < 0)
        return -1;
    if (code_add (code, BPF_JMP | BPF_JGT | BPF_K, 0, 1, (uint32_t)highest) < 0)
        return -1;
    return code_add (code, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS);
}

static int add_arch (struct code *code, const struct profile *profile, uint32_t arch,
                     struct error *err)
{
    AUTO_FILTER scmp_filter_ctx filter = seccomp_init (profile->default_action);
    uint32_t native = seccomp_arch_native ();

    if (!filter)
        return error_set (err, "RT-SECCOMP-BUILD", EINVAL, "libseccomp refuses the default action");
    if (arch != native) {
        int result = seccomp_arch_add (filter, arch);
        if (result == 0)
            result = seccomp_arch_remove (filter, native);
        const char *name = oci_names_of (&oci_seccomp_archs, arch);
        if (result < 0)
            return error_set (err, "RT-SECCOMP-ARCH", -result,
                              "this machine or this libseccomp does not do architecture %s",
                              name ? name : "");
    }
    if (add_rules (filter, profile, err) < 0)
        return -1;
    if (add_enosys (code, profile, arch) < 0 || code_add_filter (code, filter) < 0)
        return error_set (err, "RT-SECCOMP-BUILD", errno, "cannot compile the seccomp profile");
    return 0;
}

/* Native first (always there: SEC-10), then the others, each once. */
static int list_archs (const struct oci_seccomp *seccomp, uint32_t archs[ARCHS_MAX],
                       struct error *err)
{
    int count = 0;

    archs[count++] = seccomp_arch_native ();
    for (size_t i = 0; i < seccomp->architectures.count; i++) {
        uint32_t arch = seccomp->architectures.items[i];
        bool known = arch == SCMP_ARCH_NATIVE;
        for (int k = 0; k < count && !known; k++)
            known = archs[k] == arch;
        if (known)
            continue;
        if (count == ARCHS_MAX)
            return error_set (err, "RT-SECCOMP-ARCH", 0, "more than %d architectures", ARCHS_MAX);
        archs[count++] = arch;
    }
    return count;
}

static uint32_t audit_arch (uint32_t arch)
{
    return arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch;
}

/* One architecture with the question whether it is meant. x32 comes before x86_64, and what has not
 * its bit goes on to x86_64 or is killed. */
static int add_section (struct code *code, const struct profile *profile, uint32_t arch,
                        struct error *err)
{
    ssize_t bit = -1;
    ssize_t other = -1;

    if (code_load (code, offsetof (struct seccomp_data, arch)) == 0)
        other = code_jump_unless (code, BPF_JEQ, audit_arch (arch));
    if (other >= 0 && arch == SCMP_ARCH_X32 &&
        code_load (code, offsetof (struct seccomp_data, nr)) == 0)
        bit = code_jump_unless (code, BPF_JGE, X32_BIT);
    if (other < 0 || (arch == SCMP_ARCH_X32 && bit < 0))
        return error_set (err, "RT-SECCOMP-BUILD", errno, "cannot compile the seccomp profile");
    if (add_arch (code, profile, arch, err) < 0)
        return -1;
    code_land (code, other);
    if (bit >= 0)
        code_land (code, bit);
    return 0;
}

static int join (struct code *code, const struct profile *profile, const uint32_t *archs, int count,
                 struct error *err)
{
    for (int i = 0; i < count; i++)
        if (archs[i] == SCMP_ARCH_X32 && add_section (code, profile, archs[i], err) < 0)
            return -1;
    for (int i = 0; i < count; i++)
        if (archs[i] != SCMP_ARCH_X32 && add_section (code, profile, archs[i], err) < 0)
            return -1;
    if (code_add (code, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_THREAD) < 0)
        return error_set (err, "RT-SECCOMP-BUILD", errno, "cannot compile the seccomp profile");
    if (code->count <= BPF_MAXINSNS)
        return 0;
    error_set (err, "RT-SECCOMP-SIZE", 0, "the seccomp profile makes %zu instructions",
               code->count);
    return error_hint (err, "the kernel takes %d: name fewer architectures or conditions",
                       BPF_MAXINSNS);
}

static uint32_t load_flags (const struct oci_seccomp *seccomp)
{
    /* As runc: only a list that is given can switch this off (SEC-12). */
    uint64_t flags = seccomp->flags_present ? seccomp->flags : SECCOMP_FILTER_FLAG_SPEC_ALLOW;

    /* It is about waiting for an agent; without one the kernel refuses it. */
    return (uint32_t)(flags & ~(uint64_t)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
}

int seccomp_prepare (const struct oci_seccomp *seccomp, struct seccomp_program *program,
                     struct error *err)
{
    AUTO_CODE struct code code = {0};
    struct profile profile = {0};
    uint32_t archs[ARCHS_MAX];

    if (!seccomp) {
        *program = (struct seccomp_program){0};
        return 0;
    }
    /* libseccomp would ask the kernel what it can; the floor is known. */
    (void)seccomp_api_set (6);
    int count = list_archs (seccomp, archs, err);
    if (count < 0)
        return error_at (err, "/linux/seccomp/architectures");
    int result = read_profile (seccomp, &profile, err);
    if (result == 0)
        result = join (&code, &profile, archs, count, err);
    free (profile.rules);
    if (result < 0)
        return error_at (err, "/linux/seccomp");
    *program = (struct seccomp_program){
        .instructions = take_pointer (&code.items),
        .count = (uint16_t)code.count,
        .flags = load_flags (seccomp),
    };
    return 0;
}

int seccomp_apply (const struct seccomp_program *program, struct error *err)
{
    if (!program->instructions ||
        filter_load (program->instructions, program->count, program->flags) == 0)
        return 0;
    int errnum = errno;
    error_set (err, "RT-SECCOMP-LOAD", errnum, "cannot load the seccomp filter");
    if (errnum == EACCES)
        error_hint (err, "it needs process.noNewPrivileges or CAP_SYS_ADMIN");
    else if (errnum == EINVAL && program->flags != 0)
        error_hint (err, "this kernel may not know all of linux.seccomp.flags");
    else if (errnum == ENOSYS)
        error_hint (err, "this kernel has no seccomp filters");
    return error_at (err, "/linux/seccomp");
}
