/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kill and remove where the easy way is not open: a kernel without cgroup.kill, a process that may
 * not be signalled, a cgroup above that is frozen, processes that stay. Root only; on whatever
 * layout of cgroups the host has.
 */
#include "cgroup_box.h"

#include "kernel/straggler.h"

/* cgroup.kill came with Linux 5.14: this is how an older kernel answers. The libraries' calls come
 * here, too. */
static bool kernel_is_old;

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
        int result = cgroup_kill (&box->paths, SIGKILL, &err);
        kernel_is_old = false;
        OK (result, err);
        assert_int_equal (cgroup_frozen (&box->paths, &err), 0);
        assert_int_equal (WTERMSIG (wait_for (pid)), SIGKILL);
        while (process_count (box) > 0)
            (void)sched_yield ();
    }
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
    int result = cgroup_kill (&box->paths, SIGKILL, &err);
    assert_int_equal (setresuid ((uid_t)-1, 0, (uid_t)-1), 0);
    kernel_is_old = false;
    assert_int_equal (result, -1);
    assert_int_equal (err.errnum, EPERM);
    assert_non_null (strstr (err.text, "send signal 9"));
    assert_int_equal (cgroup_frozen (&box->paths, &err), 0);
    OK (cgroup_kill (&box->paths, SIGKILL, &err), err);
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
    OK (cgroup_kill (&box->paths, SIGKILL, &err), err);
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
    const struct CMUnitTest tests[] = {
        TEST (without_cgroup_kill),
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
