/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_calls: see seccomp_calls.h.
 *
 * What a profile says of an architecture becomes rules (a number, maybe conditions, an action),
 * then ranges of numbers with one answer each, then a balanced tree of comparisons. What is said
 * more than once of a number means what libseccomp makes of it: a rule without conditions outdoes
 * all with conditions, and the first of them counts. Among rules with conditions the first one that
 * applies counts.
 */
#include "container/seccomp_calls.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>

#define COUNT(array) (sizeof (array) / sizeof ((array)[0]))
#define ARGS_MAX 6

/* x86_64 numbers with this bit are x32's. */
#define X32_BIT 0x40000000u
/* Numbers of ARM from here on are not of the one list that grows. */
#define ARM_PRIVATE 0x0f0000u

static const struct {
    uint32_t arch;
    bool wide; /* arguments have 64 bits */
} known[] = {
    {SCMP_ARCH_X86_64, true},       {SCMP_ARCH_X86, false}, {SCMP_ARCH_X32, false},
    {SCMP_ARCH_AARCH64, true},      {SCMP_ARCH_ARM, false}, {SCMP_ARCH_RISCV64, true},
    {AUDIT_ARCH_LOONGARCH64, true},
};

/* Calls of x86 that socketcall (102) and ipc (117) make on behalf of others: libseccomp numbers
 * them -100 and -200 minus their number there. Many exist on their own as well. */
#define X86_SOCKETCALL 102u
#define X86_IPC 117u
static const uint16_t x86_sockets[21] = {
    [1] = 359,  [2] = 361,  [3] = 362,  [4] = 363,  [6] = 367,  [7] = 368,
    [8] = 360,  [11] = 369, [12] = 371, [13] = 373, [14] = 366, [15] = 365,
    [16] = 370, [17] = 372, [18] = 364, [19] = 337, [20] = 345,
};
static const uint16_t x86_ipcs[25] = {
    [2] = 393,  [3] = 394,  [11] = 400, [12] = 401, [13] = 399,
    [14] = 402, [21] = 397, [22] = 398, [23] = 395, [24] = 396,
};

struct rule {
    uint32_t number;
    uint32_t order;
    uint32_t action;
    uint32_t multiplexed; /* what argument 0 must be for this call; 0 = the number says all */
    size_t arg_count;
    const struct oci_seccomp_arg *args;
};

struct rules {
    size_t count;
    size_t size;
    struct rule *items;
    int64_t highest; /* number that the profile names, but for ARM's private ones; -1 = none */
};

/* From `first` to the next range's first: an action, or rules to ask. */
struct range {
    uint32_t first;
    uint32_t action;
    size_t rule_count;
    const struct rule *rules;
};

struct ranges {
    size_t count;
    struct range *items;
};

static bool is_wide (uint32_t arch)
{
    for (size_t i = 0; i < COUNT (known); i++)
        if (known[i].arch == arch)
            return known[i].wide;
    return false;
}

bool seccomp_calls_know (uint32_t arch)
{
    for (size_t i = 0; i < COUNT (known); i++)
        if (known[i].arch == arch) /* and does this libseccomp know it? */
            return seccomp_syscall_resolve_name_arch (arch, "read") >= 0;
    return false;
}

static int add_rule (struct rules *rules, struct rule rule)
{
    if (rules->count == rules->size) {
        size_t size = rules->size ? rules->size * 2 : 512;
        struct rule *items = realloc (rules->items, size * sizeof (*items));
        if (!items)
            return -1;
        rules->items = items;
        rules->size = size;
    }
    rule.order = (uint32_t)rules->count;
    rules->items[rules->count++] = rule;
    return 0;
}

/* How a call is made: by a number of its own, by a number with others, by both. */
struct entrance {
    int own;              /* -1 = none */
    uint32_t shared;      /* socketcall's or ipc's number; 0 = none */
    uint32_t multiplexed; /* what argument 0 is for it then */
};

/* libseccomp gives negative numbers to calls that have none of their own on the architecture. */
static struct entrance entrance_of (uint32_t arch, const char *name)
{
    int number = seccomp_syscall_resolve_name_arch (arch, name);
    unsigned int call = (unsigned int)-number % 100;

