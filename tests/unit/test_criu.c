/* SPDX-License-Identifier: Apache-2.0 */
/* criu: the bytes that are exchanged with CRIU, and what its log says. */
#include "base/text.h"
#include "criu/criu.h"
#include "criu/last_words.h"
#include "criu/protobuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* rows: CKP-01 */
static void numbers_are_varints (void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t length;
    } table[] = {
        {0, "\x08\x00", 2},       {1, "\x08\x01", 2},
        {127, "\x08\x7f", 2},     {128, "\x08\x80\x01", 3},
        {300, "\x08\xac\x02", 3}, {UINT64_MAX, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
    };

    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        AUTO_TEXT struct text out = {0};
        struct protobuf_field field;
        protobuf_number (&out, 1, table[i].value);
        assert_int_equal (out.length, table[i].length);
        assert_memory_equal (out.bytes, table[i].bytes, out.length);
        struct protobuf in = {.at = (const unsigned char *)out.bytes, .left = out.length};
        assert_int_equal (protobuf_next (&in, &field), 1);
        assert_true (field.number == 1 && field.value == table[i].value);
        assert_int_equal (protobuf_next (&in, &field), 0);
    }
}

/* rows: CKP-22 */
static void rubbish_is_no_message (void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
    } table[] = {
        {"\x08", 1},                                              /* no value */
        {"\x08\x80", 2},                                          /* half of one */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11},     /* of 65 bits */
        {"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12}, /* of eleven bytes */
        {"\x00\x01", 2},                                          /* field 0 */
        {"\x0b\x01", 2},                                          /* a kind that nobody uses */
        {"\x0a\x05"
         "abc",
         5}, /* longer than what there is */
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
        {"\x0d\x01\x02", 3},
        {"\x09\x01\x02\x03", 4},
    };

    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        struct protobuf in = {.at = (const unsigned char *)table[i].bytes, .left = table[i].length};
        struct protobuf_field field = {.number = 77};
        if (protobuf_next (&in, &field) != -1)
            fail_msg ("line %zu is a message", i);
        assert_int_equal (field.number, 77);
        assert_int_equal (in.left, table[i].length);
    }
}

static void fixed_numbers_are_passed_over (void **state)
{
    (void)state;
    struct protobuf in = {.at = (const unsigned char *)"\x0d"
                                                       "1234"
                                                       "\x11"
                                                       "12345678"
                                                       "\x18\x05",
                          .left = 16};
    struct protobuf_field field;

    assert_int_equal (protobuf_next (&in, &field), 1);
    assert_true (field.number == 1 && field.body.left == 4);
    assert_int_equal (protobuf_next (&in, &field), 1);
    assert_true (field.number == 2 && field.body.left == 8);
    assert_int_equal (protobuf_next (&in, &field), 1);
    assert_true (field.number == 3 && field.value == 5 && field.body.left == 0);
}

/* The options of a request as its fields; -1: there is none of that number. */
static int64_t option (const struct criu_options *options, uint32_t number, size_t *count)
{
    AUTO_TEXT struct text out = {0};
    struct protobuf_field field;
    int64_t value = -1;

    criu_request_write (&out, CRIU_DUMP, options);
    struct protobuf in = {.at = (const unsigned char *)out.bytes, .left = out.length};
    assert_int_equal (protobuf_next (&in, &field), 1);
    assert_true (field.number == 1 && field.value == CRIU_DUMP);
    assert_int_equal (protobuf_next (&in, &field), 1);
    assert_int_equal (field.number, 2);
    struct protobuf body = field.body;
    assert_int_equal (protobuf_next (&in, &field), 0);
    *count = 0;
    while (protobuf_next (&body, &field) == 1)
        if (field.number == number) {
            value = field.body.at ? (int64_t)field.body.left : (int64_t)field.value;
            ++*count;
        }
    return value;
}

