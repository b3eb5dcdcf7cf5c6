/* SPDX-License-Identifier: Apache-2.0 */
/* process_status: what is read from /proc/PID/status and from id maps, also where it is odd. */
#include "kernel/process_status.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* As Linux 6.18 writes it, in a pid namespace below that of procfs, by a user of a user namespace.
 */
static const char whole[] =
    "Name:\tUid:\\nUid:\t7\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4711\n"
    "Ngid:\t0\nPid:\t4711\nPPid:\t1\nTracerPid:\t0\n"
    "Uid:\t101000\t101001\t101002\t101003\n"
    "Gid:\t100010\t100011\t100012\t100013\nFDSize:\t64\n"
    "Groups:\t4 24 4294967294 \nNStgid:\t4711\t1\nNSpid:\t4711\t12\t1\n"
    "NSpgid:\t4711\t1\nKthread:\t0\nVmPeak:\t    3060 kB\nThreads:\t1\n"
    "SigQ:\t0/96365\nSigPnd:\t0000000000000000\n"
    "CapInh:\t0000000000000001\nCapPrm:\t00000000a80425fb\n"
    "CapEff:\t0000000000000020\nCapBnd:\t000001ffffffffff\n"
    "CapAmb:\tffffffffffffffff\nNoNewPrivs:\t1\nSeccomp:\t2\n"
    "Seccomp_filters:\t3\nSpeculation_Store_Bypass:\tvulnerable\n"
    "Cpus_allowed_list:\t0-1\nnonvoluntary_ctxt_switches:\t0\n";

/* The text without, or with another, line `name`. */
static const char *with_line (struct text *out, const char *name, const char *line)
{
    AUTO_TEXT struct text head = {0};

    text_printf (&head, "\n%s:", name);
    const char *at = strstr (whole, text_string (&head));
    assert_non_null (at);
    const char *end = strchr (at + 1, '\n');
    text_add (out, whole, (size_t)(at + 1 - whole));
    text_puts (out, line);
    text_puts (out, end + 1);
    return text_string (out);
}

static void all_of_it (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct process_status status;
    struct error err = {0};

    (void)state;
    assert_int_equal (process_status_parse (&arena, whole, &status, &err), 0);
    assert_int_equal (status.state, 'S');
    assert_int_equal (status.uid.real, 101000);
    assert_int_equal (status.uid.effective, 101001);
    assert_int_equal (status.uid.saved, 101002);
    assert_int_equal (status.uid.fs, 101003);
    assert_int_equal (status.gid.real, 100010);
    assert_int_equal (status.gid.effective, 100011);
    assert_int_equal (status.gid.saved, 100012);
    assert_int_equal (status.gid.fs, 100013);
    assert_int_equal (status.group_count, 3);
    assert_int_equal (status.groups[0], 4);
    assert_int_equal (status.groups[2], 4294967294u);
    assert_int_equal (status.pid_levels, 3);
    assert_int_equal (status.inheritable, 1);
    assert_int_equal (status.permitted, 0xa80425fb);
    assert_int_equal (status.effective, 0x20);
    assert_int_equal (status.bounding, 0x1ffffffffff);
    assert_true (status.ambient == UINT64_MAX);
    assert_int_equal (status.no_new_privs, 1);
    assert_int_equal (status.seccomp, 2);
    assert_int_equal (status.filters, 3);
}

static void parse_line (const char *name, const char *line, struct arena *arena,
                        struct process_status *status)
{
    AUTO_TEXT struct text text = {0};
    struct error err = {0};

    if (process_status_parse (arena, with_line (&text, name, line), status, &err) < 0)
        fail_msg ("%s: %s", line, err.text);
}

static void what_kernels_leave_out (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct process_status status;

    (void)state;
    parse_line ("Seccomp_filters", "", &arena, &status); /* before Linux 5.9 */
    assert_int_equal (status.filters, -1);
    assert_int_equal (status.seccomp, 2);
    parse_line ("Seccomp", "", &arena, &status);
    assert_int_equal (status.seccomp, -1);
    parse_line ("NSpid", "", &arena, &status);
    assert_int_equal (status.pid_levels, 1);
    parse_line ("Groups", "Groups:\t \n", &arena, &status);
    assert_int_equal (status.group_count, 0);
    parse_line ("Groups", "Groups:\t\n", &arena, &status);
    assert_int_equal (status.group_count, 0);
    parse_line ("Uid", "Uid:\t4294967295\t65534\t4294967294\t0\n", &arena, &status);
    assert_int_equal (status.uid.real, UINT32_MAX);
    assert_int_equal (status.uid.saved, UINT32_MAX - 1);
    parse_line ("State", "State:\tZ (zombie)\n", &arena, &status);
    assert_int_equal (status.state, 'Z');
}

static void as_many_groups_as_can_be (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text line = {0};
    struct process_status status;

    (void)state;
    text_puts (&line, "Groups:\t");
    for (uint32_t i = 0; i < 65536; i++)
        text_printf (&line, "%u ", 4294901760u + i);
    text_puts (&line, "\n");
    parse_line ("Groups", text_string (&line), &arena, &status);
    assert_int_equal (status.group_count, 65536);
    assert_int_equal (status.groups[65535], UINT32_MAX);
}

