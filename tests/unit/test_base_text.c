/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings that grow, numbers without surprises, lexical paths, the distance of words, the arena.
 */
#include "base/arena.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void text_grows (void **state)
{
    (void)state;
    AUTO_TEXT struct text text = {0};
    assert_string_equal (text_string (&text), "");
    for (int i = 0; i < 1000; i++)
        text_printf (&text, "%d,", i);
    assert_int_equal (text.length, 3890);
    assert_true (text_starts_with (text_string (&text), "0,1,2,3,"));
    assert_string_equal (text.bytes + text.length - 4, "999,");

    char *taken = text_take (&text);
    assert_int_equal (strlen (taken), 3890);
    assert_int_equal (text.length, 0);
    free (taken);
    taken = text_take (&text); /* of an empty text */
    assert_string_equal (taken, "");
    free (taken);
}

/* rows: CLI-36 */
static void numbers_are_strict (void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        " 1",
                                        "1 ",
                                        "+1",
                                        "-1",
                                        "0x10",
                                        "1a",
                                        "1.0",
                                        "1e3",
                                        "--1",
                                        "\xd9\xa1",
                                        "1\n",
                                        "18446744073709551616",
                                        "99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint64_t value = 42;
        assert_int_equal (text_to_uint64 (wrong[i], UINT64_MAX, &value), -1);
        assert_int_equal (value, 42);
    }
    uint64_t value;
    assert_int_equal (text_to_uint64 ("18446744073709551615", UINT64_MAX, &value), 0);
    assert_true (value == UINT64_MAX);
    assert_int_equal (text_to_uint64 ("007", 7, &value), 0);
    assert_int_equal (value, 7);
    assert_int_equal (text_to_uint64 ("8", 7, &value), -1);
}

static void signed_numbers_are_strict (void **state)
{
    (void)state;
    int64_t value = 42;
    assert_int_equal (text_to_int64 ("-9223372036854775808", INT64_MIN, INT64_MAX, &value), 0);
    assert_true (value == INT64_MIN);
    assert_int_equal (text_to_int64 ("9223372036854775807", INT64_MIN, INT64_MAX, &value), 0);
    assert_true (value == INT64_MAX);
    value = 42;
    assert_int_equal (text_to_int64 ("-9223372036854775809", INT64_MIN, INT64_MAX, &value), -1);
    assert_int_equal (text_to_int64 ("9223372036854775808", INT64_MIN, INT64_MAX, &value), -1);
    assert_int_equal (text_to_int64 ("-", INT64_MIN, INT64_MAX, &value), -1);
    assert_int_equal (text_to_int64 ("--1", INT64_MIN, INT64_MAX, &value), -1);
    assert_int_equal (text_to_int64 ("-6", -5, 5, &value), -1);
    assert_int_equal (value, 42);
    assert_int_equal (text_to_int64 ("-0", -5, 5, &value), 0);
    assert_int_equal (value, 0);
}

static void paths_are_cleaned (void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"/a/b", "/a/b"},     {"//a///b//", "/a/b"}, {"/a/./b/.", "/a/b"}, {"/a/../b", "/b"},
        {"/a/../../b", "/b"}, {"/..", "/"},          {"/", "/"},           {"", "."},
        {".", "."},           {"..", "."},           {"../x", "x"},        {"a/..", "."},
        {"a/../../b", "b"},   {"a/b/../c/", "a/c"},  {"/...", "/..."},     {"/..a/.b", "/..a/.b"},
        {"./a", "a"},         {"/ab/../c", "/c"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char *out = malloc (strlen (pairs[i][0]) + 2); /* exactly: valgrind and ASan watch */
        text_clean_path (pairs[i][0], out);
        assert_string_equal (out, pairs[i][1]);
        free (out);
    }
}

static void words_have_a_distance (void **state)
{
    (void)state;
    assert_int_equal (text_distance ("", ""), 0);
    assert_int_equal (text_distance ("", "abc"), 3);
    assert_int_equal (text_distance ("start", "start"), 0);
    assert_int_equal (text_distance ("strat", "start"), 1);
    assert_int_equal (text_distance ("bundel", "bundle"), 1);
    assert_int_equal (text_distance ("kil", "kill"), 1);
    assert_int_equal (text_distance ("killl", "kill"), 1);
    assert_int_equal (text_distance ("list", "kill"), 3);
    assert_int_equal (text_distance ("ca", "abc"), 3);
    char longest[65] = {0};
    memset (longest, 'a', 64);
    assert_true (text_distance (longest, "a") == SIZE_MAX);
    longest[63] = '\0';
    assert_int_equal (text_distance (longest, "a"), 62);
}

static void arena_is_zeroed_and_aligned (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    char *small = arena_string (&arena, "small");
    for (size_t size = 0; size < 40000; size = size * 3 / 2 + 1) {
        unsigned char *memory = arena_alloc (&arena, size);
        assert_int_equal ((uintptr_t)memory % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal (memory[i], 0);
        memset (memory, 0xff, size);
    }
    assert_string_equal (small, "small");
    assert_string_equal (arena_printf (&arena, "%s-%d", "x", 7), "x-7");
    assert_string_equal (arena_copy (&arena, "abcdef", 3), "abc");

    arena_release (&arena);
    assert_string_equal (arena_string (&arena, "again"), "again");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (text_grows),
        cmocka_unit_test (numbers_are_strict),
        cmocka_unit_test (signed_numbers_are_strict),
        cmocka_unit_test (paths_are_cleaned),
        cmocka_unit_test (words_have_a_distance),
        cmocka_unit_test (arena_is_zeroed_and_aligned),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
