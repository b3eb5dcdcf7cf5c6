/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kill and remove where the easy way is not open: a kernel without cgroup.kill, a process that may
 * not be signalled, a cgroup above that is frozen, processes that stay. Root only; on whatever
 * layout of cgroups the host has.
 */
#include "cgroup_box.h"

#include "kernel/signals.h"
#include "kernel/straggler.h"

#include <sys/resource.h>

/* cgroup.kill came with Linux 5.14: this is how an older kernel answers. The libraries' calls come
 * here, too. */
static bool kernel_is_old;

/* A list of processes that was true a moment ago: what the n-th look at one says, 0 = none does. */
static int stale_look, looks;
static pid_t stale_pid;

static int open_stale (void)
{
    char line[16];
    int fd = memfd_create ("cgroup.procs", MFD_CLOEXEC);
    int length = snprintf (line, sizeof line, "%d\n", (int)stale_pid);

    assert_int_equal (pwrite (fd, line, (size_t)length, 0), length);
    return fd;
}

int openat (int dir, const char *path, int flags, ...)
{
    va_list rest;

    va_start (rest, flags);
    unsigned mode = flags & (O_CREAT | O_TMPFILE) ? va_arg (rest, unsigned) : 0;
    va_end (rest);
    if (kernel_is_old && strcmp (path, "cgroup.kill") == 0) {
        errno = ENOENT;
        return -1;
    }
    if (stale_look > 0 && strcmp (path, "cgroup.procs") == 0 && flags == (O_RDONLY | O_CLOEXEC) &&
        ++looks == stale_look)
        return open_stale ();
    return (int)syscall (SYS_openat, dir, path, flags, mode);
}

static int forks_forever (void *unused)
{
    (void)unused;
    (void)signal (SIGCHLD, SIG_IGN);
    for (;;)
        if (fork () < 0)
            (void)sched_yield ();
    return 0;
}

static size_t process_count (struct box *box)
{
    struct error err = {0};
    pid_t *pids;
    size_t count;

    OK (cgroup_processes (&box->arena, &box->paths, &pids, &count, &err), err);
    return count;
}

/* rows: CGM-24 CGM-31 VRB-39 */
static void without_cgroup_kill (void **state)
{
    struct box *box = *state;
    struct oci_resources resources = {.pids_limit = INT (60)};
    struct error err = {0};

    need (box, "pids");
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    for (int frozen = 0; frozen < 2; frozen++) {
        pid_t pid = spawn (box, frozen, forks_forever, NULL);
        while (process_count (box) < 40)
            ;
        if (frozen)
            OK (cgroup_freeze (&box->paths, true, &err), err);
        kernel_is_old = true;
        int result = cgroup_kill (&box->paths, &err);
        kernel_is_old = false;
        OK (result, err);
        assert_int_equal (cgroup_frozen (&box->paths, &err), 0);
        assert_int_equal (WTERMSIG (wait_for (pid)), SIGKILL);
        while (process_count (box) > 0)
            (void)sched_yield ();
    }
}

enum { HIT = 1, MISSED = 0 };

/* Tells by which signal it was met first: HUP is lower than TERM, and comes first. */
static pid_t canary (void)
{
    sigset_t signals;
    int number;

    (void)sigemptyset (&signals);
    (void)sigaddset (&signals, SIGHUP);
    (void)sigaddset (&signals, SIGTERM);
    (void)sigprocmask (SIG_BLOCK, &signals, NULL);
    pid_t pid = fork ();
    if (pid == 0)
        _exit (sigwait (&signals, &number) != 0 || number == SIGHUP ? HIT : MISSED);
    (void)sigprocmask (SIG_UNBLOCK, &signals, NULL);
    assert_true (pid > 0);
    return pid;
}

static void assert_missed (pid_t pid)
{
    assert_int_equal (kill (pid, SIGTERM), 0);
    int status = wait_for (pid);
    assert_true (WIFEXITED (status));
    assert_int_equal (WEXITSTATUS (status), MISSED);
}

/* rows: VRB-39 CGM-23. Whichever list is the old one. */
static void a_number_that_was_listed_is_not_believed (void **state)
{
    struct box *box = *state;
    struct error err = {0};

    for (stale_look = 1; stale_look <= 4; stale_look++)
        for (int kills = 0; kills < 2; kills++) {
            pid_t pid = spawn (box, false, sleeps, NULL);
            stale_pid = canary ();
            looks = 0;
            kernel_is_old = true;
            int result = kills ? cgroup_kill (&box->paths, &err)
                               : cgroup_signal (&box->paths, SIGHUP, stale_look % 2, &err);
            kernel_is_old = false;
            int saved = stale_look;
            stale_look = 0;
            OK (result, err);
            assert_true (looks > 0);
            assert_missed (stale_pid);
            /* On v1 alone it may still be on its way into the cgroup. */
            assert_int_equal (kill (pid, SIGKILL), 0);
            (void)wait_for (pid);
            stale_look = saved;
        }
    stale_look = 0;
}

