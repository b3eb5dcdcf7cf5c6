/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreground: exit status, reaping, signals, and that no byte is lost whatever the streams are.
 */
#include "foreground_stage.h"

/* ---- exit status, reaping, signals ---- */

static int exit_with_bytes (const struct stage *stage)
{
    return (int)stage->bytes;
}

static int die_by_bytes (const struct stage *stage)
{
    (void)kill (getpid (), (int)stage->bytes);
    return STAGE_FAILED;
}

/* rows: CRT-16 */
static void test_exit_status (void **state)
{
    (void)state;
    static const int codes[] = {0, 1, 7, 127, 128, 254};
    const int signals[] = {SIGKILL, SIGTERM, SIGHUP, SIGRTMIN + 1};

    for (int terminal = 0; terminal < 2; terminal++) {
        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
            struct stage stage = {
                .container = exit_with_bytes, .terminal = terminal, .bytes = (uint64_t)codes[i]};
            assert_int_equal (wait_for (start_rt (&stage)), codes[i]);
        }
        for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
            struct stage stage = {
                .container = die_by_bytes, .terminal = terminal, .bytes = (uint64_t)signals[i]};
            assert_int_equal (wait_for (start_rt (&stage)), 128 + signals[i]);
        }
    }
}

static int ignore_children (void)
{
    return signal (SIGCHLD, SIG_IGN) == SIG_ERR;
}

/* A caller that ignores SIGCHLD must not cost the exit status. */
/* rows: CRT-16 */
static void test_inherited_ignored_sigchld (void **state)
{
    (void)state;
    struct stage stage = {.container = exit_with_bytes, .bytes = 5, .before = ignore_children};
    assert_int_equal (wait_for (start_rt (&stage)), 5);
}

/* Leaves an orphan, sees who adopts it, and waits until that one has reaped it. */
static int leave_orphan (const struct stage *stage)
{
    int numbers[2];
    int go[2];
    pid_t orphan, adopter;

    (void)stage;
    if (pipe2 (numbers, O_CLOEXEC) < 0 || pipe2 (go, O_CLOEXEC) < 0)
        return STAGE_FAILED;
    pid_t parent = fork ();
    if (parent == 0) {
        orphan = fork ();
        if (orphan > 0)
            _exit (write (numbers[1], &orphan, sizeof orphan) == sizeof orphan ? 0 : 1);
        (void)read_byte (go[0]);
        adopter = getppid ();
        _exit (write (numbers[1], &adopter, sizeof adopter) == sizeof adopter ? 9 : 1);
    }
    if (read (numbers[0], &orphan, sizeof orphan) != sizeof orphan ||
        waitpid (parent, NULL, 0) != parent || write (go[1], "g", 1) != 1 ||
        read (numbers[0], &adopter, sizeof adopter) != sizeof adopter || adopter != getppid ())
        return STAGE_FAILED;
    while (kill (orphan, 0) == 0)
        (void)sched_yield ();
    return 3;
}

/* rows: CRT-23 */
static void test_orphans_are_reaped (void **state)
{
    (void)state;
    struct stage stage = {.container = leave_orphan};
    assert_int_equal (wait_for (start_rt (&stage)), 3);
}

/* Tells each signal that arrives; SIGUSR2 is the last. */
static int tell_signals (const struct stage *stage)
{
    sigset_t all;
    char number = 0;

    (void)stage;
    (void)sigfillset (&all);
    (void)sigprocmask (SIG_BLOCK, &all, NULL);
    report (&number, 1);
    while (number != SIGUSR2) {
        int signal = sigwaitinfo (&all, NULL);
        if (signal < 0)
            continue;
        number = (char)signal;
        report (&number, 1);
    }
    return 0;
}

static void check_forwarding (bool terminal)
{
    AUTO_FD int from = -1;
    AUTO_FD int to = -1;
    make_pipe (&from, &to);
    struct stage stage = {.container = tell_signals, .report = to, .terminal = terminal};
    pid_t rt = start_rt (&stage);

    drop_fd (&to);
    assert_int_equal (read_byte (from), 0);
    for (int signal = 1; signal <= SIGRTMAX; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP || signal == SIGCHLD || signal == SIGUSR2)
            continue;
        if (signal > SIGSYS && signal < SIGRTMIN)
            continue;
        if (terminal && (signal == SIGWINCH || signal == SIGTTIN || signal == SIGTTOU))
            continue;
        assert_int_equal (kill (rt, signal), 0);
        assert_int_equal (read_byte (from), signal);
    }
    assert_int_equal (kill (rt, SIGUSR2), 0);
    assert_int_equal (read_byte (from), SIGUSR2);
    assert_int_equal (wait_for (rt), 0);
}

