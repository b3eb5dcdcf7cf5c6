/* SPDX-License-Identifier: Apache-2.0 */
/* exec_process: which process exec makes, and in which cgroups; both are decided without a system
 * call. */
#include "cgroup/cgroup.h"
#include "lifecycle/exec_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static char *own_env[] = {"PATH=/bin", "HOME=/home/init", "A=1", NULL};
static char *own_args[] = {"init", NULL};
static struct oci_rlimit own_limits[] = {{.type = 7, .soft = 1, .hard = 2}};
static struct oci_capabilities own_sets = {.bounding = 1, .effective = 1, .permitted = 1};
static gid_t own_gids[] = {10};

static const struct oci_process container = {
    .terminal = true,
    .user = {.uid = 5,
             .gid = 6,
             .umask = {.present = true, .value = 077},
             .additional_gids = {.count = 1, .items = own_gids, .present = true}},
    .args = {.count = 1, .items = own_args, .present = true},
    .env = {.count = 3, .items = own_env, .present = true},
    .cwd = "/own",
    .capabilities = &own_sets,
    .rlimits = {.count = 1, .items = own_limits, .present = true},
    .no_new_privileges = {.present = true, .value = true},
    .apparmor_profile = "own-profile",
    .selinux_label = "own-label",
    .oom_score_adj = {.present = true, .value = 100},
    .affinity_final = "3",
};

static struct arena arena = ARENA_INIT;

static int end (void **state)
{
    (void)state;
    arena_release (&arena);
    return 0;
}

/* rows: EXE-04 EXE-09 */
static void test_nothing_said (void **state)
{
    const struct exec_request request = {.id = "c"};

    (void)state;
    const struct oci_process *process = exec_process (&arena, &container, &request);
    struct oci_process like = container;
    like.terminal = false;
    assert_memory_equal (process, &like, sizeof (like));
}

/* rows: EXE-02 EXE-35 EXE-31 EXE-38 */
static void test_gaps_of_a_process_file (void **state)
{
    static char *env[] = {"B=2", NULL};
    static struct oci_rlimit limits[] = {{.type = 1, .soft = 3, .hard = 4}};
    const struct oci_process bare = {.cwd = "/file", .terminal = true};
    struct oci_process full = {
        .cwd = "/file",
        .env = {.count = 1, .items = env, .present = true},
        .rlimits = {.count = 1, .items = limits, .present = true},
        .no_new_privileges = {.present = true, .value = false},
        .selinux_label = "",
        .affinity_initial = "1",
        .user.umask = {.present = true, .value = 0},
    };
    struct exec_request request = {.process = &bare};

    (void)state;
    const struct oci_process *process = exec_process (&arena, &container, &request);
    assert_true (process->terminal);
    assert_string_equal (process->cwd, "/file");
    assert_int_equal (process->user.uid, 0);
    assert_int_equal (process->user.additional_gids.count, 0);
    assert_int_equal (process->user.umask.value, 077);
    assert_ptr_equal (process->env.items, own_env);
    assert_ptr_equal (process->capabilities, &own_sets);
    assert_ptr_equal (process->rlimits.items, own_limits);
    assert_true (process->no_new_privileges.value);
    assert_string_equal (process->apparmor_profile, "own-profile");
    assert_int_equal (process->oom_score_adj.value, 100);
    assert_string_equal (process->affinity_final, "3");

    request.tty = (struct oci_bool){.present = true, .value = false};
    assert_false (exec_process (&arena, &container, &request)->terminal);

    request.process = &full;
    process = exec_process (&arena, &container, &request);
    assert_ptr_equal (process->env.items, env);
    assert_ptr_equal (process->rlimits.items, limits);
    assert_false (process->no_new_privileges.value);
    assert_string_equal (process->selinux_label, "");
    assert_int_equal (process->user.umask.value, 0);
    assert_null (process->affinity_final);

    /* An empty list is a list. */
    full.rlimits.count = 0;
    full.env.count = 0;
    process = exec_process (&arena, &container, &request);
    assert_int_equal (process->rlimits.count, 0);
    assert_int_equal (process->env.count, 0);
}

/* rows: EXE-05 EXE-07 EXE-08 */
static void test_user_and_env (void **state)
{
    static char *more[] = {"HOME=/mine", "B=2", NULL};
    static const gid_t gids[] = {20, 21};
    struct exec_request request = {
        .user_given = true, .uid = 7, .gid = 0, .additional_gids = gids, .additional_gid_count = 2};

    (void)state;
    const struct oci_process *process = exec_process (&arena, &container, &request);
    assert_int_equal (process->user.uid, 7);
    assert_int_equal (process->user.gid, 0);
    assert_int_equal (process->user.additional_gids.count, 3);
    assert_int_equal (process->user.additional_gids.items[0], 10);
    assert_int_equal (process->user.additional_gids.items[2], 21);
    /* The home directory is found out for this user. */
    assert_int_equal (process->env.count, 2);
    assert_string_equal (process->env.items[1], "A=1");
    assert_null (process->env.items[2]);

    request.env = (struct oci_strings){.count = 2, .items = more, .present = true};
    process = exec_process (&arena, &container, &request);
    assert_int_equal (process->env.count, 4);
    assert_string_equal (process->env.items[2], "HOME=/mine");

    request.uid = 5;
    process = exec_process (&arena, &container, &request);
    assert_int_equal (process->env.count, 5);
    assert_string_equal (process->env.items[1], "HOME=/home/init");
    assert_int_equal (container.env.count, 3);
}