/* In a process of its own, as a hard limit cannot be taken back. */
static bool reaches_all_with (struct box *box, const struct rlimit *limit, int number)
{
    struct rlimit after;
    struct error err = {0};
    pid_t pid = fork ();

    assert_true (pid >= 0);
    if (pid == 0) {
        if (setrlimit (RLIMIT_NOFILE, limit) < 0 ||
            cgroup_signal (&box->paths, number, true, &err) < 0 ||
            getrlimit (RLIMIT_NOFILE, &after) < 0)
            _exit (1);
        _exit (after.rlim_cur == limit->rlim_cur ? 0 : 2);
    }
    return wait_for (pid) == 0;
}

/* rows: VRB-39 */
static void more_processes_than_descriptors (void **state)
{
    enum { MANY = 60, FEW = 24 };
    const struct rlimit hard = {.rlim_cur = FEW, .rlim_max = FEW};
    struct box *box = *state;
    struct rlimit soft;
    struct error err = {0};
    pid_t pids[MANY];

    assert_int_equal (getrlimit (RLIMIT_NOFILE, &soft), 0);
    soft.rlim_cur = FEW;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++)
            pids[i] = spawn (box, true, sleeps, NULL);
        assert_true (reaches_all_with (box, round ? &hard : &soft, SIGHUP));
        for (int i = 0; i < MANY; i++)
            assert_int_equal (WTERMSIG (wait_for (pids[i])), SIGHUP);
    }
    assert_int_equal (cgroup_frozen (&box->paths, &err), 0);
}

/* rows: VRB-41. What was frozen before stays so, and gets the signal when it is thawed. */
static void a_signal_thaws_nothing (void **state)
{
    struct box *box = *state;
    struct error err = {0};
    pid_t pid = spawn (box, true, sleeps, NULL);

    OK (cgroup_freeze (&box->paths, true, &err), err);
    OK (cgroup_signal (&box->paths, SIGHUP, true, &err), err);
    assert_int_equal (cgroup_frozen (&box->paths, &err), 1);
    OK (cgroup_freeze (&box->paths, false, &err), err);
    assert_int_equal (WTERMSIG (wait_for (pid)), SIGHUP);
}

/* Sleeps as somebody whom the caller below may not signal. */
static int sleeps_as_other (void *unused)
{
    (void)unused;
    return setresgid (4321, 4321, 4321) < 0 || setresuid (4321, 4321, 4321) < 0 ? 1 : sleeps (NULL);
}

static bool is_other (pid_t pid)
{
    struct stat process;
    char path[32];

    (void)snprintf (path, sizeof path, "/proc/%d", (int)pid);
    return stat (path, &process) == 0 && process.st_uid == 4321;
}

/* rows: VRB-42 */
static void a_kill_that_fails_leaves_nothing_frozen (void **state)
{
    struct box *box = *state;
    bool v1 = cgroup_path_of (&box->paths, "freezer") != NULL;
    const char *freezer = cgroup_path_of (&box->paths, v1 ? "freezer" : "");
    const char *file =
        arena_printf (&box->arena, "%s/%s", freezer, v1 ? "freezer.state" : "cgroup.freeze");
    pid_t pid = spawn (box, true, sleeps_as_other, NULL);
    struct error err = {0};

    while (!is_other (pid))
        (void)sched_yield ();
    assert_int_equal (chown (file, 65534, (gid_t)-1), 0);
    /* The real id stays 0, and root's own processes could be signalled; this one cannot. */
    kernel_is_old = true;
    assert_int_equal (setresuid ((uid_t)-1, 65534, (uid_t)-1), 0);
    int result = cgroup_kill (&box->paths, &err);
    assert_int_equal (setresuid ((uid_t)-1, 0, (uid_t)-1), 0);
    kernel_is_old = false;
    assert_int_equal (result, -1);
    assert_int_equal (err.errnum, EPERM);
    assert_non_null (strstr (err.text, "send signal 9"));
    assert_int_equal (cgroup_frozen (&box->paths, &err), 0);
    OK (cgroup_kill (&box->paths, &err), err);
    assert_int_equal (WTERMSIG (wait_for (pid)), SIGKILL);
}

/* The directories above the box's. */
static struct oci_map above (struct box *box)
{
    struct oci_map map = {.items = arena_array (&box->arena, box->paths.count, sizeof *map.items),
                          .count = box->paths.count,
                          .present = true};

    for (size_t i = 0; i < map.count; i++) {
        map.items[i].key = box->paths.items[i].key;
        map.items[i].value = arena_string (&box->arena, box->paths.items[i].value);
        *strrchr (map.items[i].value, '/') = '\0';
    }
    return map;
}

