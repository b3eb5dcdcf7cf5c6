/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of cgroup/ on the host that runs the test, whatever its layout. Root only; everything
 * is made below one directory "rt-test-PID", which is gone afterwards. A test that wants a
 * controller that the host does not have is skipped, with a line that says so.
 */
#include "cgroup_box.h"

/* rows: CGM-03 CGM-12 CGM-13 CGM-15 */
static void a_child_is_in_every_hierarchy (void **state)
{
    struct box *box = *state;

    for (int by_join = 0; by_join < 2; by_join++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct error err = {0};
        struct hierarchy *items;
        size_t count, pid_count;
        pid_t *pids, pid = spawn (box, by_join, sleeps, NULL);
        char *text = arena_alloc (&arena, 65536);

        /* The child enters the doors in its own time: when it has gone through the last one, it is
         * in all of them. */
        for (;;) {
            OK (cgroup_processes (&arena, &box->paths, &pids, &pid_count, &err), err);
            assert_true (fd_read_file_at (AT_FDCWD, arena_printf (&arena, "/proc/%d/cgroup", pid),
                                          text, 65536) > 0);
            OK (hierarchies_parse (&arena, text, &items, &count, &err), err);
            size_t inside = 0;
            for (size_t i = 0; i < count; i++)
                inside += strcmp (items[i].own, box->request.cgroups_path) == 0;
            if (inside == box->paths.count)
                break;
            (void)sched_yield ();
        }
        OK (cgroup_processes (&arena, &box->paths, &pids, &pid_count, &err), err);
        assert_int_equal (pid_count, 1);
        assert_int_equal (pids[0], pid);
        OK (cgroup_signal (&box->paths, SIGTERM, true, &err), err);
        assert_int_equal (WTERMSIG (wait_for (pid)), SIGTERM);
    }
}

static int forks_often (void *unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++) {
        pid_t pid = fork ();
        if (pid < 0)
            return errno == EAGAIN ? 42 : 1;
        if (pid == 0)
            sleeps (NULL);
    }
    return 0;
}

/* rows: CGR-21 CGR-40 */
static void forks_beyond_pids_limit_fail (void **state)
{
    struct box *box = *state;
    struct oci_resources resources = {.pids_limit = INT (10)};
    struct error err = {0};

    need (box, "pids");
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_string_equal (look (box, "pids", "pids.max", "pids.max"), "10");
    assert_int_equal (WEXITSTATUS (wait_for (spawn (box, false, forks_often, NULL))), 42);
    OK (cgroup_kill (&box->paths, &err), err);
    resources.pids_limit.value = 0;
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_string_equal (look (box, "pids", "pids.max", "pids.max"), "0");
    assert_int_equal (WEXITSTATUS (wait_for (spawn (box, true, forks_often, NULL))), 42);
}

static int eats_memory (void *unused)
{
    size_t size = 256 << 20;
    char *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)unused;
    for (size_t i = 0; i < size; i += 4096)
        memory[i] = 1;
    return 0;
}

/* rows: CGR-01 CGR-04 CGR-05 CGR-40 */
static void memory_limit_kills (void **state)
{
    struct box *box = *state;
    struct oci_memory memory = {
        .limit = INT (32 << 20), .swap = INT (32 << 20), .reservation = INT (16 << 20)};
    struct oci_resources resources = {.memory = &memory};
    struct error err = {0};

    need (box, "memory");
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_string_equal (look (box, "memory", "memory.limit_in_bytes", "memory.max"), "33554432");
    assert_string_equal (look (box, "memory", "memory.soft_limit_in_bytes", "memory.low"),
                         "16777216");
    int status = wait_for (spawn (box, false, eats_memory, NULL));
    assert_true (WIFSIGNALED (status));
    assert_int_equal (WTERMSIG (status), SIGKILL);
    /* Upwards the one must come first, downwards the other. */
    memory.limit.value = memory.swap.value = 64 << 20;
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_string_equal (look (box, "memory", "memory.limit_in_bytes", "memory.max"), "67108864");
    memory.limit.value = memory.swap.value = 16 << 20;
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    memory.limit.value = (8 << 20) + 5000; /* rounded to a page, which is no error */
    memory.swap.value = -1;
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_string_equal (look (box, "memory", "memory.limit_in_bytes", "memory.max"), "8392704");
}

