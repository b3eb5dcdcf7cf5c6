/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreground_stage: where the tests of foreground play. The test is the caller (a shell, a
 * pipeline), its child is rt and calls foreground_wait with standard streams of the test's making,
 * and that one's child plays the container.
 */
#ifndef TESTS_UNIT_FOREGROUND_STAGE_H
#define TESTS_UNIT_FOREGROUND_STAGE_H

#include "lifecycle/foreground.h"
#include "lifecycle/terminal.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/interrupt.h"
#include "kernel/pidfd.h"
#include "kernel/procfd.h"
#include "kernel/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

enum { RT_FAILED = 250, STAGE_FAILED = 251, RT_LEAKED = 252, ALARM_SECONDS = 600 };

struct stage {
    int (*container) (const struct stage *stage); /* its exit code */
    int (*before) (void);                         /* in rt, first; NULL = nothing */
    bool terminal;                                /* the container has one */
    bool keep_pts;                                /* somebody outlives the container with it */
    int in, out;                                  /* rt's 0 and 1; 0 = closed */
    int report;   /* the container's line to the test, there REPORT; 0 = none */
    bool session; /* rt has a session with `in` as controlling terminal */
    uint64_t bytes;
};

enum { REPORT = 9 };

/* ---- the container ---- */

static inline pid_t begin_container (const struct stage *stage, int pts)
{
    pid_t pid = fork ();
    if (pid != 0)
        return pid;
    sigset_t none;
    (void)prctl (PR_SET_PDEATHSIG, SIGKILL); /* with rt, if the test fails */
    (void)sigemptyset (&none);
    (void)sigprocmask (SIG_SETMASK, &none, NULL);
    for (int number = 1; number <= SIGRTMAX; number++)
        (void)signal (number, SIG_DFL); /* cmocka catches some */
    (void)setsid ();
    if (pts >= 0) {
        if (ioctl (pts, TIOCSCTTY, 0) < 0)
            _exit (STAGE_FAILED);
        for (int fd = 0; fd < 3; fd++)
            (void)dup2 (pts, fd);
    }
    (void)syscall (SYS_close_range, 3, REPORT - 1, 0);
    (void)syscall (SYS_close_range, REPORT + 1, UINT_MAX, 0);
    _exit (stage->container (stage));
}

static inline void set_raw (int fd)
{
    struct termios modes;
    if (tcgetattr (fd, &modes) < 0)
        _exit (STAGE_FAILED);
    cfmakeraw (&modes);
    (void)tcsetattr (fd, TCSANOW, &modes);
}

static inline void report (const void *bytes, size_t length)
{
    if (fd_write_all (REPORT, bytes, length) < 0)
        _exit (STAGE_FAILED);
}

/* ---- rt ---- */

static inline uint64_t open_descriptors (void)
{
    uint64_t set = 0;
    for (int fd = 0; fd < 64; fd++)
        set |= (uint64_t)(fcntl (fd, F_GETFD) >= 0) << fd;
    return set;
}

