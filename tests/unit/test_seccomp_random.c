/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp by chance: small profiles, made by dice, whose programs are held against what the profile
 * says by definition and against libseccomp's own program.
 *
 * libseccomp merges all conditions on one call into one tree, which is not what they say where
 * several rules with different actions overlap, or comparisons of order meet others; it is asked
 * only about calls that have one rule, or rules for equality with one action.
 */
#include "container/seccomp.h"

#include "seccomp_reference.h"

#include <cmocka.h>

/* libseccomp 2.5.4 loses nodes of its tree where rules of one call overlap, which they do here by
 * the thousand. */
const char *__lsan_default_suppressions (void);
const char *__lsan_default_suppressions (void)
{
    return "leak:zmalloc\n";
}

#ifdef __x86_64__

#define PROFILES 3000
#define CALLS_PER_NUMBER 12
#define ENTRIES_MAX 5
#define NAMES_MAX 3
#define ARGS_MAX 3

static char *const names[] = {
    "ioctl",       "readv",    "personality", "socket",     "getsockopt", "semget", "shmat",
    "recvmmsg",    "accept",   "send",        "socketcall", "ipc",        "mmap2",  "semop",
    "no_such_one", "sendmmsg", "clone",       "read",       "futex",      "msgrcv", "accept4"};
/* Calls that x86 has twice. */
static const uint32_t direct[] = {337, 345, 359, 364, 365, 393, 397, 401};
static const uint32_t actions[] = {SCMP_ACT_ALLOW, SCMP_ACT_ERRNO (0), SCMP_ACT_KILL,
                                   SCMP_ACT_TRAP,  SCMP_ACT_LOG,       SCMP_ACT_KILL_PROCESS};
static const uint64_t values[] = {
    0,           1,           2,           5,          0xfffffffe, 0xffffffff,
    0x100000000, 0x100000001, 0x500000001, UINT64_MAX, 1ull << 63,
};

static uint64_t dice = 88172645463325252u;

static uint32_t throw (size_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)((dice >> 20) % sides);
}

struct profile {
    struct oci_seccomp seccomp;
    struct oci_seccomp_syscall entries[ENTRIES_MAX];
    struct oci_seccomp_arg args[ENTRIES_MAX][ARGS_MAX];
    char *names[ENTRIES_MAX][NAMES_MAX];
    uint32_t archs[2];
};

static void make_profile (struct profile *p)
{
    *p = (struct profile){.archs = {SCMP_ARCH_X86, SCMP_ARCH_X32}};
    p->seccomp = (struct oci_seccomp){
        .default_action = throw (2) ? SCMP_ACT_ERRNO (0) : actions[throw (COUNT (actions))],
        .architectures = {.count = throw (3), .items = p->archs},
        .syscalls = {.count = 1 + throw (ENTRIES_MAX), .items = p->entries},
    };
    for (size_t i = 0; i < p->seccomp.syscalls.count; i++) {
        struct oci_seccomp_syscall *entry = &p->entries[i];
        *entry = (struct oci_seccomp_syscall){
            .names = {.count = 1 + throw (NAMES_MAX), .items = p->names[i]},
            .action = actions[throw (COUNT (actions))],
            .args = {.count = throw (ARGS_MAX + 1), .items = p->args[i]},
        };
        if (entry->action == SCMP_ACT_ERRNO (0))
            entry->errno_ret = (struct oci_uint64){.present = true, .value = throw (4)};
        for (size_t n = 0; n < entry->names.count; n++)
            p->names[i][n] = names[throw (COUNT (names))];
        for (size_t a = 0; a < entry->args.count; a++)
            p->args[i][a] = (struct oci_seccomp_arg){
                .index = throw (20) ? throw (3) : 5,
                .value = values[throw (COUNT (values))],
                .value_two = values[throw (COUNT (values))],
                .op = (int)(SCMP_CMP_NE + throw (SCMP_CMP_MASKED_EQ)),
            };
    }
}

