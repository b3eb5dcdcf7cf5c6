/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON reader: what it refuses, and where it says that values stand.
 */
#include "base/arena.h"
#include "base/text.h"
#include "oci-spec/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct json *parse (struct arena *arena, const char *text, struct error *err)
{
    memset (err, 0, sizeof (*err));
    return json_parse (arena, "config.json", text, strlen (text), err);
}

/* rows: CRT-33 */
static void values_are_read (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error err;
    const struct json *root = parse (
        &arena,
        "{\"n\":null,\"t\":true,\"f\":false,\"i\":-18446744073709551616,\"d\":1.50e+3,"
        "\"s\":\"a\\n\\u00e9\\ud83d\\ude00\\/\",\"\":\"\",\"a\":[1,[],{}],\"o\":{\"x/y~z\":7}}",
        &err);

    (void)state;
    assert_non_null (root);
    assert_int_equal (root->type, JSON_OBJECT);
    assert_int_equal (root->count, 9);
    assert_int_equal (json_member (root, "n")->type, JSON_NULL);
    assert_true (json_member (root, "t")->boolean);
    assert_false (json_member (root, "f")->boolean);
    assert_int_equal (json_member (root, "f")->type, JSON_BOOL);
    assert_string_equal (json_member (root, "i")->text, "-18446744073709551616");
    assert_string_equal (json_member (root, "d")->text, "1.50e+3");
    assert_string_equal (json_member (root, "s")->text, "a\n\xc3\xa9\xf0\x9f\x98\x80/");
    assert_string_equal (json_member (root, "")->text, "");
    assert_int_equal (json_member (root, "a")->count, 3);
    assert_null (json_member (root, "absent"));
    assert_null (json_member (json_member (root, "a"), "x"));
    assert_string_equal (json_at (root, "/o/x~1y~0z")->text, "7");
    assert_ptr_equal (json_at (root, ""), root);
    assert_string_equal (json_at (root, "/")->text, "");
    assert_int_equal (json_at (root, "/a/2")->type, JSON_OBJECT);
    assert_null (json_at (root, "/a/3"));
    assert_null (json_at (root, "/a/00"));
    assert_null (json_at (root, "/a/-1"));
    assert_null (json_at (root, "/a/0/x"));
    assert_null (json_at (root, "a"));
    assert_null (json_at (root, "/o/x~1y~0"));
}

