/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreground with the caller's own terminal: modes, sizes, keys, job control.
 */
#include "foreground_stage.h"

static int print_lines (const struct stage *stage)
{
    (void)stage;
    return fd_write_all (1, "a\nb\n", 4) < 0;
}

/* rows: TTY-11 */
static void test_newlines (void **state)
{
    (void)state;
    char got[64];
    AUTO_FD int out = -1;
    AUTO_FD int eater = -1;
    AUTO_FD int ptmx = -1;
    AUTO_FD int tty = -1;

    make_pipe (&eater, &out);
    struct stage piped = {.container = print_lines, .terminal = true, .out = out};
    pid_t rt = start_rt (&piped);
    drop_fd (&out);
    assert_int_equal (read_rest (eater, got, sizeof got), 4);
    assert_memory_equal (got, "a\nb\n", 4);
    assert_int_equal (wait_for (rt), 0);

    make_terminal (&ptmx, &tty);
    struct stage shown = {.container = print_lines, .terminal = true, .in = tty, .out = tty};
    rt = start_rt (&shown);
    assert_int_equal (wait_for (rt), 0);
    drop_fd (&tty);
    assert_int_equal (read_rest (ptmx, got, sizeof got), 6);
    assert_memory_equal (got, "a\r\nb\r\n", 6);
}

/* ---- the caller's terminal ---- */

/* "ready", then each of: SIGINT of its own terminal, SIGWINCH with the new size. */
static int watch_terminal (const struct stage *stage)
{
    sigset_t wanted;
    struct winsize size;

    (void)stage;
    (void)sigemptyset (&wanted);
    (void)sigaddset (&wanted, SIGINT);
    (void)sigaddset (&wanted, SIGWINCH);
    (void)sigprocmask (SIG_BLOCK, &wanted, NULL);
    if (ioctl (0, TIOCGWINSZ, &size) < 0)
        return STAGE_FAILED;
    report (&size, sizeof size);
    (void)fd_write_all (1, "!", 1);
    for (;;) {
        int signal = sigwaitinfo (&wanted, NULL);
        if (signal == SIGINT)
            return 33;
        if (signal != SIGWINCH || ioctl (0, TIOCGWINSZ, &size) < 0)
            return STAGE_FAILED;
        report (&size, sizeof size);
    }
}

static bool same_modes (const struct termios *a, const struct termios *b)
{
    return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
           a->c_lflag == b->c_lflag && memcmp (a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}

/* rows: TTY-03 TTY-10 TTY-11 TTY-14 EXE-41 */
static void test_callers_terminal (void **state)
{
    (void)state;
    AUTO_FD int ptmx = -1;
    AUTO_FD int tty = -1;
    AUTO_FD int line = -1;
    AUTO_FD int tell = -1;
    struct termios before, during, after;
    struct winsize size = {.ws_row = 33, .ws_col = 99};

    make_terminal (&ptmx, &tty);
    make_pipe (&line, &tell);
    assert_int_equal (ioctl (ptmx, TIOCSWINSZ, &size), 0);
    assert_int_equal (tcgetattr (tty, &before), 0);
    struct stage stage = {.container = watch_terminal,
                          .terminal = true,
                          .in = tty,
                          .out = tty,
                          .report = tell,
                          .session = true};
    pid_t rt = start_rt (&stage);

    /* the program finds the right size when it starts */
    assert_int_equal (read (line, &size, sizeof size), sizeof size);
    assert_int_equal (size.ws_row, 33);
    assert_int_equal (size.ws_col, 99);

    assert_int_equal (read_byte (ptmx), '!');
    assert_int_equal (tcgetattr (tty, &during), 0);
    assert_int_equal (during.c_lflag & (ICANON | ECHO | ISIG | IEXTEN), 0);
    assert_int_equal (during.c_iflag & (ICRNL | IXON), 0);
    assert_int_equal (during.c_oflag, before.c_oflag);
    assert_int_equal (fcntl (tty, F_GETFL) & O_NONBLOCK, 0);

    /* a storm of sizes: the last one counts */
    for (unsigned short i = 1; i <= 500; i++) {
        size = (struct winsize){.ws_row = i, .ws_col = (unsigned short)(i * 2)};
        assert_int_equal (ioctl (ptmx, TIOCSWINSZ, &size), 0);
    }
    do
        assert_int_equal (read (line, &size, sizeof size), sizeof size);
    while (size.ws_row != 500);
    assert_int_equal (size.ws_col, 1000);

    /* ^C is a byte for the container's terminal, which makes the signal */
    assert_int_equal (write (ptmx, "\x03", 1), 1);
    assert_int_equal (wait_for (rt), 33);
    assert_int_equal (tcgetattr (tty, &after), 0);
    assert_true (same_modes (&before, &after));
    assert_int_equal (fcntl (tty, F_GETFL) & O_NONBLOCK, 0);
}

/* rows: TTY-10 */
static void test_terminal_restored_when_signalled (void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGHUP, SIGQUIT, SIGSEGV};

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        AUTO_FD int ptmx = -1;
        AUTO_FD int tty = -1;
        AUTO_FD int line = -1;
        AUTO_FD int tell = -1;
        struct termios before, after;
        struct winsize size;

        make_terminal (&ptmx, &tty);
        make_pipe (&line, &tell);
        assert_int_equal (tcgetattr (tty, &before), 0);
        struct stage stage = {.container = watch_terminal,
                              .terminal = true,
                              .in = tty,
                              .out = tty,
                              .report = tell,
                              .session = true};
        pid_t rt = start_rt (&stage);
        assert_int_equal (read (line, &size, sizeof size), sizeof size);
        assert_int_equal (read_byte (ptmx), '!');
        assert_int_equal (kill (rt, signals[i]), 0);
        assert_int_equal (wait_for (rt), 128 + signals[i]);
        assert_int_equal (tcgetattr (tty, &after), 0);
        assert_true (same_modes (&before, &after));
    }
}