static void what_is_not_understood (void **state)
{
    static const struct {
        const char *name;
        const char *line;
    } table[] = {
        {"State", ""},
        {"State", "State:\n"},
        {"Uid", ""},
        {"Uid", "Uid:\t0\t0\t0\n"},
        {"Uid", "Uid:\t0\t0\t0\t0\t0\n"},
        {"Uid", "Uid:\t0\t0\t0\t-1\n"},
        {"Uid", "Uid:\t0\t0\t0\t4294967296\n"},
        {"Uid", "Uid:\t0\t0\t0\t0x\n"},
        {"Uid", "Uid:\t0\t0\t0\t0\nUid:\t0\t0\t0\t0\n"},
        {"Gid", ""},
        {"Gid", "Gid:\n"},
        {"Groups", ""},
        {"Groups", "Groups:\t1 a\n"},
        {"Groups", "Groups:\t1 4294967296\n"},
        {"NSpid", "NSpid:\n"},
        {"CapInh", ""},
        {"CapPrm", ""},
        {"CapEff", ""},
        {"CapBnd", ""},
        {"CapAmb", ""},
        {"CapAmb", "CapAmb:\t\n"},
        {"CapBnd", "CapBnd:\t10000000000000000\n"},
        {"CapBnd", "CapBnd:\t000000000000000G\n"},
        {"CapBnd", "CapBnd:\t0 0\n"},
        {"NoNewPrivs", ""},
        {"NoNewPrivs", "NoNewPrivs:\t99999999999\n"},
        {"Seccomp", "Seccomp:\ttwo\n"},
        {"Seccomp_filters", "Seccomp_filters:\t-1\n"},
        {"Seccomp_filters", "Seccomp_filters:\t1\nSeccomp_filters:\t2\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        AUTO_TEXT struct text text = {0};
        struct process_status status = {.state = '?'};
        struct error err = {0};
        with_line (&text, table[i].name, table[i].line);
        if (process_status_parse (&arena, text_string (&text), &status, &err) == 0)
            fail_msg ("%s \"%s\" was taken", table[i].name, table[i].line);
        assert_string_equal (err.code, "RT-PROC-STATUS");
        assert_non_null (strstr (err.text, table[i].name));
        assert_int_equal (status.state, '?');
    }
}

/* A line that is cut, at any byte, is never taken for a whole status: the last line that is needed
 * stands near its end. */
static void what_is_cut (void **state)
{
    size_t needed = (size_t)(strstr (whole, "Seccomp:") - whole);

    (void)state;
    for (size_t length = 0; length < needed - 1; length++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct process_status status;
        struct error err = {0};
        const char *cut = arena_copy (&arena, whole, length);
        if (process_status_parse (&arena, cut, &status, &err) == 0)
            fail_msg ("%zu bytes were taken", length);
    }
}

static void maps (void **state)
{
    static const char text[] = "         0       1000          1\n"
                               "         1     100000      65536\n"
                               "     70000 4294967295          2\n"
                               "4294967290         10          5\n";
    static const struct {
        uint32_t inside;
        int64_t outside; /* -1: none */
    } table[] = {
        {0, 1000},   {1, 100000}, {65536, 165535},  {65537, -1},      {70000, -1},
        {70001, -1}, {70002, -1}, {4294967290, 10}, {4294967294, 14}, {4294967295, -1},
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct process_id_map map;
    struct error err = {0};

    (void)state;
    assert_int_equal (process_id_map_parse (&arena, text, &map, &err), 0);
    assert_int_equal (map.count, 4);
    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        uint32_t outside = 7;
        int failed = process_id_map_find (&map, table[i].inside, &outside);
        if (table[i].outside < 0 ? !failed : failed || outside != (uint32_t)table[i].outside)
            fail_msg ("%u: %u", table[i].inside, outside);
    }
    assert_int_equal (process_id_map_parse (&arena, "", &map, &err), 0);
    assert_int_equal (map.count, 0);
}

static void maps_that_are_none (void **state)
{
    static const char *const table[] = {"0 0\n",   "0 0 1",    "0 0 1 1\n", "\n",
                                        "0 0 x\n", "0 0 -1\n", "0 0 1\n0"};

    (void)state;
    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct process_id_map map;
        struct error err = {0};
        if (process_id_map_parse (&arena, table[i], &map, &err) == 0)
            fail_msg ("\"%s\" was taken", table[i]);
        assert_string_equal (err.code, "RT-PROC-MAP");
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (all_of_it),
        cmocka_unit_test (what_kernels_leave_out),
        cmocka_unit_test (as_many_groups_as_can_be),
        cmocka_unit_test (what_is_not_understood),
        cmocka_unit_test (what_is_cut),
        cmocka_unit_test (maps),
        cmocka_unit_test (maps_that_are_none),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