    if (number == __NR_SCMP_ERROR && arch == seccomp_arch_native ())
        log_debug ("seccomp: unknown system call %s is ignored", name); /* SEC-03 */
    if (number >= 0)
        return (struct entrance){.own = number};
    if (arch == SCMP_ARCH_X86 && number <= -100 && number >= -120)
        return (struct entrance){.own = x86_sockets[call] ? x86_sockets[call] : -1,
                                 .shared = X86_SOCKETCALL,
                                 .multiplexed = call};
    if (arch == SCMP_ARCH_X86 && number <= -200 && number >= -224)
        return (struct entrance){
            .own = x86_ipcs[call] ? x86_ipcs[call] : -1, .shared = X86_IPC, .multiplexed = call};
    return (struct entrance){.own = -1};
}

/* A profile that names an argument twice means "or" (SEC-07), one rule for each; else "and". */
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

static int add_call (struct rules *rules, const struct oci_seccomp_syscall *entry, uint32_t action,
                     const struct entrance *entrance)
{
    bool one_by_one = has_argument_twice (entry);
    size_t times = one_by_one ? entry->args.count : 1;

    for (size_t i = 0; i < times; i++) {
        struct rule rule = {
            .number = (uint32_t)entrance->own,
            .action = action,
            .arg_count = one_by_one ? 1 : entry->args.count,
            .args = entry->args.count ? &entry->args.items[i] : NULL,
        };
        if (entrance->own >= 0 && add_rule (rules, rule) < 0)
            return -1;
        rule.number = entrance->shared;
        rule.multiplexed = entrance->multiplexed;
        if (entrance->shared && add_rule (rules, rule) < 0)
            return -1;
    }
    return 0;
}

static int by_number (const void *a, const void *b)
{
    const struct rule *one = a;
    const struct rule *two = b;

    if (one->number != two->number)
        return one->number < two->number ? -1 : 1;
    return one->order < two->order ? -1 : 1;
}

static int read_rules (struct rules *rules, const struct seccomp_profile *profile, uint32_t arch)
{
    const struct oci_seccomp *document = profile->document;

    *rules = (struct rules){.highest = -1};
    for (size_t i = 0; i < document->syscalls.count; i++) {
        const struct oci_seccomp_syscall *entry = &document->syscalls.items[i];
        uint32_t action = code_answer (entry->action, &entry->errno_ret);
        for (size_t n = 0; n < entry->names.count; n++) {
            struct entrance entrance = entrance_of (arch, entry->names.items[n]);
            if (entrance.own > rules->highest &&
                !(arch == SCMP_ARCH_ARM && entrance.own >= (int)ARM_PRIVATE))
                rules->highest = entrance.own;
            if (action == profile->default_action)
                continue; /* says nothing (SEC-09) */
            if (add_call (rules, entry, action, &entrance) < 0)
                return -1;
        }
    }
    if (rules->count)
        qsort (rules->items, rules->count, sizeof (*rules->items), by_number);
    return 0;
}

/* Ranges come in the order of their numbers. One that begins where the last one does takes its
 * place; one that says the same as the last one is part of it. */
static void add_range (struct ranges *ranges, struct range range)
{
    if (ranges->count && ranges->items[ranges->count - 1].first == range.first)
        ranges->count--;
    const struct range *last = ranges->count ? &ranges->items[ranges->count - 1] : NULL;
    if (last && !last->rule_count && !range.rule_count && last->action == range.action)
        return;
    ranges->items[ranges->count++] = range;
}

/* What all rules of one number say. */
static struct range range_of (const struct rule *rules, size_t count)
{
    struct range range = {.first = rules->number, .rule_count = count, .rules = rules};

    for (size_t i = 0; i < count; i++)
        if (rules[i].arg_count == 0 && !rules[i].multiplexed)
            return (struct range){.first = rules->number, .action = rules[i].action};
    return range;
}

/* The numbers from `first` on, for as long as nothing else is added. */
static void add_space (struct ranges *ranges, const struct seccomp_profile *profile,
                       const struct rule *rules, size_t count, uint32_t first, int64_t highest)
{
    add_range (ranges, (struct range){.first = first, .action = profile->default_action});
    for (size_t i = 0, same; i < count; i += same) {
        for (same = 1; i + same < count && rules[i + same].number == rules[i].number; same++)
            ;
        add_range (ranges, range_of (rules + i, same));
        add_range (ranges,
                   (struct range){.first = rules[i].number + 1, .action = profile->default_action});
    }
    if (highest >= 0 && profile->newer_is_enosys)
        add_range (ranges, (struct range){.first = (uint32_t)highest + 1,
                                          .action = SECCOMP_RET_ERRNO | ENOSYS});
}

