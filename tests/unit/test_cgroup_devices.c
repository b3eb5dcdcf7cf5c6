/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules: the eBPF program is interpreted and the v1 lines are played as the kernel would,
 * and both must say what a plain reading of the list says, for many random lists.
 */
#include "cgroup/devices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { R = OCI_ACCESS_READ, W = OCI_ACCESS_WRITE, M = OCI_ACCESS_MKNOD, ALL = R | W | M };

#define N(v)                                                                                       \
    {                                                                                              \
        .present = true, .value = (v)                                                              \
    }
#define RULES(...)                                                                                 \
    (struct oci_device_rule[]){__VA_ARGS__},                                                       \
        sizeof ((struct oci_device_rule[]){__VA_ARGS__}) / sizeof (struct oci_device_rule)

static unsigned kernel_access (unsigned access)
{
    return (access & R ? 2U : 0) | (access & W ? 4U : 0) | (access & M ? 1U : 0);
}

/* What the kernel's verifier and interpreter would do with this subset of eBPF. */
static bool run (const struct device_program *program, char type, uint32_t major, uint32_t minor,
                 unsigned access)
{
    const uint32_t context[] = {kernel_access (access) << 16 | (type == 'b' ? 1 : 2), major, minor};
    uint64_t r[11] = {0};
    bool known[11] = {[1] = true};

    for (size_t pc = 0; pc < program->count; pc++) {
        const struct bpf_insn *i = &program->items[pc];
        bool jump = false;

        if (BPF_CLASS (i->code) == BPF_JMP && BPF_OP (i->code) != BPF_EXIT) {
            assert_true (i->off >= 0); /* no loops */
            assert_true (pc + 1 + (size_t)i->off < program->count);
        }
        switch (i->code) {
        case BPF_LDX | BPF_MEM | BPF_W:
            assert_int_equal (i->src_reg, 1);
            assert_true (i->off % 4 == 0 && i->off < 12);
            r[i->dst_reg] = context[i->off / 4];
            known[i->dst_reg] = true;
            break;
        case BPF_ALU64 | BPF_MOV | BPF_X:
            assert_true (known[i->src_reg]);
            r[i->dst_reg] = r[i->src_reg];
            known[i->dst_reg] = true;
            break;
        case BPF_ALU64 | BPF_MOV | BPF_K:
            r[i->dst_reg] = (uint64_t)(int64_t)i->imm;
            known[i->dst_reg] = true;
            break;
        case BPF_ALU64 | BPF_RSH | BPF_K:
            r[i->dst_reg] >>= i->imm;
            break;
        case BPF_ALU64 | BPF_AND | BPF_K:
            r[i->dst_reg] &= (uint64_t)(int64_t)i->imm;
            break;
        case BPF_JMP | BPF_JA:
            jump = true;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            jump = r[i->dst_reg] == (uint64_t)(int64_t)i->imm;
            break;
        case BPF_JMP | BPF_JNE | BPF_K:
            jump = r[i->dst_reg] != (uint64_t)(int64_t)i->imm;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            jump = (r[i->dst_reg] & (uint64_t)(int64_t)i->imm) != 0;
            break;
        case BPF_JMP | BPF_EXIT:
            assert_true (known[0]);
            return r[0] == 1;
        default:
            fail_msg ("instruction %zu: unknown code %#x", pc, i->code);
        }
        assert_true (known[i->dst_reg] || i->code == (BPF_JMP | BPF_JA));
        pc += jump ? (size_t)i->off : 0;
    }
    fail_msg ("ran past the end");
    return false;
}

struct simple {
    bool allow;
    char type;
    int64_t major, minor;
    unsigned access;
};

static const struct simple known_to_all[] = {
    {true, 'a', -1, -1, M},    {true, 'c', 1, 3, ALL}, {true, 'c', 1, 5, ALL},
    {true, 'c', 1, 7, ALL},    {true, 'c', 1, 8, ALL}, {true, 'c', 1, 9, ALL},
    {true, 'c', 5, 0, ALL},    {true, 'c', 5, 2, ALL}, {true, 'c', 10, 200, ALL},
    {true, 'c', 136, -1, ALL},
};

static void decide (const struct simple *rule, char type, uint32_t major, uint32_t minor,
                    unsigned *allowed)
{
    if ((rule->type != 'a' && rule->type != type) || (rule->major >= 0 && rule->major != major) ||
        (rule->minor >= 0 && rule->minor != minor))
        return;
    if (rule->allow)
        *allowed |= rule->access;
    else
        *allowed &= ~rule->access;
}

/* The plain reading: rules in order, each sets or clears its letters. */
static bool plain (const struct oci_device_rule *rules, size_t count, char type, uint32_t major,
                   uint32_t minor, unsigned access)
{
    unsigned allowed = 0;

    for (size_t i = 0; i < count; i++) {
        struct simple rule = {rules[i].allow, rules[i].type ? rules[i].type : 'a',
                              rules[i].major.present ? rules[i].major.value : -1,
                              rules[i].minor.present ? rules[i].minor.value : -1, rules[i].access};
        decide (&rule, type, major, minor, &allowed);
    }
    for (size_t i = 0; i < sizeof known_to_all / sizeof known_to_all[0]; i++)
        decide (&known_to_all[i], type, major, minor, &allowed);
    return (access & ~allowed) == 0;
}