/* rows: CGR-14 CGR-15 CGR-16 CGR-17 CGR-18 */
static void cpu_limits_hold (void **state)
{
    struct box *box = *state;
    struct oci_cpu cpu = {.shares = INT (512), .quota = INT (20000), .period = INT (50000)};
    struct oci_resources resources = {.cpu = &cpu};
    struct error err = {0};

    need (box, "cpu");
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_string_equal (look (box, "cpu", "cpu.shares", "cpu.weight"),
                         cgroup_path_of (&box->paths, "cpu") ? "512" : "59");
    if (!cgroup_path_of (&box->paths, "cpu"))
        assert_string_equal (look (box, "cpu", "", "cpu.max"), "20000 50000");
    cpu = (struct oci_cpu){.period = INT (100000)}; /* the quota stays */
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_string_equal (look (box, "cpu", "cpu.cfs_quota_us", "cpu.max"),
                         cgroup_path_of (&box->paths, "cpu") ? "20000" : "20000 100000");
    cpu = (struct oci_cpu){.quota = INT (30000), .burst = INT (25000)};
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    cpu = (struct oci_cpu){.quota = INT (10000), .burst = INT (5000)}; /* burst must go first */
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    cpu = (struct oci_cpu){.quota = INT (-1), .burst = INT (0)};
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    cpu = (struct oci_cpu){.idle = INT (1)};
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_string_equal (look (box, "cpu", "cpu.idle", "cpu.idle"), "1");
    cpu = (struct oci_cpu){.idle = INT (0), .shares = INT (1024)};
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    cpu = (struct oci_cpu){.quota = INT (10000), .period = INT (1)};
    assert_int_equal (cgroup_limit (&box->paths, &resources, false, &err), -1);
    assert_true (text_starts_with (err.pointer, "/linux/resources/cpu/"));
    assert_int_equal (err.errnum, EINVAL);
}

/* rows: CGR-20 CGM-14 */
static void cpusets_are_filled_and_limited (void **state)
{
    struct box *box = *state;
    struct oci_cpu cpu = {.cpus = "0", .mems = "0"};
    struct oci_resources resources = {.cpu = &cpu};
    struct error err = {0};

    need (box, "cpuset");
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_string_equal (look (box, "cpuset", "cpuset.cpus", "cpuset.cpus"), "0");
    cpu.cpus = "0-9999999";
    assert_int_equal (cgroup_limit (&box->paths, &resources, false, &err), -1);
    assert_string_equal (err.pointer, "/linux/resources/cpu/cpus");
}

/* rows: CGR-35 CGR-32 */
static void a_missing_controller_is_named (void **state)
{
    struct box *box = *state;
    struct oci_pair unified = {"nonesuch.max", "1"};
    struct oci_resources resources = {.unified = {.count = 1, .items = &unified}};
    struct oci_rdma rdma = {"mlx5_0", INT (1), INT (1)};
    struct error err = {0};

    assert_int_equal (cgroup_limit (&box->paths, &resources, false, &err), -1);
    assert_string_equal (err.pointer, "/linux/resources/unified/nonesuch.max");
    if (cgroup_path_of (&box->paths, ""))
        assert_non_null (strstr (err.text, "controller 'nonesuch' is not available"));
    if (has (box, "rdma"))
        return;
    resources = (struct oci_resources){.rdma = {.count = 1, .items = &rdma}};
    assert_int_equal (cgroup_limit (&box->paths, &resources, false, &err), -1);
    assert_non_null (strstr (err.text, "'rdma' is not available"));
    assert_string_equal (err.pointer, "/linux/resources/rdma/mlx5_0");
}

/* Opens a device node of its own making: 0 or errno. */
static int opens (void *node)
{
    const char *path = node;
    int fd = open (path, O_RDWR | O_CLOEXEC);

    return fd < 0 ? errno : 0;
}