/* rows: CGM-25 VRB-40 VRB-41 */
static void below_a_frozen_cgroup (void **state)
{
    struct box *box = *state;
    const struct oci_map parent = above (box);
    pid_t pid = spawn (box, true, sleeps, NULL);
    struct error err = {0};

    OK (cgroup_freeze (&parent, true, &err), err);
    assert_int_equal (cgroup_frozen (&box->paths, &err), 1);
    assert_int_equal (cgroup_freeze (&box->paths, false, &err), -1); /* and it does not wait */
    assert_string_equal (err.hint, "a cgroup above it is frozen: thaw that one first");
    assert_int_equal (kill (pid, SIGKILL), 0);
    if (cgroup_path_of (&box->paths, "freezer")) {
        err = (struct error){0};
        assert_int_equal (cgroup_let_die (&box->paths, &err), -1);
        assert_string_equal (err.hint, "a cgroup above it is frozen: thaw that one first");
        OK (cgroup_freeze (&parent, false, &err), err);
    }
    OK (cgroup_let_die (&box->paths, &err), err);
    assert_int_equal (WTERMSIG (wait_for (pid)), SIGKILL); /* v2: though it is frozen still */
    OK (cgroup_freeze (&parent, false, &err), err);
}

/* rows: VRB-28 CGM-23 */
static void who_is_left_is_told (void **state)
{
    struct box *box = *state;
    pid_t pid = spawn (box, true, sleeps, NULL);
    struct error err = {0};
    char message[2048];

    assert_int_equal (cgroup_remove (&box->paths, CGROUP_EXITING_MS, &err), -1);
    assert_int_equal (err.errnum, EBUSY);
    error_format (&err, message, sizeof message);
    const char *wanted = arena_printf (&box->arena, "left: %d (test_cgroup_kil), ", (int)pid);
    const char *told = strstr (message, wanted);
    /* R: the child was let go, and has had no processor since. */
    char letter = '?';
    if (told)
        letter = told[strlen (wanted)];
    if (letter != 'S' && letter != 'R')
        fail_msg ("no '%s' in '%s'", wanted, message);
    OK (cgroup_kill (&box->paths, &err), err);
    (void)wait_for (pid);
}

static void a_straggler_is_described (void **state)
{
    AUTO_TEXT struct text text = {0}, many = {0};
    char wanted[64];
    pid_t pids[40];
    int gate[2];

    (void)state;
    assert_int_equal (pipe (gate), 0);
    pids[0] = fork ();
    if (pids[0] == 0) {
        static const char name[] = "a) b\n(c";
        char c;
        (void)close (gate[1]);
        int fd = open ("/proc/self/comm", O_WRONLY | O_CLOEXEC);
        (void)!write (fd, name, sizeof name - 1);
        (void)kill (getpid (), SIGSTOP);
        _exit ((int)read (gate[0], &c, 1));
    }
    assert_int_equal (waitpid (pids[0], NULL, WUNTRACED), pids[0]);
    assert_true (straggler_describe (pids[0], &text));
    (void)snprintf (wanted, sizeof wanted, "%d (a) b?(c), T", (int)pids[0]);
    assert_true (text_starts_with (text_string (&text), wanted));
    for (size_t i = 1; i < sizeof pids / sizeof pids[0]; i++)
        pids[i] = pids[0];
    stragglers_describe (pids, sizeof pids / sizeof pids[0], &many);
    assert_true (text_starts_with (text_string (&many), text_string (&text)));
    assert_non_null (strstr (text_string (&many), " more"));
    assert_true (many.length < sizeof ((struct error *)0)->hint);
    assert_int_equal (kill (pids[0], SIGKILL), 0);
    (void)wait_for (pids[0]);
    text.length = 0;
    assert_false (straggler_describe (pids[0], &text));
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, begin, end)

int main (void)
{
    /* A shell in the background, or nohup, starts the tests with some ignored. */
    signals_reset (SIGNALS_ALL);

    const struct CMUnitTest tests[] = {
        TEST (without_cgroup_kill),
        TEST (a_number_that_was_listed_is_not_believed),
        TEST (more_processes_than_descriptors),
        TEST (a_signal_thaws_nothing),
        TEST (a_kill_that_fails_leaves_nothing_frozen),
        TEST (below_a_frozen_cgroup),
        TEST (who_is_left_is_told),
        cmocka_unit_test (a_straggler_is_described),
    };

    if (geteuid () != 0 || cgroup_layout () == CGROUP_NONE) {
        print_message ("SKIP: needs root and a host with cgroups\n");
        return 77;
    }
    return cmocka_run_group_tests (tests, NULL, NULL);
}
