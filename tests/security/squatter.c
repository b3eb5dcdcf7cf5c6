/* SPDX-License-Identifier: Apache-2.0 */
/*
 * squatter: processes of the host that get the numbers which others have left, as soon as they are
 * free: what chance does over and over on a host that makes many processes.
 *
 *   squatter PID...
 *
 * Prints "ready", and for each signal that one of them gets "hit PID SIGNAL". When its standard
 * input ends it prints "took N" and ends with all of them.
 */
#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void live (pid_t parent)
{
    siginfo_t info;
    sigset_t all;
    char line[64];

    prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (getppid () != parent) /* it ended before that */
        _exit (0);
    sigfillset (&all);
    for (;;)
        if (sigwaitinfo (&all, &info) > 0) {
            int length = snprintf (line, sizeof line, "hit %d %d\n", getpid (), info.si_signo);
            if (write (STDOUT_FILENO, line, length) != length)
                _exit (1);
        }
}

static int take (pid_t pid)
{
    struct clone_args args = {.set_tid = (uint64_t)(uintptr_t)&pid, .set_tid_size = 1};
    pid_t self = getpid ();
    long made = syscall (SYS_clone3, &args, sizeof args);

    if (made == 0)
        live (self);
    if (made < 0 && errno != EEXIST) {
        perror ("clone3");
        exit (1);
    }
    return made > 0;
}

int main (int argc, char **argv)
{
    sigset_t all;
    int taken = 0;

    sigfillset (&all);
    sigprocmask (SIG_BLOCK, &all, NULL);
    printf ("ready\n");
    fflush (stdout);
    for (;;) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        int left = 0;
        for (int i = 1; i < argc; i++) {
            pid_t pid = argv[i] ? atoi (argv[i]) : 0;
            if (pid == 0)
                continue;
            if (take (pid)) {
                argv[i] = NULL;
                taken++;
            } else
                left++;
        }
        if (poll (&input, 1, left ? 0 : -1) > 0)
            break;
    }
    printf ("took %d\n", taken);
    return 0;
}