static int makes_and_reads_disk (void *name)
{
    if (mknod (name, S_IFBLK | 0600, makedev (7, 0)) < 0)
        return errno;
    int result = open (name, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
    (void)unlink (name);
    return result;
}

static int try_device (struct box *box, int (*body) (void *), const char *path)
{
    return WEXITSTATUS (wait_for (spawn (box, false, body, (void *)(uintptr_t)path)));
}

static uint32_t program_count (const struct box *box)
{
    union bpf_attr attr;
    AUTO_FD int dir = cgroup_open_v2 (&box->paths);

    memset (&attr, 0, sizeof attr);
    attr.query.target_fd = (uint32_t)dir;
    attr.query.attach_type = BPF_CGROUP_DEVICE;
    assert_int_equal (syscall (SYS_bpf, BPF_PROG_QUERY, &attr, sizeof attr), 0);
    return attr.query.prog_cnt;
}

/* rows: CGM-30 CGD-01 CGD-03 CGD-04 CGD-07 CGD-08 CGD-09 CGD-13 */
static void devices_are_denied_and_allowed (void **state)
{
    struct box *box = *state;
    const unsigned all = OCI_ACCESS_READ | OCI_ACCESS_WRITE | OCI_ACCESS_MKNOD;
    struct oci_device_rule rules[] = {
        {false, 'a', {0}, {0}, all},
        {true, 'c', INT (1), INT (11), OCI_ACCESS_WRITE},
    };
    struct oci_resources resources = {.devices = {.count = 2, .items = rules}};
    const char *disk = arena_printf (&box->arena, "/tmp/%s-%d", box->request.id, (int)getpid ());
    bool v1 = cgroup_path_of (&box->paths, "devices") != NULL;
    struct error err = {0};

    OK (cgroup_limit (&box->paths, NULL, false, &err), err);
    assert_int_equal (try_device (box, opens, "/dev/null"), 0);
    assert_int_equal (try_device (box, opens, "/dev/kmsg"), EPERM);
    assert_int_equal (try_device (box, makes_and_reads_disk, disk), EPERM);
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_int_equal (try_device (box, opens, "/dev/kmsg"), EPERM); /* write alone is not both */
    rules[1].access = OCI_ACCESS_READ | OCI_ACCESS_WRITE;
    for (int i = 0; i < 20; i++)
        OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_int_equal (try_device (box, opens, "/dev/kmsg"), 0);
    assert_int_equal (try_device (box, makes_and_reads_disk, disk), EPERM);
    if (!v1)
        assert_int_equal (program_count (box), 1);
    rules[0].allow = true;
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    assert_int_not_equal (try_device (box, makes_and_reads_disk, disk), EPERM);
    if (!v1)
        assert_int_equal (program_count (box), 0);
    assert_int_equal (access (disk, F_OK), -1);
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

/* rows: CGM-24 CGM-31 CGM-25 */
static void kill_ends_what_forks (void **state)
{
    struct box *box = *state;
    struct oci_resources resources = {.pids_limit = INT (60)};
    struct error err = {0};
    size_t count = 0;
    pid_t *pids;

    need (box, "pids");
    OK (cgroup_limit (&box->paths, &resources, false, &err), err);
    for (int round = 0; round < 2; round++) {
        /* Once killed, a cgroup takes no CLONE_INTO_CGROUP any more (see cgroup_open_v2). */
        pid_t pid = spawn (box, round > 0, forks_forever, NULL);
        while (count < 40)
            OK (cgroup_processes (&box->arena, &box->paths, &pids, &count, &err), err);
        OK (cgroup_freeze (&box->paths, true, &err), err);
        assert_int_equal (cgroup_frozen (&box->paths, &err), 1);
        if (round == 0) {
            OK (cgroup_freeze (&box->paths, false, &err), err);
            assert_int_equal (cgroup_frozen (&box->paths, &err), 0);
        }
        OK (cgroup_kill (&box->paths, &err), err);
        assert_int_equal (cgroup_frozen (&box->paths, &err), 0);
        assert_int_equal (WTERMSIG (wait_for (pid)), SIGKILL);
        while (count > 0)
            OK (cgroup_processes (&box->arena, &box->paths, &pids, &count, &err), err);
    }
}

/* rows: CGM-23 CGM-17 */
static void what_the_container_made_below_is_removed (void **state)
{
    struct box *box = *state;
    struct error err = {0};
    pid_t *pids, pid;
    size_t count;

    for (size_t i = 0; i < box->paths.count; i++) {
        const char *path = box->paths.items[i].value;
        for (const char *const *name = (const char *const[]){"a", "a/b", "a/b/c", "d", NULL}; *name;
             name++)
            assert_int_equal (mkdir (arena_printf (&box->arena, "%s/%s", path, *name), 0755), 0);
    }
    pid = spawn (box, true, sleeps, NULL);
    struct oci_pair deep[CGROUP_HIERARCHIES_MAX];
    struct oci_map below = {.items = deep};
    for (size_t i = 0; i < box->paths.count; i++) {
        if (hierarchy_has (box->paths.items[i].key, "cpuset"))
            continue; /* the new ones have no processors yet */
        deep[below.count].key = box->paths.items[i].key;
        deep[below.count++].value = arena_printf (&box->arena, "%s/a/b", box->paths.items[i].value);
    }
    OK (cgroup_join (&below, pid, false, &err), err);
    OK (cgroup_processes (&box->arena, &box->paths, &pids, &count, &err), err);
    assert_int_equal (count, 1);
    assert_int_equal (pids[0], pid);
    OK (cgroup_kill (&box->paths, &err), err);
    OK (cgroup_remove (&box->paths, CGROUP_EXITING_MS, &err),
        err); /* not reaped yet: busy or not, it is waited for */
    assert_int_equal (WTERMSIG (wait_for (pid)), SIGKILL);
    OK (cgroup_remove (&box->paths, CGROUP_EXITING_MS, &err), err);
    OK (cgroup_processes (&box->arena, &box->paths, &pids, &count, &err), err);
    assert_int_equal (count, 0);
    assert_int_equal (cgroup_frozen (&box->paths, &err), 0);
    OK (cgroup_kill (&box->paths, &err), err);
}

/* rows: CGM-18 */
static void an_unfit_cgroup_is_refused_without_a_trace (void **state)
{
    struct box *box = *state;
    struct error err = {0};
    pid_t pid = spawn (box, true, sleeps, NULL);

    assert_int_equal (cgroup_place (&box->paths, &box->request, &err), -1);
    assert_non_null (strstr (err.text, "not empty"));
    assert_string_equal (err.pointer, "/linux/cgroupsPath");
    OK (cgroup_kill (&box->paths, &err), err);
    assert_int_equal (WTERMSIG (wait_for (pid)), SIGKILL);

    OK (cgroup_freeze (&box->paths, true, &err), err);
    assert_int_equal (cgroup_place (&box->paths, &box->request, &err), -1);
    assert_non_null (strstr (err.text, "frozen"));
    OK (cgroup_freeze (&box->paths, false, &err), err);
    OK (cgroup_place (&box->paths, &box->request, &err), err); /* empty, thawed: taken */

    /* All directories but the last one are new: they go again. */
    struct cgroup_request other = box->request;
    struct oci_map paths;
    other.cgroups_path = arena_printf (&box->arena, "%s/x/y", box->request.cgroups_path);
    OK (cgroup_plan (&box->arena, &other, &paths, &err), err);
    const char *last = paths.items[paths.count - 1].value;
    paths.items[paths.count - 1].value = arena_printf (&box->arena, "%s/bad\nname", last);
    assert_int_equal (cgroup_place (&paths, &other, &err), -1);
    assert_int_equal (err.errnum, EINVAL);
    for (size_t i = 0; i < box->paths.count; i++)
        assert_int_equal (
            access (arena_printf (&box->arena, "%s/x", box->paths.items[i].value), F_OK), -1);
}

/* Removes what others have just made, again and again: as often as a directory with its controllers
 * can be made, not faster. */
static int tidies_up (void *directories)
{
    const struct oci_map *map = directories;
    const struct timespec pace = {.tv_nsec = 100000};

    for (;; (void)nanosleep (&pace, NULL))
        for (size_t i = 0; i < map->count; i++)
            (void)rmdir (map->items[i].value);
    return 0;
}

/* rows: CGM-09 CGM-17 */
static void directories_that_vanish_above_are_made_again (void **state)
{
    struct box *box = *state;
    struct cgroup_request request = box->request;
    struct oci_map paths, parents;
    struct error err = {0};
    pid_t tidier = -1;

    request.cgroups_path = arena_printf (&box->arena, "%s-p", box->request.cgroups_path);
    OK (cgroup_plan (&box->arena, &request, &parents, &err), err);
    request.cgroups_path = arena_printf (&box->arena, "%s-p/x", box->request.cgroups_path);
    OK (cgroup_plan (&box->arena, &request, &paths, &err), err);
    assert_true ((tidier = fork ()) >= 0);
    if (tidier == 0)
        _exit (tidies_up (&parents));
    int result = 0;
    for (int round = 0; round < 200 && result == 0; round++) {
        result = cgroup_place (&paths, &request, &err);
        if (result == 0)
            result = cgroup_remove (&paths, CGROUP_EXITING_MS, &err);
    }
    assert_int_equal (kill (tidier, SIGKILL), 0);
    (void)wait_for (tidier);
    for (size_t i = 0; i < parents.count; i++)
        (void)rmdir (parents.items[i].value);
    OK (result, err);
}

/* rows: CGM-19 CGM-20 CGM-21 CGM-22 */
static void delegation_gives_what_the_kernel_lists (void **state)
{
    struct box *box = *state;
    const char *path = cgroup_path_of (&box->paths, "");
    struct error err = {0};
    struct stat file;

    if (!path) {
        print_message ("SKIP: this host has no cgroup v2\n");
        skip ();
    }
    OK (cgroup_delegate (&box->paths, 12345, &err), err);
    assert_int_equal (stat (path, &file), 0);
    assert_int_equal (file.st_uid, 12345);
    assert_int_equal (file.st_gid, 0);
    assert_int_equal (stat (arena_printf (&box->arena, "%s/cgroup.procs", path), &file), 0);
    assert_int_equal (file.st_uid, 12345);
    assert_int_equal (stat (arena_printf (&box->arena, "%s/cgroup.freeze", path), &file), 0);
    assert_int_equal (file.st_uid, 0);
}

/* rows: UID-14 CGM-06 CGM-08 */
static void without_rights_only_what_was_asked_is_an_error (void **state)
{
    struct box *box = *state;
    struct cgroup_request request = {.id = box->request.id, .rootless = true};
    struct oci_resources resources = {.pids_limit = INT (10)};
    struct oci_map paths;
    struct error err = {0};

    assert_int_equal (seteuid (65534), 0);
    OK (cgroup_plan (&box->arena, &request, &paths, &err), err);
    assert_true (paths.count > 0);
    OK (cgroup_place (&paths, &request, &err), err);
    assert_int_equal (paths.count, 0);
    assert_int_equal (cgroup_open_v2 (&paths), -1);
    OK (cgroup_limit (&paths, NULL, true, &err), err);
    assert_int_equal (cgroup_limit (&paths, &resources, true, &err), -1);
    assert_string_equal (err.pointer, "/linux/resources/pids/limit");

    request.resources = &resources;
    OK (cgroup_plan (&box->arena, &request, &paths, &err), err);
    assert_int_equal (cgroup_place (&paths, &request, &err), -1);
    assert_int_equal (err.errnum, EACCES);
    request.resources = NULL;
    request.cgroups_path = "/rt-test-unreachable";
    OK (cgroup_plan (&box->arena, &request, &paths, &err), err);
    assert_int_equal (cgroup_place (&paths, &request, &err), -1);
    assert_string_equal (err.pointer, "/linux/cgroupsPath");
    assert_int_equal (seteuid (0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, begin, end)

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (a_child_is_in_every_hierarchy),
        TEST (forks_beyond_pids_limit_fail),
        TEST (memory_limit_kills),
        TEST (cpu_limits_hold),
        TEST (cpusets_are_filled_and_limited),
        TEST (a_missing_controller_is_named),
        TEST (devices_are_denied_and_allowed),
        TEST (kill_ends_what_forks),
        TEST (what_the_container_made_below_is_removed),
        TEST (an_unfit_cgroup_is_refused_without_a_trace),
        TEST (directories_that_vanish_above_are_made_again),
        TEST (without_rights_only_what_was_asked_is_an_error),
        TEST (delegation_gives_what_the_kernel_lists),
    };

    if (geteuid () != 0 || cgroup_layout () == CGROUP_NONE) {
        print_message ("SKIP: needs root and a host with cgroups\n");
        return 77;
    }
    return cmocka_run_group_tests (tests, NULL, NULL);
}
