/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd: what is known of a process that may be gone. */
#include "kernel/pidfd.h"
#include "kernel/rawcall.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A child that ends by itself where `signal` is 0, or else by that signal; dead but not reaped. */
static pid_t dead_child (int signal)
{
    siginfo_t info;
    pid_t pid = fork ();

    assert_true (pid >= 0);
    if (pid == 0) {
        if (signal == 0)
            _exit (0);
        for (;;)
            (void)pause ();
    }
    if (signal != 0)
        assert_int_equal (kill (pid, signal), 0);
    assert_int_equal (waitid (P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    return pid;
}

/* rows: CGM-13 */
static void only_the_killed_are_doomed (void **state)
{
    (void)state;
    pid_t quick = dead_child (0);
    pid_t killed = dead_child (SIGKILL);

    assert_false (pidfd_is_doomed (getpid ()));
    assert_false (pidfd_is_doomed (quick));
    assert_true (pidfd_is_doomed (killed));
    assert_int_equal (waitpid (quick, NULL, 0), quick);
    assert_int_equal (waitpid (killed, NULL, 0), killed);
}

/* rows: CGM-13. While it dies, too: each run looks at another moment of its way. */
static void who_is_killed_is_doomed_at_once (void **state)
{
    (void)state;
    for (int run = 0; run < 3000; run++) {
        pid_t pid = fork ();

        assert_true (pid >= 0);
        if (pid == 0)
            for (;;)
                (void)pause ();
        assert_int_equal (kill (pid, SIGKILL), 0);
        assert_true (pidfd_is_doomed (pid));
        assert_int_equal (waitpid (pid, NULL, 0), pid);
    }
}

/* rows: VRB-14 */
static void a_pid_is_one_process (void **state)
{
    uint64_t start_time;
    char letter;

    (void)state;
    pid_t pid = dead_child (0);
    assert_int_equal (pidfd_start_time (pid, &start_time, &letter), 0);
    assert_int_equal (letter, 'Z');
    assert_int_equal (pidfd_open_exact (pid, start_time), -1);
    assert_int_equal (errno, ESRCH);
    assert_int_equal (waitpid (pid, NULL, 0), pid);

    assert_int_equal (pidfd_start_time (getpid (), &start_time, &letter), 0);
    assert_int_equal (letter, 'R');
    assert_int_equal (pidfd_open_exact (getpid (), start_time + 1), -1);
    assert_int_equal (errno, ESRCH);
    int fd = pidfd_open_exact (getpid (), start_time);
    assert_true (fd >= 0);
    assert_int_equal (close (fd), 0);
}

/* A child that waits at the pipe, and then executes a program that ends at once, or ends itself. */
static pid_t waiting_child (int go[2], const char *program)
{
    char *argv[] = {(char *)(uintptr_t) "x", NULL};
    char c;

    assert_int_equal (pipe2 (go, O_CLOEXEC), 0);
    pid_t pid = fork ();
    assert_true (pid >= 0);
    if (pid > 0)
        return pid;
    (void)close (go[1]);
    (void)!read (go[0], &c, 1);
    if (program)
        (void)execv (program, argv);
    _exit (1);
}

static void is_executed (const char *program, int executed)
{
    char path[32];
    siginfo_t info;
    int go[2];
    pid_t pid = waiting_child (go, program);
    uint64_t start_time;

    assert_int_equal (pidfd_start_time (pid, &start_time, NULL), 0);
    int pidfd = pidfd_open_exact (pid, start_time);
    /* What stands for a pidfd where there is none. */
    (void)snprintf (path, sizeof (path), "/proc/%d", (int)pid);
    int directory = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true (pidfd >= 0 && directory >= 0);
    assert_int_equal (pidfd_has_executed (pid, pidfd), 0);
    assert_int_equal (pidfd_has_executed (pid, directory), 0);
    assert_int_equal (pidfd_has_executed (getppid (), pidfd), -1);
    assert_int_equal (errno, ESRCH);

    assert_int_equal (close (go[1]), 0);
    assert_int_equal (waitid (P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal (pidfd_has_executed (pid, pidfd), executed);
    assert_int_equal (pidfd_has_executed (pid, directory), executed);
    assert_int_equal (pidfd_holds (pidfd, pid), 1);
    assert_int_equal (pidfd_holds (directory, pid), 1);
    assert_int_equal (waitpid (pid, NULL, 0), pid);
    assert_int_equal (pidfd_has_executed (pid, pidfd), -1);
    assert_int_equal (errno, ESRCH);
    assert_int_equal (pidfd_has_executed (pid, directory), -1);
    assert_int_equal (errno, ESRCH);
    assert_int_equal (pidfd_holds (pidfd, pid), 0);
    assert_int_equal (pidfd_holds (directory, pid), 0);
    (void)close (go[0]);
    (void)close (pidfd);
    (void)close (directory);
}

/* The kernel's word, also of what has ended at once. */
static void who_has_executed_a_program (void **state)
{
    (void)state;
    is_executed ("/bin/true", 1);
    is_executed ("/nothing/here", 0);
    is_executed ("/etc/passwd", 0);
    is_executed (NULL, 0);
    assert_int_equal (pidfd_has_executed (getpid (), -1), -1);
}

#if defined __x86_64__ || defined __aarch64__ /* where raw_call () needs no syscall () */
static bool is_blocked;                       /* pidfd_send_signal, as below an old filter */

long syscall (long number, ...)
{
    long words[6];
    va_list rest;

    va_start (rest, number);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        words[i] = va_arg (rest, long);
    va_end (rest);
    if (is_blocked && number == SYS_pidfd_send_signal) {
        errno = EPERM;
        return -1;
    }
    long result = raw_call (number, words[0], words[1], words[2], words[3], words[4]);
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

/* Without the call only a child's number is sure. */
static void a_number_is_used_for_children_only (void **state)
{
    int line[2];
    pid_t grandchild;

    (void)state;
    assert_int_equal (pipe (line), 0);
    pid_t child = fork ();
    if (child == 0) {
        grandchild = fork ();
        if (grandchild > 0)
            (void)!write (line[1], &grandchild, sizeof grandchild);
        for (;;)
            (void)pause ();
    }
    assert_int_equal (read (line[0], &grandchild, sizeof grandchild), sizeof grandchild);
    int near = pidfd_open_number (child);
    int far = pidfd_open_number (grandchild);
    assert_true (near >= 0 && far >= 0);
    is_blocked = true;
    assert_int_equal (pidfd_signal (far, SIGKILL), -1);
    assert_int_equal (errno, ENOSYS);
    assert_int_equal (pidfd_wait_dead (far, 0), 0);
    assert_int_equal (pidfd_signal_child (grandchild, SIGKILL), -1);
    assert_int_equal (errno, ESRCH);
    assert_int_equal (pidfd_signal (near, SIGKILL), 0);
    is_blocked = false;
    assert_int_equal (pidfd_signal (far, SIGKILL), 0);
    assert_int_equal (pidfd_wait_dead (far, -1), 1);
    assert_int_equal (waitpid (child, NULL, 0), child);
    assert_int_equal (pidfd_signal_child (child, SIGKILL), -1);
    assert_int_equal (errno, ESRCH);
    (void)close (near);
    (void)close (far);
}
#else
static void a_number_is_used_for_children_only (void **state)
{
    (void)state;
    skip ();
}
#endif

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (only_the_killed_are_doomed),
        cmocka_unit_test (who_is_killed_is_doomed_at_once),
        cmocka_unit_test (a_pid_is_one_process),
        cmocka_unit_test (who_has_executed_a_program),
        cmocka_unit_test (a_number_is_used_for_children_only),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