/* rows: CKP-13 CKP-25 */
static void only_what_is_asked_for_is_sent (void **state)
{
    (void)state;
    const char *externals[] = {"mnt[/a]:/b", "mnt[/c]:/d"};
    const struct criu_options none = {.images = 3, .work = 4, .log_file = "x"};
    const struct criu_options some = {.images = 3,
                                      .work = 4,
                                      .log_file = "x",
                                      .cgroups = CRIU_CGROUPS_IGNORE,
                                      .externals = {externals, 2}};
    size_t count;

    assert_int_equal (option (&none, 1, &count), 3);
    assert_int_equal (option (&none, 17, &count), 4);
    assert_int_equal (option (&none, 34, &count), -1);
    assert_int_equal (option (&none, 37, &count), -1);
    assert_int_equal (option (&some, 34, &count),
                      0); /* a number that must be sent, though it is 0 */
    assert_int_equal (option (&some, 37, &count), 10);
    assert_int_equal (count, 2);
}

/* rows: CKP-21 CKP-29 */
static void answers_are_read (void **state)
{
    (void)state;
    static const char notify[] = "\x08\x06\x10\x01\x2a\x0e\x0a\x0a"
                                 "pre-resume"
                                 "\x10\x2a";
    static const char version[] = "\x08\x0a\x10\x01\x52\x06\x08\x04\x10\x02\x20\x01";
    static const char refusal[] = "\x08\x02\x10\x00\x38\x02\x4a\x02"
                                  "no";
    static const char restored[] = "\x08\x02\x10\x01\x22\x03\x08\xac\x02";
    struct criu_answer answer;

    assert_int_equal (criu_answer_read (notify, sizeof (notify) - 1, &answer), 0);
    assert_int_equal (answer.task, 6);
    assert_string_equal (answer.script, "pre-resume");
    assert_int_equal (answer.pid, 42);
    assert_int_equal (criu_answer_read (version, sizeof (version) - 1, &answer), 0);
    assert_int_equal (answer.version, 40201);
    assert_int_equal (criu_answer_read (refusal, sizeof (refusal) - 1, &answer), 0);
    assert_true (!answer.success && answer.errnum == 2);
    assert_string_equal (answer.message, "no");
    assert_int_equal (criu_answer_read (restored, sizeof (restored) - 1, &answer), 0);
    assert_true (answer.success && answer.pid == 300);

    answer.pid = 7;
    assert_int_equal (criu_answer_read ("", 0, &answer), -1);
    assert_int_equal (criu_answer_read ("\x10\x01", 2, &answer), -1);             /* no type */
    assert_int_equal (criu_answer_read ("\x08\x02\x22\x02\x08", 5, &answer), -1); /* cut */
    assert_int_equal (answer.pid, 7);
}

/* rows: CKP-22 */
static void long_words_are_cut (void **state)
{
    (void)state;
    AUTO_TEXT struct text out = {0};
    struct criu_answer answer;
    char word[1000];

    memset (word, 'x', sizeof (word));
    word[sizeof (word) - 1] = '\0';
    protobuf_number (&out, 1, 2);
    protobuf_string (&out, 9, word);
    assert_int_equal (criu_answer_read (out.bytes, out.length, &answer), 0);
    assert_int_equal (strlen (answer.message), sizeof (answer.message) - 1);
}

/* rows: CKP-22 */
static void the_log_says_why (void **state)
{
    (void)state;
    static const struct {
        const char *log;
        const char *words;
    } table[] = {
        {"", ""},
        {"(00.1) Error (criu/util.c:1): rlimit: Can't\n", ""},
        {"(00.1) Warn  (a.c:1): w\n(00.2) Error (b.c:2): why\n", "why"},
        {"(00.1)      1: Error (b.c:2): mnt: why", "mnt: why"},
        {"Error (a.c:1): 1\nError (a.c:1): 2\nError (a.c:1): 3\nError (a.c:1): 4\n", "1; 2; 3; 4"},
        {"Error (a.c:1): 1\nError (a.c:1): 2\nError (a.c:1): 3\nError (a.c:1): 4\n"
         "Error (a.c:1): 5\n",
         "1; 2; 3; ...; 5"},
        {"Error: of another program\nError (\n", ""},
    };

    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        AUTO_TEXT struct text words = {0};
        last_words_find (table[i].log, &words);
        assert_string_equal (text_string (&words), table[i].words);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (numbers_are_varints),
        cmocka_unit_test (rubbish_is_no_message),
        cmocka_unit_test (fixed_numbers_are_passed_over),
        cmocka_unit_test (only_what_is_asked_for_is_sent),
        cmocka_unit_test (answers_are_read),
        cmocka_unit_test (long_words_are_cut),
        cmocka_unit_test (the_log_says_why),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