/* The v1 controller: a default, and exceptions that each must hold all of a request (or, where the
 * default is to allow, any part of it). */
static bool play (const struct device_lines *lines, char type, uint32_t major, uint32_t minor,
                  unsigned access)
{
    bool allow = lines->items[0].allow;

    assert_string_equal (lines->items[0].text, "a");
    for (size_t i = 1; i < lines->count; i++) {
        char line_type, major_text[16], minor_text[16], letters[8];
        unsigned held = 0;

        assert_true (lines->items[i].allow != allow);
        assert_int_equal (sscanf (lines->items[i].text, "%c %15[^:]:%15s %7s", &line_type,
                                  major_text, minor_text, letters),
                          4);
        for (const char *letter = letters; *letter; letter++)
            held |= *letter == 'r' ? R : *letter == 'w' ? W : M;
        char want_major[16], want_minor[16];
        (void)snprintf (want_major, sizeof want_major, "%u", major);
        (void)snprintf (want_minor, sizeof want_minor, "%u", minor);
        if (line_type != type || (strcmp (major_text, "*") && strcmp (major_text, want_major)) ||
            (strcmp (minor_text, "*") && strcmp (minor_text, want_minor)))
            continue;
        if (allow ? (held & access) != 0 : (access & ~held) == 0)
            return !allow;
    }
    return allow;
}

static const uint32_t majors[] = {0, 1, 2, 5, 8, 10, 136, 4095};
static const uint32_t minors[] = {0, 1, 3, 5, 9, 16, 200, 1048575};

/* Returns whether v1 could say it. */
static bool compare_all (const struct oci_device_rule *list, size_t count)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct oci_resources resources = {
        .devices = {.count = count, .items = (struct oci_device_rule *)list}};
    struct device_rules rules;
    struct device_program program;
    struct device_lines lines;
    struct error err = {0};

    assert_int_equal (device_rules_make (&arena, &resources, &rules, &err), 0);
    assert_int_equal (device_program_make (&arena, &rules, &program, &err), 0);
    bool on_v1 = device_lines_make (&arena, &rules, &lines, &err) == 0;
    bool everything = true;
    for (size_t a = 0; a < 8; a++)
        for (size_t b = 0; b < 8; b++)
            for (unsigned access = 1; access <= ALL; access++)
                for (const char *type = "bc"; *type; type++) {
                    bool wanted = plain (list, count, *type, majors[a], minors[b], access);
                    everything = everything && wanted;
                    assert_int_equal (run (&program, *type, majors[a], minors[b], access), wanted);
                    if (on_v1)
                        assert_int_equal (play (&lines, *type, majors[a], minors[b], access),
                                          wanted);
                }
    if (device_rules_allow_all (&rules))
        assert_true (everything);
    return on_v1;
}

/* rows: CGM-30 CGD-03 CGD-04 */
static void without_rules_only_the_built_in_ones_hold (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct device_rules rules;
    struct device_program program;
    struct device_lines lines;
    struct error err = {0};

    (void)state;
    assert_true (compare_all (NULL, 0));
    assert_int_equal (device_rules_make (&arena, NULL, &rules, &err), 0);
    assert_int_equal (rules.count, 10);
    assert_false (device_rules_allow_all (&rules));
    assert_int_equal (device_program_make (&arena, &rules, &program, &err), 0);
    assert_true (run (&program, 'c', 1, 3, R | W));
    assert_true (run (&program, 'b', 8, 0, M));
    assert_false (run (&program, 'b', 8, 0, R));
    assert_false (run (&program, 'b', 1, 3, R)); /* a block device of the same number */
    assert_true (program.count <= 36);           /* loading time goes with it */
    assert_int_equal (device_lines_make (&arena, &rules, &lines, &err), 0);
    assert_false (lines.items[0].allow);
    assert_int_equal (lines.count, 12);
}