/* All that share the number with libseccomp's architecture; x32 is NULL where it is not named. */
static void make_ranges (struct ranges *ranges, const struct seccomp_profile *profile,
                         uint32_t arch, const struct rules *own, const struct rules *x32)
{
    size_t public = own->count;

    if (arch == SCMP_ARCH_ARM)
        while (public > 0 && own->items[public - 1].number >= ARM_PRIVATE)
    public--;
    add_space (ranges, profile, own->items, public, 0, own->highest);
    if (arch == SCMP_ARCH_ARM)
        add_space (ranges, profile, own->items + public, own->count - public, ARM_PRIVATE, -1);
    if (arch != SCMP_ARCH_X86_64)
        return;
    if (x32) {
        add_space (ranges, profile, x32->items, x32->count, X32_BIT, x32->highest);
        return;
    }
    uint32_t beyond = ranges->items[ranges->count - 1].action;
    add_range (ranges, (struct range){.first = X32_BIT, .action = SECCOMP_RET_KILL_THREAD});
    /* -1 is how a tracer says that a call is not to be made: as other numbers without a name. */
    add_range (ranges, (struct range){.first = UINT32_MAX, .action = beyond});
}

/* One rule: its action where all conditions hold, else `no`. */
static size_t write_rule (struct code *code, const struct rule *rule, bool wide, size_t no)
{
    size_t place = code_return (code, rule->action);

    for (size_t i = rule->arg_count; i-- > 0;)
        if (!rule->multiplexed || rule->args[i].index != 0)
            place = code_condition (code, &rule->args[i], wide, place, no);
    if (!rule->multiplexed)
        return place;
    /* The arguments proper are in memory, where a filter cannot look; conditions on them are
     * compared with what is there instead, as libseccomp does. */
    const struct oci_seccomp_arg call = {.value = rule->multiplexed, .op = SCMP_CMP_EQ};
    return code_condition (code, &call, wide, place, no);
}

struct search {
    struct code *code;
    uint32_t default_action;
    bool wide; /* below X32_BIT */
};

static size_t write_range (const struct search *search, const struct range *range)
{
    bool wide = search->wide && range->first < X32_BIT;

    if (range->rule_count == 0)
        return code_return (search->code, range->action);
    size_t place = code_return (search->code, search->default_action);
    for (size_t i = range->rule_count; i-- > 0;)
        place = write_rule (search->code, &range->rules[i], wide, place);
    return place;
}

static bool same_answer (const struct range *one, const struct range *two)
{
    return !one->rule_count && !two->rule_count && one->action == two->action;
}

static size_t write_search (const struct search *search, const struct range *ranges, size_t count)
{
    if (count == 1)
        return write_range (search, ranges);
    /* One number that is different from those around it. */
    if (count == 3 && same_answer (&ranges[0], &ranges[2]) &&
        ranges[1].first + 1 == ranges[2].first) {
        size_t different = write_range (search, &ranges[1]);
        size_t around = write_range (search, &ranges[0]);
        return code_jump (search->code, BPF_JEQ, ranges[1].first, different, around);
    }
    size_t half = count / 2;
    size_t upper = write_search (search, ranges + half, count - half);
    size_t lower = write_search (search, ranges, half);
    return code_jump (search->code, BPF_JGE, ranges[half].first, upper, lower);
}

static size_t write_calls (struct code *code, const struct seccomp_profile *profile, uint32_t arch,
                           const struct rules *own, const struct rules *x32)
{
    const struct search search = {
        .code = code, .default_action = profile->default_action, .wide = is_wide (arch)};
    /* At most two for each rule, two for each space, two for numbers that no call has. */
    size_t most = 2 * (own->count + (x32 ? x32->count : 0)) + 8;
    AUTO_FREE struct range *items = calloc (most, sizeof (*items));
    struct ranges ranges = {.items = items};

    if (!items)
        return 0;
    make_ranges (&ranges, profile, arch, own, x32);
    size_t place = write_search (&search, ranges.items, ranges.count);
    return ranges.count == 1 ? place : code_load (code, offsetof (struct seccomp_data, nr));
}

size_t seccomp_calls_write (struct code *code, const struct seccomp_profile *profile, uint32_t arch,
                            bool x32)
{
    struct rules own;
    struct rules other = {0};
    size_t place = 0;

    if (read_rules (&own, profile, arch) == 0 &&
        (!x32 || read_rules (&other, profile, SCMP_ARCH_X32) == 0))
        place = write_calls (code, profile, arch, &own, x32 ? &other : NULL);
    free (own.items);
    free (other.items);
    return place;
}