static bool holds (const struct oci_seccomp_arg *arg, const struct seccomp_data *data, bool wide)
{
    uint64_t mask = wide ? UINT64_MAX : UINT32_MAX;
    uint64_t is = data->args[arg->index] & mask;
    uint64_t value = arg->value & mask;

    switch (arg->op) {
    case SCMP_CMP_NE:
        return is != value;
    case SCMP_CMP_LT:
        return is < value;
    case SCMP_CMP_LE:
        return is <= value;
    case SCMP_CMP_EQ:
        return is == value;
    case SCMP_CMP_GE:
        return is >= value;
    case SCMP_CMP_GT:
        return is > value;
    default:
        return (is & value) == (arg->value_two & value);
    }
}

/* How `number` is meant by the name: 0 not at all, as itself, or for what argument 0 is besides. */
#define ITSELF 1
#define SHARED 1000
static uint32_t meant (uint32_t arch, const char *name, uint32_t number)
{
    int resolved = seccomp_syscall_resolve_name_arch (arch, name);

    if (resolved >= 0)
        return (uint32_t)resolved == number;
    if (arch != SCMP_ARCH_X86)
        return 0;
    if (number == (uint32_t)x86_direct (resolved))
        return ITSELF;
    if (resolved <= -100 && resolved >= -120 && number == 102)
        return SHARED + (uint32_t)-resolved % 100;
    if (resolved <= -200 && resolved >= -224 && number == 117)
        return SHARED + (uint32_t)-resolved % 100;
    return 0;
}

static bool has_twice (const struct oci_seccomp_syscall *entry)
{
    unsigned int seen = 0;

    for (size_t a = 0; a < entry->args.count; a++) {
        if (seen >> entry->args.items[a].index & 1)
            return true;
        seen |= 1u << entry->args.items[a].index;
    }
    return false;
}

static bool entry_holds (const struct oci_seccomp_syscall *entry, const struct seccomp_data *data,
                         bool wide, uint32_t how)
{
    size_t holding = 0;

    if (how >= SHARED && (uint32_t)data->args[0] != how - SHARED)
        return false;
    for (size_t a = 0; a < entry->args.count; a++) {
        const struct oci_seccomp_arg *arg = &entry->args.items[a];
        holding += (how >= SHARED && arg->index == 0) || holds (arg, data, wide);
    }
    return has_twice (entry) ? holding > 0 : holding == entry->args.count;
}

/* A rule without conditions before all others, else the first one that holds. */
static uint32_t define (const struct oci_seccomp *seccomp, uint32_t arch,
                        const struct seccomp_data *data)
{
    uint32_t fallback = with_data (seccomp->default_action, &seccomp->default_errno_ret);
    uint32_t decided = fallback;

    for (size_t i = 0; i < seccomp->syscalls.count; i++) {
        const struct oci_seccomp_syscall *entry = &seccomp->syscalls.items[i];
        uint32_t action = with_data (entry->action, &entry->errno_ret);
        for (size_t n = 0; n < entry->names.count && action != fallback; n++) {
            uint32_t how = meant (arch, entry->names.items[n], (uint32_t)data->nr);
            if (how == 0)
                continue;
            if (entry->args.count == 0 && how == ITSELF)
                return action;
            if (decided == fallback && entry_holds (entry, data, arch == SCMP_ARCH_X86_64, how))
                decided = action;
        }
    }
    return decided;
}

/* Is it clear what libseccomp makes of the number? */
static bool is_plain (const struct oci_seccomp *seccomp, uint32_t arch, uint32_t number)
{
    size_t rules = 0;
    bool equality = true;
    uint32_t action = 0;

    for (size_t i = 0; i < seccomp->syscalls.count; i++) {
        const struct oci_seccomp_syscall *entry = &seccomp->syscalls.items[i];
        for (size_t n = 0; n < entry->names.count; n++) {
            uint32_t how = meant (arch, entry->names.items[n], number);
            if (how == 0)
                continue;
            if (rules > 0 && with_data (entry->action, &entry->errno_ret) != action)
                equality = false;
            action = with_data (entry->action, &entry->errno_ret);
            rules += has_twice (entry) ? entry->args.count : 1;
            for (size_t a = 0; a < entry->args.count; a++) {
                equality = equality && entry->args.items[a].op == SCMP_CMP_EQ;
            }
        }
    }
    return rules <= 1 || equality;
}

