/* SPDX-License-Identifier: Apache-2.0 */
/* "slice:prefix:name" to a unit, and slices to paths. */
#include "cgroup/systemd_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char long_name[] =
    "a.slice:rt:"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/* rows: CGS-01 CGS-02 CGS-03 CGS-04 CGS-05 */
static void names (void **state)
{
    static const struct {
        const char *path, *id;
        bool user;
        const char *unit, *slice; /* unit NULL: an error; slice NULL: the unit is one */
    } cases[] = {
        {NULL, "box", false, "rt-box.scope", "system.slice"},
        {NULL, "box", true, "rt-box.scope", "user.slice"},
        {NULL, "b+1_.-", false, "rt-b\\x2b1_.-.scope", "system.slice"},
        {NULL, "x.slice", false, "rt-x.slice.scope", "system.slice"},
        {"machine.slice:libpod:1f", "x", false, "libpod-1f.scope", "machine.slice"},
        {":docker:1f", "x", false, "docker-1f.scope", "system.slice"},
        {":docker:1f", "x", true, "docker-1f.scope", "user.slice"},
        {"a-b.slice::1f", "x", false, "1f.scope", "a-b.slice"},
        {"-.slice:rt:x", "x", false, "rt-x.scope", "-.slice"},
        {"a.slice:rt:b-c.slice", "x", false, "b-c.slice", NULL},
        {"::", "x", false, NULL, NULL},
        {"", "x", false, NULL, NULL},
        {"/a", "x", false, NULL, NULL},
        {"a.slice:b", "x", false, NULL, NULL},
        {"a.slice:b:c:d", "x", false, NULL, NULL},
        {"a:b:c", "x", false, NULL, NULL},
        {"a.slice:b:", "x", false, NULL, NULL},
        {"a.slice:b:c/d", "x", false, NULL, NULL},
        {"a.slice:b:c d", "x", false, NULL, NULL},
        {"a.slice:b:\xc3\xa4", "x", false, NULL, NULL},
        {"a.slice:b:-.slice", "x", false, NULL, NULL},
        {"a.slice:b:c--d.slice", "x", false, NULL, NULL},
        {long_name, "x", false, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct systemd_name name = {.unit = "untouched"};
        struct error err = {0};
        int result =
            systemd_name_make (&arena, cases[i].path, cases[i].id, cases[i].user, &name, &err);

        if (!cases[i].unit) {
            assert_int_equal (result, -1);
            assert_string_equal (err.pointer, "/linux/cgroupsPath");
            assert_string_equal (name.unit, "untouched");
            continue;
        }
        assert_int_equal (result, 0);
        assert_string_equal (name.unit, cases[i].unit);
        assert_int_equal (name.is_slice, cases[i].slice == NULL);
        if (cases[i].slice)
            assert_string_equal (name.slice, cases[i].slice);
    }
}

/* rows: CGS-06 */
static void slices (void **state)
{
    static const char *const cases[][2] = {
        {"a.slice", "/a.slice"},
        {"a-b.slice", "/a.slice/a-b.slice"},
        {"ab-cd-ef.slice", "/ab.slice/ab-cd.slice/ab-cd-ef.slice"},
        {"-.slice", ""},
        {"a.b-c.slice", "/a.b.slice/a.b-c.slice"},
        {".slice", NULL},
        {"a", NULL},
        {"a.slicer", NULL},
        {"a--b.slice", NULL},
        {"-a.slice", NULL},
        {"a-.slice", NULL},
        {"--.slice", NULL},
        {"a/b.slice", NULL},
        {"/a.slice", NULL},
        {"../a.slice", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        const char *path = "untouched";
        struct error err = {0};
        int result = systemd_slice_path (&arena, cases[i][0], &path, &err);

        assert_int_equal (result, cases[i][1] ? 0 : -1);
        assert_string_equal (path, cases[i][1] ? cases[i][1] : "untouched");
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (names),
        cmocka_unit_test (slices),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
