/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors as values, and how they read.
 */
#include "base/error.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *formatted (const struct error *err)
{
    static char line[2048];
    error_format (err, line, sizeof line);
    return line;
}

/* rows: ENG-07 ENG-17 */
static void message_has_all_parts_in_order (void **state)
{
    (void)state;
    struct error err;
    assert_int_equal (error_set (&err, "RT-MOUNT-SOURCE", ENOENT, "mount `%s`", "/src"), -1);
    assert_string_equal (formatted (&err), "mount `/src`: no such file or directory");
    assert_int_equal (error_at (&err, "/mounts/%d", 3), -1);
    assert_string_equal (formatted (&err),
                         "mount `/src`: no such file or directory (config.json /mounts/3)");
    err.line = 12;
    err.column = 5;
    error_hint (&err, "make it first");
    assert_string_equal (
        formatted (&err),
        "mount `/src`: no such file or directory (config.json:12:5 /mounts/3; make it first)");
    assert_string_equal (err.code, "RT-MOUNT-SOURCE");
}

static void hint_without_place (void **state)
{
    (void)state;
    struct error err;
    error_set (&err, "RT-X", 0, "text");
    error_hint (&err, "hint");
    assert_string_equal (formatted (&err), "text (hint)");
}

static void nearest_place_wins (void **state)
{
    (void)state;
    struct error err;
    error_set (&err, "RT-X", 0, "text");
    error_at (&err, "/linux/seccomp");
    error_at (&err, "/linux");
    assert_string_equal (err.pointer, "/linux/seccomp");
    error_set (&err, "RT-Y", 0, "new");
    assert_string_equal (err.pointer, "");
    assert_true (error_is_set (&err));
}

static void wrap_goes_in_front (void **state)
{
    (void)state;
    struct error err;
    error_set (&err, "RT-X", 0, "inner");
    error_wrap (&err, "outer %d", 1);
    assert_string_equal (err.text, "outer 1: inner");
    error_wrap (&err, "again %s", err.text); /* its own text as an argument */
    assert_string_equal (err.text, "again outer 1: inner: outer 1: inner");
    error_set (&err, "RT-X", 0, "<%s>", err.text);
    assert_string_equal (err.text, "<again outer 1: inner: outer 1: inner>");
}

static void long_texts_are_cut (void **state)
{
    (void)state;
    struct error err;
    char big[4000];
    memset (big, 'a', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    error_set (&err, big, 0, "%s", big);
    assert_int_equal (strlen (err.text), sizeof err.text - 1);
    assert_int_equal (strlen (err.code), sizeof err.code - 1);
    error_wrap (&err, "%s", big);
    error_at (&err, "/%s", big);
    error_hint (&err, "%s", big);
    assert_int_equal (strlen (err.pointer), sizeof err.pointer - 1);
    for (size_t size = 0; size < 64; size++) {
        char small[65];
        memset (small, 'X', sizeof small);
        error_format (&err, small, size);
        assert_int_equal (small[size], 'X');
        if (size > 0)
            assert_int_equal (strlen (small), size - 1);
    }
}

/* A hostile id or image cannot begin a line of its own in the log, nor steer a terminal. */
static void control_characters_are_masked (void **state)
{
    (void)state;
    struct error err;
    error_set (&err, "RT-X", 0, "id `%s`", "a\nlevel=error\x1b[2J\x7f");
    assert_string_equal (formatted (&err), "id `a?level=error?[2J?`");
    /* C1 as a byte and as a character, cut characters; but letters stay. */
    error_set (&err, "RT-X", 0,
               "a\x9b"
               "1m \xc2\x9b \xc3\xa9 \xe2\x82\xac \xe2\x82");
    assert_string_equal (formatted (&err), "a?1m ?? \xc3\xa9 \xe2\x82\xac ??");
}

/* The table of ours, beside the glibc of this build; and it has what calls of the kernel return. */
static void errno_has_the_usual_words (void **state)
{
    char unknown[64];

    (void)state;
    (void)snprintf (unknown, sizeof unknown, "%s", strerror (4095)); /* its place is used again */
    assert_string_equal (error_words (EMFILE), "too many open files");
    assert_string_equal (error_words (EIO), "input/output error");
    assert_string_equal (error_words (EXDEV), "invalid cross-device link");
    assert_string_equal (error_words (ENOTTY), "inappropriate ioctl for device");
    assert_string_equal (error_words (ELIBBAD), "accessing a corrupted shared library");
    assert_string_equal (error_words (0), strerror (0));
    assert_string_equal (error_words (4095), unknown);
    for (int errnum = 1; errnum < 134; errnum++) {
        char libc[64];
        (void)snprintf (libc, sizeof libc, "%s", strerror (errnum));
        const char *ours = error_words (errnum);
        assert_string_equal (ours + 1, libc + 1);
        assert_int_equal (tolower (ours[0]), tolower (libc[0]));
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (message_has_all_parts_in_order),
        cmocka_unit_test (hint_without_place),
        cmocka_unit_test (nearest_place_wins),
        cmocka_unit_test (wrap_goes_in_front),
        cmocka_unit_test (long_texts_are_cut),
        cmocka_unit_test (control_characters_are_masked),
        cmocka_unit_test (errno_has_the_usual_words),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