/* rows: CRT-22 EXE-41 */
static void test_signals_are_forwarded (void **state)
{
    (void)state;
    check_forwarding (false);
    check_forwarding (true);
}

static int ignore_hangup (void)
{
    return signal (SIGHUP, SIG_IGN) == SIG_ERR;
}

/* nohup: neither rt nor the container hears the SIGHUP. */
static void test_ignored_hangup (void **state)
{
    (void)state;
    AUTO_FD int from = -1;
    AUTO_FD int to = -1;
    make_pipe (&from, &to);
    struct stage stage = {.container = tell_signals, .report = to, .before = ignore_hangup};
    pid_t rt = start_rt (&stage);

    assert_int_equal (read_byte (from), 0);
    assert_int_equal (kill (rt, SIGHUP), 0);
    assert_int_equal (kill (rt, SIGUSR2), 0);
    assert_int_equal (read_byte (from), SIGUSR2);
    assert_int_equal (wait_for (rt), 0);
}

/* ---- bytes ---- */

static char byte_at (uint64_t place)
{
    return (char)(place * 7 % 251);
}

/* Gives back what it gets, `bytes` of them. */
static int echo (const struct stage *stage)
{
    static char block[16384];

    set_raw (0);
    report ("r", 1);
    for (uint64_t done = 0; done < stage->bytes;) {
        ssize_t count = read (0, block, sizeof block);
        if (count <= 0 || fd_write_all (1, block, (size_t)count) < 0)
            return STAGE_FAILED;
        done += (uint64_t)count;
    }
    return 0;
}

/* Feeds and eats at the same time, the way a program with two pipes must. */
static void feed_and_compare (int feeder, int eater, uint64_t total)
{
    static char block[65536];
    uint64_t fed = 0, eaten = 0;

    (void)fcntl (feeder, F_SETFL, O_NONBLOCK);
    while (eaten < total) {
        struct pollfd polls[2] = {{.fd = eater, .events = POLLIN},
                                  {.fd = fed < total ? feeder : -1, .events = POLLOUT}};
        assert_true (poll (polls, 2, -1) > 0);
        if (polls[1].revents) {
            size_t size = total - fed < sizeof block ? (size_t)(total - fed) : sizeof block;
            for (size_t i = 0; i < size; i++)
                block[i] = byte_at (fed + i);
            ssize_t count = write (feeder, block, size);
            assert_true (count > 0 || errno == EAGAIN);
            fed += count > 0 ? (uint64_t)count : 0;
        }
        if (polls[0].revents) {
            ssize_t count = read (eater, block, sizeof block);
            assert_true (count > 0);
            for (ssize_t i = 0; i < count; i++)
                if (block[i] != byte_at (eaten + (uint64_t)i))
                    fail_msg ("byte %llu differs", (unsigned long long)eaten + (uint64_t)i);
            eaten += (uint64_t)count;
        }
    }
}

