/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text: commas, indentation, escapes.
 */
#include "base/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void write_sample (struct text *out, bool pretty)
{
    struct json_writer writer = {.out = out, .pretty = pretty};
    json_open (&writer, NULL, '{');
    json_string (&writer, "id", "a/b");
    json_open (&writer, "list", '[');
    json_int (&writer, NULL, INT64_MIN);
    json_uint (&writer, NULL, UINT64_MAX);
    json_close (&writer, ']');
    json_open (&writer, "none", '{');
    json_close (&writer, '}');
    json_open (&writer, "nested", '[');
    json_open (&writer, NULL, '{');
    json_bool (&writer, "yes", true);
    json_close (&writer, '}');
    json_open (&writer, NULL, '[');
    json_close (&writer, ']');
    json_close (&writer, ']');
    json_null (&writer, "null");
    json_bool (&writer, "no", false);
    json_close (&writer, '}');
}

static void compact (void **state)
{
    (void)state;
    AUTO_TEXT struct text out = {0};
    write_sample (&out, false);
    assert_string_equal (text_string (&out),
                         "{\"id\":\"a/b\",\"list\":[-9223372036854775808,18446744073709551615],"
                         "\"none\":{},\"nested\":[{\"yes\":true},[]],\"null\":null,\"no\":false}");
}

static void indented (void **state)
{
    (void)state;
    AUTO_TEXT struct text out = {0};
    write_sample (&out, true);
    assert_string_equal (text_string (&out), "{\n"
                                             "  \"id\": \"a/b\",\n"
                                             "  \"list\": [\n"
                                             "    -9223372036854775808,\n"
                                             "    18446744073709551615\n"
                                             "  ],\n"
                                             "  \"none\": {},\n"
                                             "  \"nested\": [\n"
                                             "    {\n"
                                             "      \"yes\": true\n"
                                             "    },\n"
                                             "    []\n"
                                             "  ],\n"
                                             "  \"null\": null,\n"
                                             "  \"no\": false\n"
                                             "}");
}

static void strings_are_escaped (void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"", "\"\""},
        {"plain /path", "\"plain /path\""},
        {"\"\\\b\f\n\r\t", "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
        {"\x01\x1b\x1f\x7f", "\"\\u0001\\u001b\\u001f\\u007f\""},
        {"\xc2\x80\xc2\x9b\xc2\xa0", "\"\\u0080\\u009b\xc2\xa0\""}, /* C1 */
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"a\xff"
         "b",
         "\"a\xef\xbf\xbd"
         "b\""},
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* surrogate */
        {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* cut off by the end */
        {"\xc3", "\"\xef\xbf\xbd\""},
        {"\xc3\"", "\"\xef\xbf\xbd\\\"\""}, /* a quote is never swallowed */
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        AUTO_TEXT struct text out = {0};
        json_quote (&out, pairs[i][0]);
        assert_string_equal (text_string (&out), pairs[i][1]);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (compact),
        cmocka_unit_test (indented),
        cmocka_unit_test (strings_are_escaped),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