struct compared {
    size_t defined;
    size_t referred;
};

static void fail_profile (const struct profile *p, const struct seccomp_data *data, uint32_t is,
                          uint32_t want, const char *who)
{
    for (size_t i = 0; i < p->seccomp.syscalls.count; i++) {
        const struct oci_seccomp_syscall *entry = &p->entries[i];
        print_message ("  %#x %d:", entry->action, (int)entry->errno_ret.value);
        for (size_t n = 0; n < entry->names.count; n++)
            print_message (" %s", entry->names.items[n]);
        for (size_t a = 0; a < entry->args.count; a++)
            print_message (" [%u op %d %#jx %#jx]", p->args[i][a].index, p->args[i][a].op,
                           (uintmax_t)p->args[i][a].value, (uintmax_t)p->args[i][a].value_two);
        print_message ("\n");
    }
    fail_msg ("arch %#x number %d (%#jx, %#jx, %#jx; %#jx): %#x instead of %#x by %s", data->arch,
              data->nr, (uintmax_t)data->args[0], (uintmax_t)data->args[1],
              (uintmax_t)data->args[2], (uintmax_t)data->args[5], is, want, who);
}

static void compare_number (const struct profile *p, const struct seccomp_program *program,
                            const struct reference *reference, uint32_t arch, uint32_t number,
                            struct compared *compared)
{
    for (int call = 0; call < CALLS_PER_NUMBER; call++) {
        struct seccomp_data data = {
            .nr = (int)number, .arch = arch == SCMP_ARCH_X86 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64};
        for (int a = 0; a < 6; a++) {
            data.args[a] = throw (3) ? values[throw (COUNT (values))] + !throw (4) : throw (25);
            if (arch == SCMP_ARCH_X86)
                data.args[a] &= UINT32_MAX;
        }
        uint32_t want = define (&p->seccomp, arch, &data);
        uint32_t is = run_code (program->instructions, program->count, &data);
        if (is != want)
            fail_profile (p, &data, is, want, "definition");
        compared->defined++;
        if (reference->refused || !is_plain (&p->seccomp, arch, number))
            continue;
        uint32_t theirs = run_code (reference->code, reference->count, &data);
        if (is != theirs)
            fail_profile (p, &data, is, theirs, "libseccomp");
        compared->referred++;
    }
}

static void compare_profile (const struct profile *p, struct compared *compared)
{
    static const uint32_t archs[] = {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32};
    static struct reference reference;
    struct seccomp_program program;

    prepare (&p->seccomp, &program);
    for (size_t a = 0; a <= p->seccomp.architectures.count; a++) {
        int64_t highest = reference_highest (&p->seccomp, archs[a]);
        make_reference (&p->seccomp, archs[a], &reference);
        for (size_t n = 0; n < COUNT (names); n++) {
            int number = seccomp_syscall_resolve_name_arch (archs[a], names[n]);
            if (number >= 0 && number <= highest)
                compare_number (p, &program, &reference, archs[a], (uint32_t)number, compared);
        }
        for (size_t n = 0; archs[a] == SCMP_ARCH_X86 && n < COUNT (direct); n++)
            if (direct[n] <= highest)
                compare_number (p, &program, &reference, archs[a], direct[n], compared);
    }
    seccomp_program_release (&program);
}

/* rows: SEC-05 SEC-06 SEC-07 SEC-08 SEC-09 SEC-26 */
static void every_program_does_what_its_profile_says (void **state)
{
    (void)state;
    struct compared compared = {0};
    struct profile profile;

    for (int i = 0; i < PROFILES; i++) {
        make_profile (&profile);
        compare_profile (&profile, &compared);
    }
    print_message ("%zu answers, %zu of them libseccomp's too\n", compared.defined,
                   compared.referred);
    assert_true (compared.referred > 100000);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (every_program_does_what_its_profile_says),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}

#else

int main (void)
{
    return 77; /* automake: skipped */
}

#endif
