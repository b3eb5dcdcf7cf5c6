/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of names: numbers against the headers they come from, look-ups, suggestions, signals.
 */
#include "base/text.h"
#include "oci-spec/config.h"
#include "oci-spec/names.h"
#include "oci-spec/seccomp_words.h"

#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>

#include <cmocka.h>

static const struct oci_names *const all[] = {
    &oci_namespaces,
    &oci_capability_names,
    &oci_rlimit_types,
    &oci_hook_kinds,
    &oci_signals,
    &oci_propagations,
    &oci_seccomp_actions,
    &oci_seccomp_archs,
    &oci_seccomp_operators,
    &oci_seccomp_flags,
    &oci_scheduler_policies,
    &oci_scheduler_flags,
    &oci_io_priority_classes,
    &oci_memory_policy_modes,
    &oci_memory_policy_flags,
    &oci_personality_domains,
};

static uint64_t number (const struct oci_names *names, const char *name)
{
    uint64_t value = UINT64_MAX;

    if (!oci_names_find (names, name, &value))
        fail_msg ("%s \"%s\" is unknown", names->what, name);
    return value;
}

static void names_are_found_both_ways (void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof (all) / sizeof (*all); i++)
        for (size_t k = 0; k < all[i]->count; k++) {
            const struct oci_name *item = &all[i]->items[k];
            const char *name = oci_names_of (all[i], item->value);
            assert_int_equal (number (all[i], item->name), item->value);
            assert_non_null (name); /* the first of those that share the number */
            assert_int_equal (number (all[i], name), item->value);
        }
    assert_null (oci_names_of (&oci_namespaces, 1));
}

/* rows: NSP-01 PRC-18 CAP-08 SEC-01 SEC-06 SEC-10 SEC-12 */
static void numbers_are_the_headers (void **state)
{
    (void)state;
    assert_int_equal (oci_namespaces.count, 8);
    assert_int_equal (number (&oci_namespaces, "network"), CLONE_NEWNET);
    assert_int_equal (number (&oci_namespaces, "mount"), CLONE_NEWNS);
    assert_int_equal (oci_capability_names.count, CAP_LAST_CAP + 1);
    for (size_t i = 0; i < oci_capability_names.count; i++)
        assert_int_equal (oci_capability_names.items[i].value, i);
    assert_int_equal (oci_rlimit_types.count, RLIM_NLIMITS);
    assert_int_equal (number (&oci_rlimit_types, "RLIMIT_NOFILE"), RLIMIT_NOFILE);
    assert_int_equal (oci_hook_kinds.count, OCI_HOOK_KINDS);
    assert_int_equal (oci_seccomp_actions.count, 9);
    assert_int_equal (number (&oci_seccomp_actions, "SCMP_ACT_KILL"), SCMP_ACT_KILL);
    assert_int_equal (number (&oci_seccomp_actions, "SCMP_ACT_KILL_PROCESS"),
                      SCMP_ACT_KILL_PROCESS);
    assert_int_equal (number (&oci_seccomp_actions, "SCMP_ACT_ERRNO"), SCMP_ACT_ERRNO (0));
    assert_int_equal (oci_seccomp_archs.count, 23);
    assert_int_equal (oci_seccomp_operators.count, 7);
    assert_int_equal (number (&oci_seccomp_operators, "SCMP_CMP_MASKED_EQ"), SCMP_CMP_MASKED_EQ);
    assert_int_equal (number (&oci_seccomp_flags, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"), 32);
}

#ifndef RT_WITHOUT_LIBSECCOMP
/* The library turns the same names into the same numbers, for all that this version of it knows. */
static void architectures_are_those_of_libseccomp (void **state)
{
    size_t known = 0;

    (void)state;
    for (size_t i = 0; i < oci_seccomp_archs.count; i++) {
        char name[32];
        size_t length = 0;
        for (const char *c = oci_seccomp_archs.items[i].name + strlen ("SCMP_ARCH_"); *c; c++)
            name[length++] = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        name[length] = '\0';
        uint32_t token = seccomp_arch_resolve_name (name);
        if (token != 0) {
            assert_int_equal (token, oci_seccomp_archs.items[i].value);
            known++;
        }
    }
    assert_true (known >= 19);
}
#endif

/* rows: CRT-32 */
static void nearest_name_is_suggested (void **state)
{
    static const struct {
        const struct oci_names *names;
        const char *typed, *meant;
    } cases[] = {
        {&oci_namespaces, "netwrok", "network"},
        {&oci_namespaces, "PID", "pid"},
        {&oci_namespaces, "mnt", NULL},
        {&oci_rlimit_types, "RLIMIT_NOFILES", "RLIMIT_NOFILE"},
        {&oci_rlimit_types, "rlimit_nproc", "RLIMIT_NPROC"},
        {&oci_seccomp_actions, "SCMP_ACT_ALLOWED", "SCMP_ACT_ALLOW"},
        {&oci_namespaces, "", NULL},
        {&oci_namespaces, "something else entirely", NULL},
        {&oci_namespaces,
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (*cases); i++) {
        const char *nearest = oci_names_nearest (cases[i].names, cases[i].typed);
        if (!cases[i].meant)
            assert_null (nearest);
        else {
            assert_non_null (nearest);
            assert_string_equal (nearest, cases[i].meant);
        }
    }
}

static void signals_are_read (void **state)
{
    const struct {
        const char *text;
        int number;
    } cases[] = {
        {"0", 0},
        {"9", 9},
        {"64", SIGRTMAX},
        {"65", -1},
        {"-1", -1},
        {"+9", -1},
        {"9 ", -1},
        {"", -1},
        {"KILL", SIGKILL},
        {"SIGKILL", SIGKILL},
        {"sigkill", SIGKILL},
        {"Term", SIGTERM},
        {"SIG", -1},
        {"SIGSIGKILL", -1},
        {"SIGFOO", -1},
        {"WINCH", SIGWINCH},
        {"CLD", SIGCHLD},
        {"IOT", SIGABRT},
        {"RTMIN", SIGRTMIN},
        {"SIGRTMAX", SIGRTMAX},
        {"RTMIN+3", SIGRTMIN + 3},
        {"SIGRTMAX-1", SIGRTMAX - 1},
        {"rtmin+30", SIGRTMAX},
        {"RTMIN+31", -1},
        {"RTMIN-1", -1},
        {"RTMAX+1", -1},
        {"RTMAX-30", SIGRTMIN},
        {"RTMAX-31", -1},
        {"RTMIN+", -1},
        {"RT", -1},
        {"RTMIN+3x", -1},
        {"0x9", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (*cases); i++)
        if (oci_signal_from_text (cases[i].text) != cases[i].number)
            fail_msg ("\"%s\" is %d, not %d", cases[i].text, oci_signal_from_text (cases[i].text),
                      cases[i].number);
    assert_int_equal (number (&oci_signals, "SIGRTMIN"), SIGRTMIN);
    assert_int_equal (number (&oci_signals, "SIGRTMAX"), SIGRTMAX);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (names_are_found_both_ways),
        cmocka_unit_test (numbers_are_the_headers),
#ifndef RT_WITHOUT_LIBSECCOMP
        cmocka_unit_test (architectures_are_those_of_libseccomp),
#endif
        cmocka_unit_test (nearest_name_is_suggested),
        cmocka_unit_test (signals_are_read),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