/* rows: EXE-14 HDN-11 EXE-15 */
static void test_rights (void **state)
{
    struct oci_process with = container;
    struct oci_capabilities inheriting = own_sets;
    const struct exec_request request = {.capabilities = 4};
    const struct exec_request nnp = {.no_new_privs = true};

    (void)state;
    const struct oci_process *process = exec_process (&arena, &container, &request);
    assert_int_equal (process->capabilities->bounding, 5);
    assert_int_equal (process->capabilities->effective, 5);
    assert_int_equal (process->capabilities->permitted, 5);
    assert_int_equal (process->capabilities->inheritable, 0);
    assert_int_equal (process->capabilities->ambient, 0);
    assert_int_equal (own_sets.bounding, 1);

    inheriting.inheritable = 1;
    with.capabilities = &inheriting;
    process = exec_process (&arena, &with, &request);
    assert_int_equal (process->capabilities->inheritable, 5);
    assert_int_equal (process->capabilities->ambient, 4);

    with.capabilities = NULL;
    with.no_new_privileges.value = false;
    process = exec_process (&arena, &with, &request);
    assert_int_equal (process->capabilities->permitted, 4);
    assert_int_equal (process->capabilities->inheritable, 0);
    assert_false (process->no_new_privileges.value);
    assert_true (exec_process (&arena, &with, &nnp)->no_new_privileges.value);
    assert_true (exec_process (&arena, &container, &request)->no_new_privileges.value);
}

static struct oci_pair on_v1[] = {
    {"cpu,cpuacct", "/m/cpu/c"}, {"memory", "/m/memory/c"}, {"", "/m/unified/c"}};
static const struct oci_map v1 = {.count = 3, .items = on_v1, .present = true};
static struct oci_pair on_v2[] = {{"", "/m/c"}};
static const struct oci_map v2 = {.count = 1, .items = on_v2, .present = true};

static int below (const struct oci_map *map, const char *one, const char *two, struct oci_map *out)
{
    const char *asked[] = {one, two};
    struct error err = {0};
    int failed = cgroup_below (&arena, map, asked, (one != NULL) + (two != NULL), out, &err);

    assert_int_equal (failed < 0, error_is_set (&err));
    return failed;
}

/* rows: EXE-19 EXE-20 EXE-21 CGM-32 */
static void test_cgroup_below (void **state)
{
    struct oci_map out;

    (void)state;
    assert_int_equal (below (&v1, NULL, NULL, &out), 0);
    assert_string_equal (out.items[1].value, "/m/memory/c");
    assert_int_equal (below (&v1, "/a//b/./", NULL, &out), 0);
    assert_string_equal (out.items[0].value, "/m/cpu/c/a/b");
    assert_string_equal (out.items[2].value, "/m/unified/c/a/b");
    assert_string_equal (on_v1[2].value, "/m/unified/c");
    assert_int_equal (below (&v1, "memory,cpuacct:a", NULL, &out), 0);
    assert_string_equal (out.items[0].value, "/m/cpu/c/a");
    assert_string_equal (out.items[1].value, "/m/memory/c/a");
    assert_string_equal (out.items[2].value, "/m/unified/c");
    assert_int_equal (below (&v1, "memory:a", "cpu:b", &out), 0);
    assert_string_equal (out.items[0].value, "/m/cpu/c/b");
    assert_int_equal (below (&v2, "/", NULL, &out), 0);
    assert_string_equal (out.items[0].value, "/m/c");
    assert_int_equal (below (&v2, "..a/b..", NULL, &out), 0);
    assert_string_equal (out.items[0].value, "/m/c/..a/b..");

    static const char *const wrong[] = {"..",        "../a",      "a/../b",    "/..",
                                        "a/..",      "memory:..", ":a",        "none:a",
                                        "memory,:a", ",memory:a", "cpu,none:a"};
    for (size_t i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++)
        assert_int_equal (below (&v1, wrong[i], NULL, &out), -1);
    assert_int_equal (below (&v1, "a", "b", &out), -1);
    assert_int_equal (below (&v2, "memory:a", NULL, &out), -1);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_nothing_said, end),
        cmocka_unit_test_teardown (test_gaps_of_a_process_file, end),
        cmocka_unit_test_teardown (test_user_and_env, end),
        cmocka_unit_test_teardown (test_rights, end),
        cmocka_unit_test_teardown (test_cgroup_below, end),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