/* rows: CGD-01 CGD-05 CGD-08 CGD-12 CGD-14 */
static void lists_mean_what_they_say (void **state)
{
    (void)state;
    const struct oci_device_rule deny_all = {.allow = false, .access = ALL};
    const struct oci_device_rule allow_all = {.allow = true, .type = 'a', .access = ALL};

    assert_true (compare_all (RULES (deny_all)));
    assert_true (compare_all (RULES (deny_all, {true, 'c', N (8), N (1), R})));
    assert_true (compare_all (RULES ({true, 'c', N (8), N (1), R}, deny_all)));
    assert_true (compare_all (RULES ({true, 'b', N (8), N (-1), R | W})));
    assert_true (compare_all (RULES ({true, 'a', N (8), N (16), ALL})));
    assert_true (compare_all (RULES ({true, 'c', N (-1), N (16), R})));
    assert_true (compare_all (RULES ({true, 'c', N (8), N (1), R}, {true, 'c', N (8), N (1), W})));
    assert_true (compare_all (RULES (allow_all, {false, 'b', N (8), {0}, ALL})));
    assert_true (compare_all (RULES (allow_all, {false, 'b', N (8), {0}, W})));
    assert_true (compare_all (RULES (allow_all, {false, 'c', N (1), N (3), ALL})));
    assert_true (compare_all (
        RULES (deny_all, {true, 'b', N (8), N (0), ALL}, {false, 'b', N (8), N (0), W})));
    assert_true (
        compare_all (RULES (deny_all, {true, 'b', N (8), N (0), ALL}, {false, 'b', {0}, {0}, W})));
    /* A hole in a wider rule: v1 has no way to hold it. */
    assert_false (
        compare_all (RULES ({true, 'b', N (8), {0}, ALL}, {false, 'b', N (8), N (16), ALL})));
    /* /dev/null would be such a hole too. */
    assert_false (compare_all (RULES (allow_all, {false, 'c', N (1), {0}, ALL})));
}

/* rows: CGD-13 */
static void a_hole_on_v1_names_the_rule (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct oci_device_rule list[] = {{true, 'b', N (8), {0}, ALL},
                                     {false, 'b', N (8), N (16), ALL}};
    struct oci_resources resources = {.devices = {.count = 2, .items = list}};
    struct device_rules rules;
    struct device_lines lines;
    struct error err = {0};

    (void)state;
    assert_int_equal (device_rules_make (&arena, &resources, &rules, &err), 0);
    assert_int_equal (device_lines_make (&arena, &rules, &lines, &err), -1);
    assert_string_equal (err.pointer, "/linux/resources/devices/1");
}

/* rows: CGD-02 */
static void bad_rules_are_refused (void **state)
{
    static const struct {
        struct oci_device_rule rule;
        const char *pointer;
    } rows[] = {
        {{true, 'c', N (1), N (3), 0}, "/linux/resources/devices/0/access"},
        {{true, 'c', N (-2), N (3), R}, "/linux/resources/devices/0/major"},
        {{true, 'c', N (4096), N (3), R}, "/linux/resources/devices/0/major"},
        {{true, 'c', N (1), N (1 << 20), R}, "/linux/resources/devices/0/minor"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct oci_device_rule rule = rows[i].rule;
        struct oci_resources resources = {.devices = {.count = 1, .items = &rule}};
        struct device_rules rules;
        struct error err = {0};
        assert_int_equal (device_rules_make (&arena, &resources, &rules, &err), -1);
        assert_string_equal (err.pointer, rows[i].pointer);
    }
}

/* rows: CGD-11 */
static void a_privileged_container_needs_no_program (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct oci_device_rule list[] = {{false, 'a', N (-1), N (-1), ALL},
                                     {true, 'a', N (-1), N (-1), ALL}};
    struct oci_resources resources = {.devices = {.count = 2, .items = list}};
    struct device_rules rules;
    struct error err = {0};

    (void)state;
    assert_int_equal (device_rules_make (&arena, &resources, &rules, &err), 0);
    assert_true (device_rules_allow_all (&rules));
    list[1].access = R | W; /* mknod is built in, but these are two rules */
    assert_int_equal (device_rules_make (&arena, &resources, &rules, &err), 0);
    assert_false (device_rules_allow_all (&rules));
    (void)compare_all (list, 2);
}

/* rows: CGD-01 CGD-07 CGD-08 CGD-12 CGD-14 */
static void random_lists_agree (void **state)
{
    uint64_t seed = 88172645463325252; /* the same each time */
    unsigned on_v1 = 0;

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        struct oci_device_rule list[12];
        size_t count = round % 12 + 1;
        for (size_t i = 0; i < count; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            uint64_t bits = seed >> 8;
            list[i] = (struct oci_device_rule){
                .allow = bits & 1,
                .type = "abcc"[bits >> 1 & 3],
                .major = {.present = bits >> 3 & 7, .value = majors[bits >> 6 & 7]},
                .minor = {.present = bits >> 9 & 3, .value = minors[bits >> 11 & 7]},
                .access = bits >> 14 & 3 ? (unsigned)ALL : (unsigned)(bits >> 16) % 7 + 1,
            };
        }
        on_v1 += compare_all (list, count);
    }
    assert_true (on_v1 > 500); /* both ways were tried */
    assert_true (on_v1 < 3000);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (without_rules_only_the_built_in_ones_hold),
        cmocka_unit_test (lists_mean_what_they_say),
        cmocka_unit_test (a_hole_on_v1_names_the_rule),
        cmocka_unit_test (bad_rules_are_refused),
        cmocka_unit_test (a_privileged_container_needs_no_program),
        cmocka_unit_test (random_lists_agree),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
