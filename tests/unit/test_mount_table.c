/* SPDX-License-Identifier: Apache-2.0 */
/* mount_table: are the mounts of a restored container those of its document? */
#include "lifecycle/mount_table.h"

#include "base/text.h"

#include <linux/mount.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROOT_LINE "10 1 8:1 /r / rw - ext4 /dev/a rw\n"
#define HOST "1 0 8:1 / / rw shared:7 - ext4 /dev/a rw\n"

/* The document: a root, a read-only bind of /v, a tmpfs, and a read-only path in it. */
static size_t want (struct mount_wanted *wanted)
{
    const struct mount_wanted all[] = {
        {.point = "/", .pointer = "/root", .device = "8:1", .root = "/r"},
        {.point = "/v",
         .pointer = "/mounts/0",
         .key = "/v",
         .device = "8:1",
         .root = "/src",
         .flags = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV},
        {.point = "/t", .pointer = "/mounts/1", .type = "tmpfs", .shared = true},
        {.point = "/t/ro",
         .pointer = "/linux/readonlyPaths/0",
         .flags = MOUNT_ATTR_RDONLY,
         .optional = true,
         .of_parent = true},
    };

    memcpy (wanted, all, sizeof (all));
    return sizeof (all) / sizeof (*all);
}

#define V "11 10 8:1 /src /v ro,nodev - ext4 /dev/a rw\n"
#define TMP "12 10 0:9 / /t rw - tmpfs tmpfs rw\n"

/* rows: CKP-29 */
static void the_kernels_table (void **state)
{
    (void)state;
    static const struct {
        const char *table;
        const char *pointer; /* "" right */
        bool may_mount;
    } rows[] = {
        {ROOT_LINE V TMP, "", false},
        {TMP V ROOT_LINE, "", false},
        {ROOT_LINE "11 10 8:1 /src /v rw,nodev - ext4 /dev/a ro\n" TMP, "", false},
        {ROOT_LINE V TMP "13 12 0:9 /ro /t/ro ro - tmpfs tmpfs rw\n", "", false},
        /* less */
        {ROOT_LINE TMP, "/mounts/0", false},
        {V TMP, "/root", false},
        /* others */
        {"10 1 8:1 /other / rw - ext4 /dev/a rw\n" V TMP, "/root", false},
        {ROOT_LINE "11 10 8:1 /src /v rw,nodev - ext4 /dev/a rw\n" TMP, "/mounts/0", false},
        {ROOT_LINE "11 10 8:1 /src /v ro - ext4 /dev/a rw\n" TMP, "/mounts/0", false},
        {ROOT_LINE "11 10 8:1 /etc /v ro,nodev - ext4 /dev/a rw\n" TMP, "/mounts/0", false},
        {ROOT_LINE "11 10 8:2 /src /v ro,nodev - ext4 /dev/b rw\n" TMP, "/mounts/0", false},
        {ROOT_LINE V "12 10 0:9 / /t rw - ramfs none rw\n", "/mounts/1", false},
        {ROOT_LINE V TMP "13 12 0:9 /ro /t/ro rw - tmpfs tmpfs rw\n", "/linux/readonlyPaths/0",
         false},
        {ROOT_LINE V TMP "13 12 8:2 / /t/ro ro - ext4 /dev/b rw\n", "/linux/readonlyPaths/0",
         false},
        /* more */
        {ROOT_LINE V TMP "14 10 8:2 / /x rw - ext4 /dev/b rw\n", "/mounts", false},
        {ROOT_LINE V TMP "14 10 8:2 / /x rw - ext4 /dev/b rw\n", "/mounts", true},
        {ROOT_LINE V TMP "14 10 0:5 / /x rw - tmpfs tmpfs rw\n", "/mounts", false},
        {ROOT_LINE V TMP "14 10 0:5 / /x rw - tmpfs tmpfs rw\n", "", true},
        {ROOT_LINE V V TMP, "/mounts", false}, /* once more */
        /* to the host */
        {"10 1 8:1 /r / rw shared:7 - ext4 /dev/a rw\n" V TMP, "/root", false},
        {"10 1 8:1 /r / rw shared:8 - ext4 /dev/a rw\n" V TMP, "", false},
        {ROOT_LINE V "12 10 0:9 / /t rw shared:7 - tmpfs tmpfs rw\n", "", false},
    };

    for (size_t i = 0; i < sizeof (rows) / sizeof (*rows); i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct mount_wanted wanted[4];
        struct mount_wanteds all = {.items = wanted, .count = want (wanted)};
        struct mount_views host;
        struct mount_views views;
        struct error err = {0};
        assert_int_equal (mount_table_parse (HOST, &arena, &host, &err), 0);
        assert_int_equal (mount_table_parse (rows[i].table, &arena, &views, &err), 0);
        int failed = mount_table_compare (&views, &all, &host, rows[i].may_mount, &err);
        if ((failed != 0) != (rows[i].pointer[0] != '\0') ||
            !text_equal (err.pointer, rows[i].pointer))
            fail_msg ("row %zu: %s at %s", i, err.text, err.pointer);
    }
}

static void words_are_unescaped (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct mount_views views;
    struct error err = {0};

    assert_int_equal (
        mount_table_parse ("1 2 8:1 /a\\040b /c\\012d rw,nosuid master:3 - fuse.x s rw\n", &arena,
                           &views, &err),
        0);
    assert_string_equal (views.items[0].root, "/a b");
    assert_string_equal (views.items[0].point, "/c\nd");
    assert_string_equal (views.items[0].type, "fuse.x");
    assert_int_equal (views.items[0].flags, MOUNT_ATTR_NOSUID);
    assert_null (views.items[0].peers);
    static const char *const rubbish[] = {"x", "1 2 8:1 / / rw\n", "1 2 8:1 / / rw - ext4\n", "\n"};
    for (size_t i = 0; i < sizeof (rubbish) / sizeof (*rubbish); i++)
        assert_int_equal (mount_table_parse (rubbish[i], &arena, &views, &err), -1);
}

static void what_is_below (void **state)
{
    (void)state;
    assert_string_equal (mount_table_below ("/a/b", "/a"), "/b");
    assert_string_equal (mount_table_below ("/a", "/a"), "");
    assert_string_equal (mount_table_below ("/a", "/"), "/a");
    assert_string_equal (mount_table_below ("/", "/"), "");
    assert_null (mount_table_below ("/ab", "/a"));
    assert_null (mount_table_below ("/", "/a"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_kernels_table),
        cmocka_unit_test (words_are_unescaped),
        cmocka_unit_test (what_is_below),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