static inline int be_rt (const struct stage *stage)
{
    struct error err = {.text = ""};
    int ptmx = -1;
    int pts = -1;
    int status;
    const struct notify notify = NOTIFY_INIT;

    if (stage->before && stage->before () != 0)
        return STAGE_FAILED;
    if (foreground_prepare (true, &err) < 0 || interrupt_hold (&err) < 0)
        return RT_FAILED;
    if (stage->terminal) {
        ptmx = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (ptmx < 0 || unlockpt (ptmx) < 0)
            return STAGE_FAILED;
        pts = ioctl (ptmx, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (pts < 0)
            return STAGE_FAILED;
        terminal_copy_size (ptmx);
        if (terminal_keep_newlines (ptmx) < 0)
            return STAGE_FAILED;
    }
    pid_t pid = begin_container (stage, pts);
    int pidfd = (int)syscall (SYS_pidfd_open, pid, 0);
    if (pid < 0 || pidfd < 0)
        return STAGE_FAILED;
    if (pts >= 0)
        (void)close (pts);
    (void)close (REPORT);
    (void)procfd_root (); /* is opened once and stays */
    uint64_t open_before = open_descriptors ();
    int result = foreground_wait (pid, pidfd, ptmx, &notify, &status, &err);
    if (open_descriptors () != open_before)
        return RT_LEAKED;
    (void)close (pidfd);
    if (ptmx >= 0)
        (void)close (ptmx);
    if (result < 0) {
        char text[2048];
        error_format (&err, text, sizeof text);
        (void)dprintf (2, "%s\n", text);
        return RT_FAILED;
    }
    return status;
}

static inline void become_rt (const struct stage *stage)
{
    int nothing = open ("/dev/null", O_RDWR | O_CLOEXEC);
    int in = fcntl (stage->in == 0 ? nothing : stage->in, F_DUPFD, 20);
    int out = fcntl (stage->out == 0 ? nothing : stage->out, F_DUPFD, 20);
    int line = stage->report == 0 ? -1 : fcntl (stage->report, F_DUPFD, 20);

    (void)alarm (ALARM_SECONDS); /* blocked signals do not end a hang: see the test's own alarm */
    (void)dup2 (in, 0);
    (void)dup2 (out, 1);
    if (line >= 0)
        (void)dup2 (line, REPORT);
    (void)syscall (SYS_close_range, 3, REPORT - 1, 0);
    (void)syscall (SYS_close_range, (line >= 0 ? REPORT : REPORT - 1) + 1, UINT_MAX, 0);
    if (stage->session && (setsid () < 0 || ioctl (0, TIOCSCTTY, 0) < 0))
        _exit (STAGE_FAILED);
    _exit (be_rt (stage));
}

/* ---- the test ---- */

static inline pid_t start_rt (const struct stage *stage)
{
    pid_t pid = fork ();
    assert_true (pid >= 0);
    if (pid == 0) {
        /* a hung test ends its rt, which would wait for ever with its signals blocked */
        (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
        become_rt (stage);
    }
    return pid;
}

static inline int wait_for (pid_t pid)
{
    int word;
    assert_int_equal (waitpid (pid, &word, 0), pid);
    assert_true (WIFEXITED (word));
    return WEXITSTATUS (word);
}

static inline void make_pipe (int *from, int *to)
{
    int pair[2];
    assert_int_equal (pipe2 (pair, O_CLOEXEC), 0);
    *from = pair[0];
    *to = pair[1];
}

/* The caller's terminal: cooked, as a shell's. */
static inline void make_terminal (int *ptmx, int *tty)
{
    *ptmx = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true (*ptmx >= 0);
    assert_int_equal (unlockpt (*ptmx), 0);
    *tty = ioctl (*ptmx, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true (*tty >= 0);
}

static inline char read_byte (int fd)
{
    char byte;
    assert_int_equal (read (fd, &byte, 1), 1);
    return byte;
}

/* Everything up to the end of file (EIO of a terminal). */
static inline size_t read_rest (int fd, char *bytes, size_t size)
{
    size_t length = 0;
    for (ssize_t count; length < size; length += (size_t)count)
        if ((count = read (fd, bytes + length, size - length)) <= 0)
            break;
    return length;
}

/* Waits until rt sleeps and is found asleep at twenty looks in a row: who loops is runnable at
 * almost each of them, however busy the machine is. */
static inline void assert_idle (pid_t pid)
{
    for (int looks = 0, asleep = 0; asleep < 20; looks++) {
        uint64_t start;
        char state = 'R';
        assert_true (looks < 30000);
        assert_int_equal (pidfd_start_time (pid, &start, &state), 0);
        asleep = state == 'S' ? asleep + 1 : 0;
        (void)poll (NULL, 0, 1);
    }
}

#endif
