/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: the label of a process that is about to execute, and has executed. What needs a kernel
 * with AppArmor or SELinux, and the profile or policy of tests/vm, is left out elsewhere.
 */
#include "base/cleanup.h"
#include "base/text.h"
#include "container/apparmor.h"
#include "container/selinux.h"
#include "kernel/procdir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PROFILE "rt-test"
#define LABEL "rt_u:rt_r:container_t:s0:c0,c1"

static void names_of_profiles (void **state)
{
    static const struct {
        const char *label;
        const char *profile;
        bool right;
    } table[] = {
        {"box (enforce)\n", "box", true},
        {"box (complain)", "box", true},
        {"box\n", "box", true},
        {"box", "box", true},
        {"unconfined\n", "unconfined", true},
        {"a box (1) (enforce)\n", "a box (1)", true},
        {":space://box (enforce)\n", ":space:box", true},
        {":space://box (enforce)\n", ":space://box", true},
        {"/usr/bin/box//hat (enforce)\n", "/usr/bin/box//hat", true},
        {"unconfined\n", "box", false},
        {"boxes (enforce)\n", "box", false},
        {"bo (enforce)\n", "box", false},
        {"box//&outer (enforce)\n", "box", false},
        {"", "box", false},
        {"(enforce)\n", "box", false},
        {" (enforce)\n", "box", false},
        {")\n", "box", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++)
        if (apparmor_is_profile (table[i].label, table[i].profile) != table[i].right)
            fail_msg ("%s: %s", table[i].profile, table[i].label);
}

struct child {
    pid_t pid; /* -1: this host has no such label */
    int go;
    int executed;
};

/* A child that takes the label, if any, and waits at the pipe; then it executes. */
static struct child make_child (const char *apparmor, const char *selinux)
{
    struct error err = {0};
    int go[2];
    int ready[2];
    char c;

    assert_int_equal (pipe2 (go, O_CLOEXEC), 0);
    assert_int_equal (pipe2 (ready, O_CLOEXEC), 0);
    pid_t pid = fork ();
    assert_true (pid >= 0);
    if (pid == 0) {
        (void)close (go[1]);
        (void)close (ready[0]);
        if (apparmor_apply (apparmor, false, &err) < 0 || selinux_apply (selinux, &err) < 0)
            _exit (1);
        (void)!write (ready[1], "x", 1);
        (void)!read (go[0], &c, 1);
        (void)execl ("/bin/sleep", "sleep", "1000", (char *)NULL);
        _exit (2);
    }
    (void)close (ready[1]);
    (void)close (go[0]);
    if (read (ready[0], &c, 1) == 1)
        return (struct child){.pid = pid, .go = go[1], .executed = ready[0]};
    (void)close (ready[0]);
    (void)close (go[1]);
    assert_int_equal (waitpid (pid, NULL, 0), pid);
    return (struct child){.pid = -1};
}

/* The program runs when the child's end of the second pipe has gone with its execve. */
static void let_execute (struct child *child)
{
    char c;

    assert_int_equal (write (child->go, "x", 1), 1);
    (void)close (child->go);
    assert_int_equal (read (child->executed, &c, 1), 0);
    (void)close (child->executed);
}

static void end_child (const struct child *child)
{
    assert_int_equal (kill (child->pid, SIGKILL), 0);
    assert_int_equal (waitpid (child->pid, NULL, 0), child->pid);
}

static struct child make_apparmor_child (void)
{
    struct error err = {0};

    return apparmor_prepare (PROFILE, &err) == 0 ? make_child (PROFILE, NULL)
                                                 : (struct child){.pid = -1};
}

static void profiles (void **state)
{
    struct child child = make_apparmor_child ();
    struct error err = {0};

    (void)state;
    if (child.pid < 0)
        skip ();
    AUTO_FD int process = procdir_open (child.pid, -1);
    assert_true (process >= 0);
    int told = apparmor_verify (process, PROFILE, &err);
    assert_true (told == 0 || told == 1);
    assert_int_equal (apparmor_verify (process, "another", &err), told ? -1 : 0);
    assert_string_equal (err.code, told ? "RT-VERIFY-LABEL" : "");
    assert_int_equal (apparmor_verify (process, "", &err), 1);
    let_execute (&child);
    end_child (&child);
}

/* The other half: which label it has when it runs. */
static void profiles_that_were_not_taken (void **state)
{
    struct child right = make_apparmor_child ();
    struct error err = {0};

    (void)state;
    if (right.pid < 0)
        skip ();
    let_execute (&right);
    struct child wrong = make_child (NULL, NULL);
    let_execute (&wrong);
    AUTO_FD int one = procdir_open (right.pid, -1);
    AUTO_FD int other = procdir_open (wrong.pid, -1);
    if (apparmor_verify_executed (one, PROFILE, &err) < 0)
        fail_msg ("%s", err.text);
    assert_int_equal (apparmor_verify_executed (other, PROFILE, &err), -1);
    assert_string_equal (err.code, "RT-VERIFY-LABEL");
    assert_string_equal (err.pointer, "/process/apparmorProfile");
    assert_non_null (strstr (err.text, "\"unconfined\" still, not \"" PROFILE "\""));
    err = (struct error){0};
    assert_int_equal (apparmor_verify_executed (other, "unconfined", &err), 0);
    assert_int_equal (apparmor_verify_executed (other, NULL, &err), 0);
    end_child (&right);
    end_child (&wrong);
}

static void labels (void **state)
{
    struct error err = {0};
    struct child child = {.pid = -1};

    (void)state;
    if (selinux_prepare (LABEL, &err) == 0)
        child = make_child (NULL, LABEL);
    if (child.pid < 0)
        skip ();
    AUTO_FD int process = procdir_open (child.pid, -1);
    err = (struct error){0};
    if (selinux_verify (process, LABEL, &err) < 0)
        fail_msg ("%s", err.text);
    /* Another way to write the same. */
    assert_int_equal (selinux_verify (process, "rt_u:rt_r:container_t:s0:c1,c0", &err), 0);
    assert_int_equal (selinux_verify (process, NULL, &err), 0);
    assert_int_equal (selinux_verify (process, "rt_u:rt_r:container_t:s0", &err), -1);
    assert_string_equal (err.code, "RT-VERIFY-LABEL");
    assert_string_equal (err.pointer, "/process/selinuxLabel");
    let_execute (&child);
    end_child (&child);

    child = make_child (NULL, NULL);
    AUTO_FD int without = procdir_open (child.pid, -1);
    assert_int_equal (selinux_verify (without, LABEL, &err), -1);
    assert_non_null (strstr (err.text, "\"\" for its program"));
    let_execute (&child);
    end_child (&child);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (names_of_profiles),
        cmocka_unit_test (profiles),
        cmocka_unit_test (profiles_that_were_not_taken),
        cmocka_unit_test (labels),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