/* A shell with job control starts rt in the background: it stops like any program that wants the
 * terminal, leaves the shell's modes alone, and goes on when it is brought to the front. */
static int be_shell (const struct stage *stage)
{
    struct termios before, seen;
    int word;

    if (setsid () < 0 || ioctl (stage->in, TIOCSCTTY, 0) < 0 || tcgetattr (stage->in, &before) < 0)
        return 1;
    (void)signal (SIGTTOU, SIG_IGN);
    pid_t rt = fork ();
    if (rt == 0) {
        (void)signal (SIGTTOU, SIG_DFL);
        (void)setpgid (0, 0);
        become_rt (stage);
    }
    (void)setpgid (rt, rt);
    if (waitpid (rt, &word, WUNTRACED) != rt || !WIFSTOPPED (word) || WSTOPSIG (word) != SIGTTOU)
        return 2;
    if (tcgetattr (stage->in, &seen) < 0 || !same_modes (&before, &seen))
        return 3;
    if (tcsetpgrp (stage->in, rt) < 0 || kill (-rt, SIGCONT) < 0)
        return 4;
    if (waitpid (rt, &word, 0) != rt || !WIFEXITED (word) || WEXITSTATUS (word) != 33)
        return 5;
    if (tcsetpgrp (stage->in, getpgrp ()) < 0 || tcgetattr (stage->in, &seen) < 0 ||
        !same_modes (&before, &seen))
        return 6;
    return 0;
}

static void test_started_in_the_background (void **state)
{
    (void)state;
    AUTO_FD int ptmx = -1;
    AUTO_FD int tty = -1;
    AUTO_FD int line = -1;
    AUTO_FD int tell = -1;

    make_terminal (&ptmx, &tty);
    make_pipe (&line, &tell);
    struct stage stage = {
        .container = watch_terminal, .terminal = true, .in = tty, .out = tty, .report = tell};
    pid_t shell = fork ();
    assert_true (shell >= 0);
    if (shell == 0)
        _exit (be_shell (&stage));
    assert_int_equal (read_byte (ptmx), '!');
    assert_int_equal (write (ptmx, "\x03", 1), 1);
    assert_int_equal (wait_for (shell), 0);
}

/* As a getty does it: everybody closes the terminal, somebody opens it again. */
static int close_and_reopen (const struct stage *stage)
{
    char name[64];
    char go;
    sigset_t usr;

    (void)stage;
    (void)signal (SIGHUP, SIG_IGN);
    (void)sigemptyset (&usr);
    (void)sigaddset (&usr, SIGUSR1);
    (void)sigprocmask (SIG_BLOCK, &usr, NULL);
    if (ttyname_r (0, name, sizeof name) != 0)
        return STAGE_FAILED;
    for (int fd = 0; fd < 3; fd++)
        (void)close (fd);
    report ("c", 1);
    if (sigwaitinfo (&usr, NULL) != SIGUSR1)
        return STAGE_FAILED;
    int tty = open (name, O_RDWR | O_NOCTTY);
    if (tty < 0 || fd_write_all (tty, "back\n", 5) < 0 || read (tty, &go, 1) != 1)
        return STAGE_FAILED;
    return go;
}

/* rows: TTY-12 */
static void test_terminal_closed_and_opened_again (void **state)
{
    (void)state;
    AUTO_FD int in = -1;
    AUTO_FD int feeder = -1;
    AUTO_FD int out = -1;
    AUTO_FD int eater = -1;
    AUTO_FD int line = -1;
    AUTO_FD int tell = -1;
    char got[5];

    make_pipe (&in, &feeder);
    make_pipe (&eater, &out);
    make_pipe (&line, &tell);
    struct stage stage = {
        .container = close_and_reopen, .terminal = true, .in = in, .out = out, .report = tell};
    pid_t rt = start_rt (&stage);
    assert_int_equal (read_byte (line), 'c');
    assert_idle (rt);
    assert_int_equal (kill (rt, SIGUSR1), 0);
    assert_int_equal (read_rest (eater, got, sizeof got), 5);
    assert_memory_equal (got, "back\n", 5);
    assert_int_equal (write (feeder, "\x2a\n", 2), 2);
    assert_int_equal (wait_for (rt), 0x2a);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_newlines),
        cmocka_unit_test (test_callers_terminal),
        cmocka_unit_test (test_terminal_restored_when_signalled),
        cmocka_unit_test (test_started_in_the_background),
        cmocka_unit_test (test_terminal_closed_and_opened_again),
    };
    signals_reset (
        SIGNALS_ALL); /* the caller of the tests may ignore some: nohup, a shell in the background
                       */
    (void)signal (SIGPIPE, SIG_IGN);
    (void)alarm (ALARM_SECONDS);
    return cmocka_run_group_tests (tests, NULL, NULL);
}