/* rows: TTY-12 TTY-14 */
static void test_many_bytes_both_ways (void **state)
{
    (void)state;
    const uint64_t total = 100 * 1024 * 1024;
    AUTO_FD int in = -1;
    AUTO_FD int feeder = -1;
    AUTO_FD int out = -1;
    AUTO_FD int eater = -1;
    AUTO_FD int line = -1;
    AUTO_FD int tell = -1;
    char rest;

    make_pipe (&in, &feeder);
    make_pipe (&eater, &out);
    make_pipe (&line, &tell);
    struct stage stage = {
        .container = echo, .terminal = true, .in = in, .out = out, .report = tell, .bytes = total};
    pid_t rt = start_rt (&stage);
    assert_int_equal (read_byte (line), 'r');
    assert_int_equal (fcntl (in, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal (fcntl (out, F_GETFL) & O_NONBLOCK, 0);
    drop_fd (&out);
    feed_and_compare (feeder, eater, total);
    assert_int_equal (wait_for (rt), 0);
    assert_int_equal (read (eater, &rest, 1), 0);
}

/* Writes `bytes` and is gone at once; with keep_pts somebody else keeps the terminal. */
static int write_and_die (const struct stage *stage)
{
    static char block[65536];
    pid_t known = getpid ();

    set_raw (0);
    if (stage->keep_pts) {
        (void)signal (SIGHUP, SIG_IGN); /* the keeper gets it when the session's leader dies */
        known = fork ();
        while (known == 0)
            (void)pause ();
    }
    if (stage->report > 0)
        report (&known, sizeof known);
    for (uint64_t done = 0; done < stage->bytes;) {
        size_t size =
            stage->bytes - done < sizeof block ? (size_t)(stage->bytes - done) : sizeof block;
        for (size_t i = 0; i < size; i++)
            block[i] = byte_at (done + i);
        if (fd_write_all (1, block, size) < 0)
            return STAGE_FAILED;
        done += size;
    }
    return 7;
}

static void expect_stream (int fd, uint64_t total)
{
    static char block[65536];
    uint64_t got = 0;
    for (ssize_t count; (count = read (fd, block, sizeof block)) > 0; got += (uint64_t)count)
        for (ssize_t i = 0; i < count; i++)
            assert_int_equal (block[i], byte_at (got + (uint64_t)i));
    assert_int_equal (got, total);
}

/* rows: TTY-12 EXE-41 */
static void test_no_tail_is_lost (void **state)
{
    (void)state;
    for (uint64_t bytes = 0; bytes < 200 * 1000; bytes = bytes * 2 + 1) {
        AUTO_FD int out = -1;
        AUTO_FD int eater = -1;
        make_pipe (&eater, &out);
        struct stage stage = {
            .container = write_and_die, .terminal = true, .out = out, .bytes = bytes};
        pid_t rt = start_rt (&stage);
        drop_fd (&out);
        expect_stream (eater, bytes);
        assert_int_equal (wait_for (rt), 7);
    }
}

/* The reader looks only when rt has nothing left to do but wait for it. */
/* rows: TTY-12 */
static void test_slow_reader (void **state)
{
    (void)state;
    AUTO_FD int out = -1;
    AUTO_FD int eater = -1;
    make_pipe (&eater, &out);
    struct stage stage = {
        .container = write_and_die, .terminal = true, .out = out, .bytes = 300 * 1000};
    pid_t rt = start_rt (&stage);

    drop_fd (&out);
    assert_idle (rt);
    expect_stream (eater, 300 * 1000);
    assert_int_equal (wait_for (rt), 7);
}

/* What outlives the container is the test's own to end: it has been made a subreaper. */
static void end_survivor (pid_t survivor)
{
    assert_int_equal (kill (survivor, SIGKILL), 0);
    assert_int_equal (waitpid (survivor, NULL, 0), survivor);
}

/* Somebody else has the terminal open: rt does not wait for that one. */
/* rows: EXE-41 */
static void test_terminal_kept_by_another (void **state)
{
    (void)state;
    (void)prctl (PR_SET_CHILD_SUBREAPER, 1);
    for (uint64_t bytes = 1; bytes < 100 * 1000; bytes = bytes * 9 + 1) {
        AUTO_FD int out = -1;
        AUTO_FD int eater = -1;
        AUTO_FD int line = -1;
        AUTO_FD int tell = -1;
        pid_t keeper;
        make_pipe (&eater, &out);
        make_pipe (&line, &tell);
        struct stage stage = {.container = write_and_die,
                              .terminal = true,
                              .out = out,
                              .report = tell,
                              .keep_pts = true,
                              .bytes = bytes};
        pid_t rt = start_rt (&stage);
        drop_fd (&out);
        expect_stream (eater, bytes);
        assert_int_equal (wait_for (rt), 7);
        assert_int_equal (read (line, &keeper, sizeof keeper), sizeof keeper);
        end_survivor (keeper);
    }
    (void)prctl (PR_SET_CHILD_SUBREAPER, 0);
}

/* A child that writes for ever outlives the container's process. */
static int leave_writer (const struct stage *stage)
{
    (void)stage;
    set_raw (0);
    if (fork () == 0) {
        static char block[4096];
        (void)setsid ();
        pid_t self = getpid ();
        report (&self, sizeof self);
        while (write (1, block, sizeof block) > 0)
            ;
        _exit (0);
    }
    (void)signal (SIGUSR1, SIG_DFL);
    for (;;)
        (void)pause ();
}

/* rows: EXE-41 */
static void test_writer_without_end (void **state)
{
    (void)state;
    AUTO_FD int line = -1;
    AUTO_FD int tell = -1;
    pid_t writer;
    AUTO_FD int nowhere = open ("/dev/null", O_RDWR | O_CLOEXEC);

    make_pipe (&line, &tell);
    (void)prctl (PR_SET_CHILD_SUBREAPER, 1);
    struct stage stage = {
        .container = leave_writer, .terminal = true, .in = nowhere, .out = nowhere, .report = tell};
    pid_t rt = start_rt (&stage);
    assert_int_equal (read (line, &writer, sizeof writer), sizeof writer);
    assert_int_equal (kill (rt, SIGUSR1), 0);
    assert_int_equal (wait_for (rt), 128 + SIGUSR1);
    end_survivor (writer);
    (void)prctl (PR_SET_CHILD_SUBREAPER, 0);
}

/* rows: TTY-12 */
static void test_lost_output (void **state)
{
    (void)state;
    AUTO_FD int full = open ("/dev/full", O_WRONLY | O_CLOEXEC);
    AUTO_FD int out = -1;
    AUTO_FD int eater = -1;
    make_pipe (&eater, &out);
    drop_fd (&eater);
    int outputs[] = {out, full};

    for (size_t i = 0; i < 2; i++) {
        struct stage stage = {
            .container = write_and_die, .terminal = true, .out = outputs[i], .bytes = 500 * 1000};
        /* 7, not 128 + SIGPIPE: what rt's own write raises is not for the container */
        assert_int_equal (wait_for (start_rt (&stage)), 7);
    }
}

/* After the container's end only its output keeps rt; a signal ends that too. */
static void test_nobody_reads_and_somebody_says_stop (void **state)
{
    (void)state;
    AUTO_FD int out = -1;
    AUTO_FD int eater = -1;
    AUTO_FD int line = -1;
    AUTO_FD int tell = -1;
    pid_t container;

    make_pipe (&eater, &out);
    make_pipe (&line, &tell);
    (void)fcntl (out, F_SETPIPE_SZ, 4096);
    struct stage stage = {.container = write_and_die,
                          .terminal = true,
                          .out = out,
                          .report = tell,
                          .bytes = 60 * 1000};
    pid_t rt = start_rt (&stage);
    assert_int_equal (read (line, &container, sizeof container), sizeof container);
    while (kill (container, 0) == 0)
        (void)sched_yield (); /* until rt has reaped it */
    assert_idle (rt);
    assert_int_equal (waitpid (rt, NULL, WNOHANG), 0);
    assert_int_equal (kill (rt, SIGTERM), 0);
    assert_int_equal (wait_for (rt), 7);
}

/* rows: TTY-13 CRT-21 */
static void test_input_is_no_terminal (void **state)
{
    (void)state;
    AUTO_FD int nothing = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    AUTO_FD int closed = -1;
    AUTO_FD int feeder = -1;
    make_pipe (&closed, &feeder);
    drop_fd (&feeder);
    int inputs[] = {nothing, closed};

    for (size_t i = 0; i < 2; i++) {
        AUTO_FD int out = -1;
        AUTO_FD int eater = -1;
        make_pipe (&eater, &out);
        struct stage stage = {.container = write_and_die,
                              .terminal = true,
                              .in = inputs[i],
                              .out = out,
                              .bytes = 1000};
        pid_t rt = start_rt (&stage);
        drop_fd (&out);
        expect_stream (eater, 1000);
        assert_int_equal (wait_for (rt), 7);
    }
}

/* rows: TTY-12 */
static void test_stopped_and_continued (void **state)
{
    (void)state;
    const uint64_t total = 3 * 1024 * 1024;
    AUTO_FD int in = -1;
    AUTO_FD int feeder = -1;
    AUTO_FD int out = -1;
    AUTO_FD int eater = -1;
    AUTO_FD int line = -1;
    AUTO_FD int tell = -1;

    make_pipe (&in, &feeder);
    make_pipe (&eater, &out);
    make_pipe (&line, &tell);
    struct stage stage = {
        .container = echo, .terminal = true, .in = in, .out = out, .report = tell, .bytes = total};
    pid_t rt = start_rt (&stage);
    assert_int_equal (read_byte (line), 'r');
    pid_t pest = fork ();
    assert_true (pest >= 0);
    if (pest == 0) {
        for (int i = 0; i < 300; i++) {
            (void)kill (rt, SIGSTOP);
            (void)sched_yield ();
            (void)kill (rt, SIGCONT);
            (void)sched_yield ();
        }
        _exit (0);
    }
    feed_and_compare (feeder, eater, total);
    assert_int_equal (wait_for (pest), 0);
    assert_int_equal (wait_for (rt), 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_exit_status),
        cmocka_unit_test (test_inherited_ignored_sigchld),
        cmocka_unit_test (test_orphans_are_reaped),
        cmocka_unit_test (test_signals_are_forwarded),
        cmocka_unit_test (test_ignored_hangup),
        cmocka_unit_test (test_many_bytes_both_ways),
        cmocka_unit_test (test_no_tail_is_lost),
        cmocka_unit_test (test_slow_reader),
        cmocka_unit_test (test_terminal_kept_by_another),
        cmocka_unit_test (test_writer_without_end),
        cmocka_unit_test (test_lost_output),
        cmocka_unit_test (test_nobody_reads_and_somebody_says_stop),
        cmocka_unit_test (test_input_is_no_terminal),
        cmocka_unit_test (test_stopped_and_continued),
    };
    signals_reset (
        SIGNALS_ALL); /* the caller of the tests may ignore some: nohup, a shell in the background
                       */
    (void)signal (SIGPIPE, SIG_IGN);
    (void)alarm (ALARM_SECONDS);
    return cmocka_run_group_tests (tests, NULL, NULL);
}
