/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_execve: profiles and programs below which no program could begin, and where that is told.
 */
#include "container/seccomp.h"

#include "bpf_machine.h"
#include "container/seccomp_judge.h"

#include <errno.h>
#include <seccomp.h>

#include <cmocka.h>

#define LINE(x) #x
#define ENTRY(i) "/linux/seccomp/syscalls/" LINE (i)
#define DEFAULT "/linux/seccomp/defaultAction"
#define IF(o, v) ARGS ({.index = 0, .value = (v), .op = SCMP_CMP_##o})
#define ERRNO_0 .action = SCMP_ACT_ERRNO (0)
#define DATA(n) .errno_ret = {.present = true, .value = (n)}

static const struct {
    const char *what;
    const char *pointer; /* NULL: allowed */
    const char *words;
    struct oci_seccomp seccomp;
} table[] = {
    {"all is allowed", NULL, NULL, {.default_action = SCMP_ACT_ALLOW}},
    {"all is logged", NULL, NULL, {.default_action = SCMP_ACT_LOG}},
    {"all is traced", NULL, NULL, {.default_action = SCMP_ACT_TRACE (0)}},
    {"all is notified", NULL, NULL, {.default_action = SCMP_ACT_NOTIFY}},
    {"all is denied", DEFAULT, "fails with errno 1", {.default_action = SCMP_ACT_ERRNO (0)}},
    {"all is denied with another errno",
     DEFAULT,
     "fails with errno 38",
     {.default_action = SCMP_ACT_ERRNO (0), .default_errno_ret = {.present = true, .value = 38}}},
    {"all is faked",
     DEFAULT,
     "reports success and does nothing",
     {.default_action = SCMP_ACT_ERRNO (0), .default_errno_ret = {.present = true}}},
    {"all is killed", DEFAULT, "kills the process", {.default_action = SCMP_ACT_KILL_PROCESS}},
    {"all threads are killed", DEFAULT, "kills the thread", {.default_action = SCMP_ACT_KILL}},
    {"all is trapped", DEFAULT, "SIGSYS", {.default_action = SCMP_ACT_TRAP}},
    {"execve is allowed",
     NULL,
     NULL,
     {.default_action = SCMP_ACT_ERRNO (0),
      SYSCALLS ({.names = NAMES ("read", "execve"), .action = SCMP_ACT_ALLOW})}},
    {"execve is notified",
     NULL,
     NULL,
     {.default_action = SCMP_ACT_ERRNO (0),
      SYSCALLS ({.names = NAMES ("execve"), .action = SCMP_ACT_NOTIFY})}},
    {"only execveat is allowed",
     DEFAULT,
     "errno 1",
     {.default_action = SCMP_ACT_ERRNO (0),
      SYSCALLS ({.names = NAMES ("execveat"), .action = SCMP_ACT_ALLOW})}},
    {"execve is killed",
     ENTRY (1),
     "kills the process",
     {.default_action = SCMP_ACT_ALLOW,
      SYSCALLS ({.names = NAMES ("read"), ERRNO_0},
                {.names = NAMES ("execveat", "execve"), .action = SCMP_ACT_KILL_PROCESS})}},
    {"execve is faked",
     ENTRY (0),
     "reports success",
     {.default_action = SCMP_ACT_ALLOW, SYSCALLS ({.names = NAMES ("execve"), ERRNO_0, DATA (0)})}},
    {"execve is denied as all is, by an entry of its own",
     ENTRY (1),
     "errno 1",
     {.default_action = SCMP_ACT_ERRNO (0),
      SYSCALLS ({.names = NAMES ("read"), .action = SCMP_ACT_ALLOW},
                {.names = NAMES ("execve"), ERRNO_0})}},
    {"the first entry counts",
     NULL,
     NULL,
     {.default_action = SCMP_ACT_KILL,
      SYSCALLS ({.names = NAMES ("execve"), .action = SCMP_ACT_ALLOW},
                {.names = NAMES ("execve"), ERRNO_0})}},
    {"also the one that denies",
     ENTRY (0),
     "errno 7",
     {.default_action = SCMP_ACT_KILL,
      SYSCALLS ({.names = NAMES ("execve"), ERRNO_0, DATA (7)},
                {.names = NAMES ("execve"), .action = SCMP_ACT_ALLOW})}},
    {"one that says what the default says does not",
     NULL,
     NULL,
     {.default_action = SCMP_ACT_ERRNO (0),
      SYSCALLS ({.names = NAMES ("execve"), ERRNO_0},
                {.names = NAMES ("execve"), .action = SCMP_ACT_ALLOW})}},
    {"allowed with a condition",
     NULL,
     NULL,
     {.default_action = SCMP_ACT_ERRNO (0),
      SYSCALLS ({.names = NAMES ("execve"), .action = SCMP_ACT_ALLOW, IF (NE, 0)})}},
    {"denied with a condition",
     NULL,
     NULL,
     {.default_action = SCMP_ACT_ALLOW,
      SYSCALLS ({.names = NAMES ("execve"), ERRNO_0, IF (EQ, 0)})}},
    {"denied with a condition that always holds",
     ENTRY (1),
     "errno 1",
     {.default_action = SCMP_ACT_ALLOW,
      SYSCALLS ({.names = NAMES ("read"), ERRNO_0},
                {.names = NAMES ("execve"), ERRNO_0, IF (MASKED_EQ, 0)})}},
    {"denied by default and, with a condition, in another way",
     DEFAULT,
     "errno 1",
     {.default_action = SCMP_ACT_ERRNO (0),
      SYSCALLS ({.names = NAMES ("execve"), .action = SCMP_ACT_KILL, IF (EQ, 0)})}},
    {"a condition beside an entry without one",
     ENTRY (1),
     "errno 1",
     {.default_action = SCMP_ACT_KILL,
      SYSCALLS ({.names = NAMES ("execve"), .action = SCMP_ACT_ALLOW, IF (EQ, 0)},
                {.names = NAMES ("execve"), ERRNO_0})}},
    /* BPF_RET of ALLOW, of ERRNO (2), of USER_NOTIF */
    {"a program", NULL, NULL, {.program = "BgAAAAAA/38="}},
    {"a program that denies",
     "/annotations/run.oci.seccomp_bpf_data",
     "the filter never allows execve, by which the container's program is started: it fails with "
     "errno 2, no such file or directory (SCMP_ACT_ERRNO)",
     {.program = "BgAAAAIABQA="}},
    {"a program that notifies",
     "/annotations/run.oci.seccomp_bpf_data",
     "which such a filter cannot have",
     {.program = "BgAAAAAAwH8="}},
};

