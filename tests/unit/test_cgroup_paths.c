/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which directories a container gets, on hosts of all layouts.
 */
#include "cgroup/hierarchy.h"

#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct hierarchy v2[] = {
    {.key = "", .own = "/user.slice/a.scope", .mount = CGROUP_MOUNT, .writable = true}};
static struct hierarchy hybrid[] = {
    {.key = "cpu,cpuacct", .own = "/", .mount = CGROUP_MOUNT "/cpu,cpuacct", .writable = true},
    {.key = "perf_event", .own = "/", .mount = NULL},
    {.key = "name=systemd", .own = "/x", .mount = CGROUP_MOUNT "/systemd", .writable = true},
    {.key = "", .own = "/", .mount = CGROUP_MOUNT "/unified", .writable = true},
};
static const struct cgroup_host v2_host = {CGROUP_V2, "", v2, 1};
static const struct cgroup_host hybrid_host = {CGROUP_HYBRID, "", hybrid, 4};

/* rows: CGM-03 CGM-15 */
static void proc_self_cgroup_is_taken_apart (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error err = {0};
    struct hierarchy *items;
    size_t count;

    (void)state;
    assert_int_equal (hierarchies_parse (&arena,
                                         "9:name=systemd:/\n4:cpu,cpuacct:/a:b/c\n0::/u v\n",
                                         &items, &count, &err),
                      0);
    assert_int_equal (count, 3);
    assert_string_equal (items[0].key, "name=systemd");
    assert_string_equal (items[0].own, "/");
    assert_string_equal (items[1].key, "cpu,cpuacct");
    assert_string_equal (items[1].own, "/a:b/c");
    assert_string_equal (items[2].key, "");
    assert_string_equal (items[2].own, "/u v");
    assert_int_equal (hierarchies_parse (&arena, "", &items, &count, &err), 0);
    assert_int_equal (count, 0);
    assert_int_equal (hierarchies_parse (&arena, "4:cpu\n", &items, &count, &err), -1);
    assert_int_equal (hierarchies_parse (&arena, "4:cpu:no-slash\n", &items, &count, &err), -1);
}

static void keys_are_lists_of_words (void **state)
{
    (void)state;
    assert_true (hierarchy_has ("cpu,cpuacct", "cpu"));
    assert_true (hierarchy_has ("cpu,cpuacct", "cpuacct"));
    assert_false (hierarchy_has ("cpuset", "cpu"));
    assert_false (hierarchy_has ("cpu", "cpuset"));
    assert_true (hierarchy_has ("", ""));
    assert_false (hierarchy_has ("cpu", ""));
    assert_false (hierarchy_has ("name=systemd", "systemd"));
    assert_true (word_in_list ("cpu io\nmemory\n", "memory"));
    assert_false (word_in_list ("cpuset io", "cpu"));
}

static void expect_plan (const struct cgroup_host *host, const char *path, bool rootless,
                         size_t index, const char *wanted)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct cgroup_request request = {.id = "box", .cgroups_path = path, .rootless = rootless};
    struct error err = {0};
    struct oci_map paths = {0};
    int result = cgroup_plan_on (&arena, &request, host, &paths, &err);

    if (!wanted) {
        assert_int_equal (result, -1);
        assert_string_equal (err.pointer, "/linux/cgroupsPath");
        return;
    }
    assert_int_equal (result, 0);
    assert_true (index < paths.count);
    assert_string_equal (paths.items[index].value, wanted);
}

/* rows: CGM-04 CGM-05 CGM-06 CGM-07 */
static void the_path_is_below_each_mount (void **state)
{
    (void)state;
    expect_plan (&v2_host, "/a/b", false, 0, "/sys/fs/cgroup/a/b");
    expect_plan (&v2_host, "a/b", false, 0, "/sys/fs/cgroup/a/b");
    expect_plan (&v2_host, NULL, false, 0, "/sys/fs/cgroup/box");
    expect_plan (&v2_host, "/../../a//./b/../c/", false, 0, "/sys/fs/cgroup/a/c");
    expect_plan (&v2_host, "../../x", false, 0, "/sys/fs/cgroup/x");
    expect_plan (&v2_host, "/", false, 0, NULL);
    expect_plan (&v2_host, "/a/..", false, 0, NULL);
    expect_plan (&v2_host, "", false, 0, NULL);
    expect_plan (&v2_host, "../..", false, 0, NULL);
    expect_plan (&v2_host, "/a\nb", false, 0, NULL);
    expect_plan (&hybrid_host, "/a", false, 0, "/sys/fs/cgroup/cpu,cpuacct/a");
    expect_plan (&hybrid_host, "/a", false, 1, "/sys/fs/cgroup/systemd/a");
    expect_plan (&hybrid_host, "/a", false, 2, "/sys/fs/cgroup/unified/a");
}