/* Every value that can stand at the top. */
static void top_values_are_read (void **state)
{
    static const struct {
        const char *text;
        enum json_type type;
        unsigned int column;
    } cases[] = {
        {"12", JSON_NUMBER, 1},    {" 12 ", JSON_NUMBER, 2}, {"-0.5e9", JSON_NUMBER, 1},
        {"null", JSON_NULL, 1},    {" true", JSON_BOOL, 2},  {"\"\"", JSON_STRING, 1},
        {"\t[]\n", JSON_ARRAY, 2}, {"{}", JSON_OBJECT, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (*cases); i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct error err;
        const struct json *root = parse (&arena, cases[i].text, &err);
        assert_non_null (root);
        assert_int_equal (root->type, cases[i].type);
        assert_int_equal (root->line, 1);
        assert_int_equal (root->column, cases[i].column);
    }
}

/* Each value of the tree must stand where the text has it: found again by its own first bytes. */
static void places_are_right (void **state)
{
    static const char text[] = "{ \"a\\u00e9\\\"\" : [ 1,\n"
                               "\t\"\xc3\xa9\xe2\x82\xac\", \"\\n\\\\\" , 2.5e3,true,null],\r\n"
                               "\n"
                               "  \"b\":{\"c\" :\"\\ud83d\\ude00\"  ,  \"d\":\n"
                               "-7}}\n";
    static const struct {
        const char *pointer;
        unsigned int line, column;
    } places[] = {
        {"", 1, 1},
        {"/a\xc3\xa9\"", 1, 17},
        {"/a\xc3\xa9\"/0", 1, 19},
        {"/a\xc3\xa9\"/1", 2, 2},
        {"/a\xc3\xa9\"/2", 2, 11},
        {"/a\xc3\xa9\"/3", 2, 20},
        {"/a\xc3\xa9\"/4", 2, 26},
        {"/a\xc3\xa9\"/5", 2, 31},
        {"/b", 4, 7},
        {"/b/c", 4, 13},
        {"/b/d", 5, 1},
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error err;
    const struct json *root = parse (&arena, text, &err);

    (void)state;
    assert_non_null (root);
    for (size_t i = 0; i < sizeof (places) / sizeof (*places); i++) {
        const struct json *value = json_at (root, places[i].pointer);
        assert_non_null (value);
        assert_int_equal (value->line, places[i].line);
        assert_int_equal (value->column, places[i].column);
    }
}

static void refused (const char *text, size_t length, const char *code, unsigned int line,
                     unsigned int column)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error err = {0};

    if (json_parse (&arena, "config.json", text, length, &err))
        fail_msg ("accepted: %s", text);
    if (!text_equal (err.code, code) || err.line != line || err.column != column)
        fail_msg ("%s: %s at %u:%u (%s), not %s at %u:%u", text, err.code, err.line, err.column,
                  err.text, code, line, column);
    assert_string_equal (err.file, "config.json");
}

/* rows: CRT-33 HDN-17 */
static void bad_texts_are_refused (void **state)
{
    static const struct {
        const char *text;
        const char *code;
        unsigned int line, column;
    } cases[] = {
        {"", "RT-JSON-SYNTAX", 1, 1},
        {" \n ", "RT-JSON-SYNTAX", 2, 2},
        {"[1,]", "RT-JSON-SYNTAX", 1, 4},
        {"[1 2]", "RT-JSON-SYNTAX", 1, 4},
        {"{\"a\" 1}", "RT-JSON-SYNTAX", 1, 6},
        {"{\"a\":1,\n}", "RT-JSON-SYNTAX", 2, 1},
        {"{a:1}", "RT-JSON-SYNTAX", 1, 2},
        {"{1:1}", "RT-JSON-SYNTAX", 1, 2},
        {"[01]", "RT-JSON-SYNTAX", 1, 3},
        {"[+1]", "RT-JSON-SYNTAX", 1, 2},
        {"[1.]", "RT-JSON-SYNTAX", 1, 4},
        {"[tru]", "RT-JSON-SYNTAX", 1, 5},
        {"{} x", "RT-JSON-SYNTAX", 1, 4},
        {"{}\n{}", "RT-JSON-SYNTAX", 2, 1},
        {"[1 /* one */]", "RT-JSON-SYNTAX", 1, 4},
        {"[1] // one", "RT-JSON-SYNTAX", 1, 5},
        {"[\"a\tb\"]", "RT-JSON-SYNTAX", 1, 4},
        {"[\"a\nb\"]", "RT-JSON-SYNTAX", 1, 4},
        {"[\"\\q\"]", "RT-JSON-SYNTAX", 1, 4},
        {"[\n\"abc", "RT-JSON-SYNTAX", 2, 5},
        {"\xef\xbb\xbf{}", "RT-JSON-SYNTAX", 1, 1},
        {"[\"\\u0000\"]", "RT-JSON-NUL", 1, 3},
        {"{\"a\\u0000b\":1}", "RT-JSON-NUL", 1, 4},
        {"[\"\\\\u0000\", \"\\\\\\u0000\"]", "RT-JSON-NUL", 1, 16},
        {"[\"\\ud800\"]", "RT-JSON-UTF8", 1, 3},
        {"[\"\\ud800\\u0041\"]", "RT-JSON-UTF8", 1, 3},
        {"[\"x\\udc00\"]", "RT-JSON-UTF8", 1, 4},
        {"[\"\\ud83d\\ude00\\ude00\"]", "RT-JSON-UTF8", 1, 15},
        {"[\"\xff\"]", "RT-JSON-UTF8", 1, 3},
        {"[\"\xc0\x80\"]", "RT-JSON-UTF8", 1, 3},
        {"[\n \"\xe0\x9f\xbf\"]", "RT-JSON-UTF8", 2, 3},
        {"[\"\xed\xa0\x80\"]", "RT-JSON-UTF8", 1, 3},
        {"[\"\xf0\x8f\xbf\xbf\"]", "RT-JSON-UTF8", 1, 3},
        {"[\"\xf4\x90\x80\x80\"]", "RT-JSON-UTF8", 1, 3},
        {"[\"\xf5\x80\x80\x80\"]", "RT-JSON-UTF8", 1, 3},
        {"[\"\xe2\x82\"]", "RT-JSON-UTF8", 1, 3},
        {"[\"\xe2\x82", "RT-JSON-UTF8", 1, 3},
        {"{\"a\":1,\n \"b\":2,\"a\":3}", "RT-JSON-DUPLICATE", 2, 12},
        {"[{\"\":1},{\"\":1,\"\":2}]", "RT-JSON-DUPLICATE", 1, 18},
        {"{\"a\":1,\"\\u0061\":3}", "RT-JSON-DUPLICATE", 1, 17},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (*cases); i++)
        refused (cases[i].text, strlen (cases[i].text), cases[i].code, cases[i].line,
                 cases[i].column);
    refused ("[\"a\0b\"]", 7, "RT-JSON-SYNTAX", 1, 4);
    refused ("[]\0", 3, "RT-JSON-SYNTAX", 1, 3);
}

static void nested_text (struct text *out, int levels, const char *open, const char *close)
{
    for (int i = 0; i < levels; i++)
        text_puts (out, open);
    text_puts (out, "1");
    for (int i = 0; i < levels; i++)
        text_puts (out, close);
}

/* rows: HDN-17 */
static void depth_is_limited (void **state)
{
    AUTO_TEXT struct text good = {0}, bad = {0}, worse = {0};
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error err;

    (void)state;
    nested_text (&good, JSON_DEPTH_MAX, "[", "]");
    assert_non_null (parse (&arena, text_string (&good), &err));
    nested_text (&bad, JSON_DEPTH_MAX + 1, "[", "]");
    refused (text_string (&bad), bad.length, "RT-JSON-DEPTH", 1, JSON_DEPTH_MAX + 1);
    nested_text (&worse, 200000, "{\"a\":", "}");
    refused (text_string (&worse), worse.length, "RT-JSON-DEPTH", 1, 5 * JSON_DEPTH_MAX + 1);
}

/* rows: HDN-17 */
static void size_is_limited (void **state)
{
    size_t size = (size_t)JSON_SIZE_MAX + 1;
    char *text = malloc (size + 1);
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error err;

    (void)state;
    assert_non_null (text);
    memset (text, ' ', size);
    text[size] = '\0';
    memcpy (text, "[]", 2);
    assert_non_null (json_parse (&arena, "config.json", text, size - 1, &err));
    refused (text, size, "RT-JSON-SIZE", 0, 0);
    free (text);
}

static double milliseconds (void)
{
    struct timespec now;

    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* A large object is read in a time that grows with its size, not with the square of it. It takes
 * about 5 ms; comparing all pairs of keys would take seconds. */
static void large_objects_are_fast (void **state)
{
    AUTO_TEXT struct text text = {0};
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error err;

    (void)state;
    text_puts (&text, "{");
    for (int i = 0; i < 20000; i++)
        text_printf (&text, "%s\n\"a-key-with-a-common-beginning-%d\": \"some text %d\"",
                     i > 0 ? "," : "", i, i);
    text_puts (&text, ",\n\"a-key-with-a-common-beginning-777\": 1}");
    double begin = milliseconds ();
    assert_null (parse (&arena, text_string (&text), &err));
    double taken = milliseconds () - begin;
    assert_string_equal (err.code, "RT-JSON-DUPLICATE");
    assert_int_equal (err.line, 20002);
    assert_int_equal (err.column, 38);
    print_message ("%zu bytes in %.1f ms\n", text.length, taken);
    assert_true (taken < 500);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (values_are_read),        cmocka_unit_test (top_values_are_read),
        cmocka_unit_test (places_are_right),       cmocka_unit_test (bad_texts_are_refused),
        cmocka_unit_test (depth_is_limited),       cmocka_unit_test (size_is_limited),
        cmocka_unit_test (large_objects_are_fast),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
