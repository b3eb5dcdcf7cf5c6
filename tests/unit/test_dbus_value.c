/* SPDX-License-Identifier: Apache-2.0 */
/* GVariant text to values with D-Bus types. */
#include "cgroup/dbus_value.h"

#include "base/text.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* TYPE=VALUE, with brackets around what has parts. */
static void show (const struct dbus_value *value, struct text *out)
{
    text_printf (out, "%s=", value->type);
    switch (value->type[0]) {
    case 'n':
        text_printf (out, "%d", (int16_t)value->integer);
        break;
    case 'i':
        text_printf (out, "%d", (int32_t)value->integer);
        break;
    case 'x':
        text_printf (out, "%" PRId64, value->integer);
        break;
    case 'd':
        text_printf (out, "%g", value->real);
        break;
    case 's':
    case 'o':
    case 'g':
        text_printf (out, "%s", value->text);
        break;
    case 'a':
    case '(':
        for (size_t i = 0; i < value->count; i++) {
            text_puts (out, i ? "," : "{");
            show (&value->items[i], out);
        }
        text_puts (out, value->count ? "}" : "{}");
        break;
    default:
        text_printf (out, "%" PRIu64, value->number);
    }
}

/* NULL: an error */
static const char *const texts[][2] = {
    {"5", "i=5"},
    {" -5 ", "i=-5"},
    {"+5", "i=5"},
    {"2147483647", "i=2147483647"},
    {"-2147483648", "i=-2147483648"},
    {"2147483648", NULL},
    {"-2147483649", NULL},
    {"0x10", "i=16"},
    {"0xfE", "i=254"},
    {"0x", NULL},
    {"0xg", NULL},
    {"5.5", "d=5.5"},
    {"1e3", "d=1000"},
    {"-.5", "d=-0.5"},
    {"1e", NULL},
    {"double 3", "d=3"},
    {"5x", NULL},
    {"-", NULL},
    {"true", "b=1"},
    {"false", "b=0"},
    {"boolean true", "b=1"},
    {"boolean 1", NULL},
    {"byte 255", "y=255"},
    {"byte 256", NULL},
    {"byte -1", NULL},
    {"int16 -32768", "n=-32768"},
    {"int16 32768", NULL},
    {"uint16 65535", "q=65535"},
    {"uint32 4294967295", "u=4294967295"},
    {"uint32 4294967296", NULL},
    {"int64 -9223372036854775808", "x=-9223372036854775808"},
    {"int64 9223372036854775808", NULL},
    {"uint64 18446744073709551615", "t=18446744073709551615"},
    {"uint64 0xffffffffffffffff", "t=18446744073709551615"},
    {"uint64 18446744073709551616", NULL},
    {"uint64 -0", "t=0"},
    {"@t 7", "t=7"},
    {"@t7", NULL},
    {"@v 7", NULL},
    {"'word'", "s=word"},
    {"\"it's\"", "s=it's"},
    {"'a\\'b\\\\\\n'", "s=a'b\\\n"},
    {"'\\z'", NULL},
    {"'\\", NULL},
    {"'open", NULL},
    {"word", NULL},
    {"", NULL},
    {"'a' 'b'", NULL},
    {"objectpath '/a'", "o=/a"},
    {"objectpath 'a'", NULL},
    {"signature 'as'", "g=as"},
    {"string 5", NULL},
    {"['a', 'b']", "as={s=a,s=b}"},
    {"[ 'a' , ]", "as={s=a}"},
    {"[1, 2.5]", "ad={d=1,d=2.5}"},
    {"[1, byte 2]", "ay={y=1,y=2}"},
    {"[uint64 1, byte 2]", NULL},
    {"['a', 1]", NULL},
    {"[]", NULL},
    {"@as []", "as={}"},
    {"@as ['x']", "as={s=x}"},
    {"@as [1]", NULL},
    {"@as 'x'", NULL},
    {"[[], ['a']]", "aas={as={},as={s=a}}"},
    {"[[]]", NULL},
    {"['a'", NULL},
    {"['a' 'b']", NULL},
    {"]", NULL},
    {"('a', true)", "(sb)={s=a,b=1}"},
    {"[('a', uint64 1), ('b', 2)]", "a(st)={(st)={s=a,t=1},(st)={s=b,t=2}}"},
    {"@a(st) [('a', 1)]", "a(st)={(st)={s=a,t=1}}"},
    {"@a(st) [('a', 1, 2)]", NULL},
    {"@a(st) [('a',)]", NULL},
    {"@a(st) []", "a(st)={}"},
    {"@a() []", NULL},
    {"@a( []", NULL},
    {"()", NULL},
    {"uint64 uint64 1", NULL},
    {"{'a': 1}", NULL},
    {"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", NULL},
};

