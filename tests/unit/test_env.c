/* SPDX-License-Identifier: Apache-2.0 */
/* env: which entries the container's process gets. */
#include "container/env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check (char *const given[], const char *home, const char *const expected[])
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct oci_process process = {.env = {.items = (char **)given, .present = true}};
    struct oci_strings env = {0};
    struct error err = {0};
    size_t i;

    while (given[process.env.count])
        process.env.count++;
    assert_int_equal (env_prepare (&arena, &process, home, NULL, &env, &err), 0);
    for (i = 0; expected[i]; i++) {
        assert_true (i < env.count);
        assert_string_equal (env.items[i], expected[i]);
    }
    assert_int_equal (env.count, i);
    assert_null (env.items[i]);
}

#define LIST(...) ((char *[]){__VA_ARGS__, NULL})
#define EXPECT(...) ((const char *const[]){__VA_ARGS__, NULL})

/* rows: PRC-06 */
static void the_last_of_a_name_wins (void **state)
{
    (void)state;
    check (LIST ("A=1", "B=2", "A=3", "HOME=/h"), "/x", EXPECT ("B=2", "A=3", "HOME=/h"));
    check (LIST ("A=1", "A=", "AA=1", "HOME=/h"), "/x", EXPECT ("A=", "AA=1", "HOME=/h"));
    check (LIST ("A=x\ny", "HOME=/h"), "/x", EXPECT ("A=x\ny", "HOME=/h"));
    check (LIST ("A=b=c", "HOME=/h"), "/x", EXPECT ("A=b=c", "HOME=/h"));
}

/* rows: PRC-06 */
static void a_prefix_is_another_name (void **state)
{
    (void)state;
    for (char c = 'A'; c <= 'Z'; c++) {
        char entries[6][16] = {{c, '=', '\0'}};
        char *given[7] = {entries[0]};
        for (int i = 1; i < 6; i++) {
            (void)snprintf (entries[i], sizeof (entries[i]), "%c%d=", c, i);
            given[i] = entries[i];
        }
        check (given, NULL, (const char *const *)given);
    }
}

/* rows: PRC-07 PRC-09 */
static void home_is_set_exactly_once (void **state)
{
    (void)state;
    check (LIST ("A=1"), "/root", EXPECT ("A=1", "HOME=/root"));
    check (LIST ("HOME=", "A=1"), "/root", EXPECT ("A=1", "HOME=/root"));
    check (LIST ("HOME=/a", "HOME="), "/root", EXPECT ("HOME=/root"));
    check (LIST ("HOME=", "HOME=/a"), "/root", EXPECT ("HOME=/a"));
    check (LIST ("HOME=/a", "HOME=/b"), "/root", EXPECT ("HOME=/b"));
    check (LIST ("HOMER=/a"), "/root", EXPECT ("HOMER=/a", "HOME=/root"));
    check ((char *[]){NULL}, "/", EXPECT ("HOME=/"));
    check ((char *[]){NULL}, NULL, (const char *const[]){NULL});
}

/* rows: PRC-06 HDN-19 */
static void entries_without_a_name_are_refused_and_not_shown (void **state)
{
    (void)state;
    static const char *const bad[] = {"SECRET", "=SECRET", "", "="};

    for (size_t i = 0; i < sizeof (bad) / sizeof (*bad); i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        char *items[] = {(char *)"A=1", (char *)bad[i], NULL};
        struct oci_process process = {.env = {.count = 2, .items = items, .present = true}};
        struct oci_strings env = {0};
        struct error err = {0};
        assert_int_equal (env_prepare (&arena, &process, "/", NULL, &env, &err), -1);
        assert_string_equal (err.code, "RT-ENV-ENTRY");
        assert_string_equal (err.pointer, "/process/env/1");
        assert_null (strstr (err.text, "SECRET"));
        assert_null (env.items);
    }
}

/* rows: PRC-06 */
static void many_entries (void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct oci_process process = {.env = {.count = COUNT, .present = true}};
    struct oci_strings env = {0};
    struct error err = {0};

    process.env.items = arena_array (&arena, COUNT + 1, sizeof (char *));
    for (int i = 0; i < COUNT; i++)
        process.env.items[i] = arena_printf (&arena, "SERVICE_%d=%d", i % (COUNT / 2), i);
    assert_int_equal (env_prepare (&arena, &process, "/", NULL, &env, &err), 0);
    assert_int_equal (env.count, COUNT / 2 + 1);
    assert_string_equal (env.items[0], "SERVICE_0=50000");
    assert_string_equal (env_value (&env, "SERVICE_49999"), "99999");
    assert_string_equal (env.items[COUNT / 2], "HOME=/");
}

/* rows: FDS-10 FDS-02 */
static void what_is_passed_outweighs_the_document (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    char *given[] = {"LISTEN_PID=7", "A=1", "HOME=/h", NULL};
    char *more[] = {"LISTEN_PID=1", "NOTIFY_SOCKET=/n", NULL};
    const struct oci_process process = {.env = {.count = 3, .items = given, .present = true}};
    const struct oci_strings passed = {.count = 2, .items = more};
    struct oci_strings env = {0};
    struct error err = {0};

    assert_int_equal (env_prepare (&arena, &process, "/", &passed, &env, &err), 0);
    assert_int_equal (env.count, 4);
    assert_string_equal (env.items[0], "A=1");
    assert_string_equal (env.items[2], "LISTEN_PID=1");
    assert_string_equal (env.items[3], "NOTIFY_SOCKET=/n");
    assert_null (env.items[4]);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_last_of_a_name_wins),
        cmocka_unit_test (a_prefix_is_another_name),
        cmocka_unit_test (home_is_set_exactly_once),
        cmocka_unit_test (entries_without_a_name_are_refused_and_not_shown),
        cmocka_unit_test (many_entries),
        cmocka_unit_test (what_is_passed_outweighs_the_document),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