/* rows: SEC-36 */
static void a_filter_that_never_allows_execve_is_told (void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT (table); i++) {
        struct error err = {0};
        int result = seccomp_check (&table[i].seccomp, true, &err);
        if (result != (table[i].pointer ? -1 : 0))
            fail_msg ("%s: %s", table[i].what, result == 0 ? "allowed" : err.text);
        if (result == 0)
            continue;
        assert_string_equal (err.code, "RT-SECCOMP-EXECVE");
        assert_string_equal (err.pointer, table[i].pointer);
        if (!strstr (err.text, "execve") || !strstr (err.text, table[i].words))
            fail_msg ("%s: %s", table[i].what, err.text);
    }
}

/* The glance at the profile and its program say the same. */
static void the_compiled_program_agrees (void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT (table); i++) {
        struct seccomp_program program;
        struct seccomp_answers answers;
        const unsigned int allowing = SECCOMP_CAN_ALLOW | SECCOMP_CAN_LOG | SECCOMP_CAN_TRACE |
                                      (table[i].seccomp.program ? 0 : SECCOMP_CAN_NOTIFY);
        prepare (&table[i].seccomp, &program);
        assert_int_equal (seccomp_judge (program.instructions, program.count, door_arch,
                                         &(struct seccomp_question){.number = door_execve}, 1,
                                         &answers),
                          0);
        if (!(answers.possible & allowing) != (table[i].pointer != NULL))
            fail_msg ("%s: %#x", table[i].what, answers.possible);
        seccomp_program_release (&program);
    }
}

/* rows: SEC-34 SEC-29 */
static void who_may_have_which (void **state)
{
    const struct oci_seccomp program = {.program = "BgAAAAAA/38="};
    const struct oci_seccomp profile = {.default_action = SCMP_ACT_ALLOW};
    struct error err = {0};

    (void)state;
    assert_int_equal (seccomp_check (NULL, false, &err), 0);
    assert_int_equal (seccomp_check (&profile, false, &err), 0);
    assert_int_equal (seccomp_check (&program, true, &err), 0);
    assert_int_equal (seccomp_check (&program, false, &err), -1);
    assert_string_equal (err.code, "RT-SECCOMP-READY-RIGHTS");
    assert_string_equal (err.pointer, "/process/noNewPrivileges");
}

/* What cannot be told is an error, too. */
static void what_is_wrong_otherwise_keeps_its_own_words (void **state)
{
    const struct oci_seccomp arch = {
        .default_action = SCMP_ACT_ALLOW,
        ARCHS (SCMP_ARCH_S390X),
        SYSCALLS ({.names = NAMES ("execve"), ERRNO_0, IF (EQ, 0)}),
    };
    const struct oci_seccomp none = {.program = "BgAA"};
    struct error err = {0};

    (void)state;
    assert_int_equal (seccomp_check (&arch, true, &err), -1);
    assert_string_equal (err.code, "RT-SECCOMP-ARCH");
    assert_string_equal (err.hint, "");
    assert_int_equal (seccomp_check (&none, true, &err), -1);
    assert_string_equal (err.code, "RT-SECCOMP-READY");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_filter_that_never_allows_execve_is_told),
        cmocka_unit_test (the_compiled_program_agrees),
        cmocka_unit_test (who_may_have_which),
        cmocka_unit_test (what_is_wrong_otherwise_keeps_its_own_words),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