/* rows: CGS-25 */
static void values (void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        AUTO_TEXT struct text shown = {0};
        struct dbus_value value = {.type = "untouched"};
        struct error err = {0};
        int result = dbus_value_parse (&arena, texts[i][0], &value, &err);

        if (!texts[i][1]) {
            if (result == 0)
                print_error ("taken: %s\n", texts[i][0]);
            assert_int_equal (result, -1);
            assert_true (error_is_set (&err));
            assert_string_equal (value.type, "untouched");
            continue;
        }
        if (result < 0)
            print_error ("%s: %s\n", texts[i][0], err.text);
        assert_int_equal (result, 0);
        show (&value, &shown);
        assert_string_equal (text_string (&shown), texts[i][1]);
    }
}

static void types (void **state)
{
    static const struct {
        const char *signature;
        size_t length;
    } cases[] = {{"s", 1}, {"st", 1},   {"as", 2}, {"aas", 3},      {"a(st)", 5}, {"(sa(yb))x", 8},
                 {"", 0},  {"a", 0},    {"()", 0}, {"(s", 0},       {"v", 0},     {"a{sv}", 0},
                 {"h", 0}, {"(sv)", 0}, {")", 0},  {"((((s))))", 9}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal (dbus_type_length (cases[i].signature, false), cases[i].length);
    assert_int_equal (dbus_type_length ("a(sa(sv))v", true), 9);
    assert_int_equal (dbus_type_length ("v", true), 1);
}

/* What is taken from a text can be read from a message, also where it has as many members as a text
 * may have. */
static void types_of_many_members (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text text = {0};
    struct dbus_value value;
    struct error err;

    text_puts (&text, "[('s'");
    for (size_t members = 1; members <= 64; members++) {
        AUTO_TEXT struct text whole = {0};
        text_printf (&whole, "%s)]", text_string (&text));
        assert_int_equal (dbus_value_parse (&arena, text_string (&whole), &value, &err), 0);
        assert_int_equal (dbus_type_length (value.type, false), members + 3);
        text_puts (&text, ", 1");
    }
}

/* Hostile ones, which are longer than a stack is deep. */
static void types_without_end (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const size_t length = 4 << 20;
    const char letters[] = "(a";
    struct dbus_value value;
    struct error err;
    char *text = arena_alloc (&arena, length + 1);

    for (size_t i = 0; letters[i]; i++) {
        memset (text, letters[i], length);
        text[0] = '@';
        assert_int_equal (dbus_value_parse (&arena, text, &value, &err), -1);
    }
    memset (text, 'a', length);
    memcpy (text, "@", 1);
    memcpy (text + 300, "i []", sizeof "i []");
    assert_int_equal (dbus_value_parse (&arena, text, &value, &err), -1);
    assert_non_null (strstr (err.text, "255"));
    memset (text, 'i', 300);
    memcpy (text, "signature '", strlen ("signature '"));
    memcpy (text + 300, "'", sizeof "'");
    assert_int_equal (dbus_value_parse (&arena, text, &value, &err), -1);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (values),
        cmocka_unit_test (types),
        cmocka_unit_test (types_of_many_members),
        cmocka_unit_test (types_without_end),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
