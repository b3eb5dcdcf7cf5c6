/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subids: whose lines of /etc/subuid count, and what map they make.
 */
#include "container/subids.h"

#include "base/cleanup.h"
#include "container/idmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* rows: UID-12 */
static void names_are_found (void **state)
{
    static const struct {
        const char *passwd;
        const char *name;
    } cases[] = {
        {"root:x:0:0::/:/bin/sh\nuser:x:1000:7::/:/bin/sh\n", "user"},
        {"user:x:1000", "user"},
        {"user:x:1000:1000", "user"},
        {"a:x:10000:1::\nb:x:100:1::\nc::1000\nd:x:1000:1::\n", "c"},
        {":x:1000:1000::\n", NULL},
        {"user:1000:x\nuser\n\nx:1000\n", NULL},
        {"user:x: 1000:1\nuser:x:0x3e8:1\nuser:x:99999999999999999999:1\n", NULL},
        {"", NULL},
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
        const char *name = subids_name (&arena, cases[i].passwd, 1000);
        if (cases[i].name)
            assert_string_equal (name, cases[i].name);
        else
            assert_null (name);
    }
}

/* rows: UID-12 */
static void maps_are_made (void **state)
{
    static const struct {
        const char *text;
        const char *map;
    } cases[] = {
        {"", "0 77 1\n"},
        {"user:100000:65536\n", "0 77 1\n1 100000 65536\n"},
        {"other:1:1\nuser:300000:1000\nusers:5:5\nuser:400000:10",
         "0 77 1\n1 300000 1000\n1001 400000 10\n"},
        {"1000:5000:2\nuser:100:1\n01000:1:1\n", "0 77 1\n1 5000 2\n3 100 1\n4 1 1\n"},
        {"user:5000:0\nuser:x:1\nuser:1\nuser:4294967295:1\nuser:1:4294967295\nuser:9:9:9\n",
         "0 77 1\n1 9 9\n"},
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
        struct oci_id_mappings mappings;
        AUTO_TEXT struct text map = {0};
        subids_map (&arena, cases[i].text, "user", 1000, 77, &mappings);
        idmap_text (&mappings, &map);
        assert_string_equal (text_string (&map), cases[i].map);
    }
}

/* rows: UID-12 */
static void more_than_the_kernel_takes_is_cut (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text text = {0};
    struct oci_id_mappings mappings;

    (void)state;
    for (int i = 0; i < 1000; i++)
        text_printf (&text, "user:%d:1\n", 10 * i);
    subids_map (&arena, text_string (&text), "user", 1000, 1000, &mappings);
    assert_int_equal (mappings.count, 340);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (names_are_found),
        cmocka_unit_test (maps_are_made),
        cmocka_unit_test (more_than_the_kernel_takes_is_cut),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