/* rows: CGM-06 CGM-08 */
static void without_rights_it_is_beside_our_own (void **state)
{
    (void)state;
    v2[0].writable = false;
    expect_plan (&v2_host, NULL, true, 0, "/sys/fs/cgroup/user.slice/box");
    expect_plan (&v2_host, "rel", true, 0, "/sys/fs/cgroup/user.slice/rel");
    expect_plan (&v2_host, "/abs", true, 0, "/sys/fs/cgroup/abs");
    v2[0].delegated = true;
    expect_plan (&v2_host, NULL, true, 0, "/sys/fs/cgroup/user.slice/a.scope/box");
    expect_plan (&v2_host, "rel", true, 0, "/sys/fs/cgroup/user.slice/a.scope/rel");
    expect_plan (&v2_host, "/abs", true, 0, "/sys/fs/cgroup/abs");
    v2[0].delegated = false;
    v2[0].writable = true;
}

/* rows: CGM-01 CGM-02 CGM-03 */
static void the_layout_follows_from_file_systems (void **state)
{
    static const struct {
        long top, unified;
        enum cgroup_layout layout;
        const char *why;
    } cases[] = {
        {CGROUP2_SUPER_MAGIC, 0, CGROUP_V2, "/sys/fs/cgroup is cgroup2"},
        {CGROUP2_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, CGROUP_V2, "/sys/fs/cgroup is cgroup2"},
        {TMPFS_MAGIC, CGROUP2_SUPER_MAGIC, CGROUP_HYBRID, "/sys/fs/cgroup/unified is cgroup2"},
        {RAMFS_MAGIC, CGROUP2_SUPER_MAGIC, CGROUP_HYBRID, "/sys/fs/cgroup/unified is cgroup2"},
        {TMPFS_MAGIC, TMPFS_MAGIC, CGROUP_V1, "neither"},
        {TMPFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP_V1, "neither"},
        {EXT4_SUPER_MAGIC, 0, CGROUP_V1, "neither"},
        {SYSFS_MAGIC, 0, CGROUP_NONE, "nothing is mounted"},
        {CGROUP_SUPER_MAGIC, 0, CGROUP_NONE, "a v1 hierarchy itself"},
        {0, 0, CGROUP_NONE, "is not there"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *why = NULL;
        assert_int_equal (layout_decide (cases[i].top, cases[i].unified, &why), cases[i].layout);
        assert_non_null (strstr (why, cases[i].why));
    }
}

/* rows: UID-14 CGM-01 */
static void no_mount_is_forgiven_where_nothing_was_asked (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct cgroup_host nothing = {.why = "for a test"};
    struct cgroup_request request = {.id = "box", .rootless = true};
    struct error err = {0};
    struct oci_map paths = {0};

    (void)state;
    assert_int_equal (cgroup_plan_on (&arena, &request, &nothing, &paths, &err), 0);
    assert_int_equal (paths.count, 0);
    request.cgroups_path = "/x";
    assert_int_equal (cgroup_plan_on (&arena, &request, &nothing, &paths, &err), -1);
    assert_non_null (strstr (err.text, "/sys/fs/cgroup: for a test"));
}

static void no_mount_is_an_error (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct cgroup_host nothing = {.why = ""};
    struct cgroup_request request = {.id = "box"};
    struct error err = {0};
    struct oci_map paths = {0};

    (void)state;
    assert_int_equal (cgroup_plan_on (&arena, &request, &nothing, &paths, &err), -1);
    assert_string_equal (err.code, "RT-CGROUP-NONE");
    request.driver = CGROUP_DRIVER_SYSTEMD; /* not known before systemd has made them */
    assert_int_equal (cgroup_plan (&arena, &request, &paths, &err), 0);
    assert_int_equal (paths.count, 0);
    request.driver = CGROUP_DRIVER_DISABLED;
    assert_int_equal (cgroup_plan (&arena, &request, &paths, &err), 0);
    assert_int_equal (paths.count, 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (proc_self_cgroup_is_taken_apart),
        cmocka_unit_test (keys_are_lists_of_words),
        cmocka_unit_test (the_path_is_below_each_mount),
        cmocka_unit_test (without_rights_it_is_beside_our_own),
        cmocka_unit_test (the_layout_follows_from_file_systems),
        cmocka_unit_test (no_mount_is_forgiven_where_nothing_was_asked),
        cmocka_unit_test (no_mount_is_an_error),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
