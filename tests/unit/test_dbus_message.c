/* SPDX-License-Identifier: Apache-2.0 */
/* D-Bus messages to bytes and back, and bytes that are none. */
#include "cgroup/dbus_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct dbus_value parsed (struct arena *arena, const char *text)
{
    struct dbus_value value;
    struct error err = {0};

    assert_int_equal (dbus_value_parse (arena, text, &value, &err), 0);
    return value;
}

static void assert_values_equal (const struct dbus_value *a, const struct dbus_value *b)
{
    assert_string_equal (a->type, b->type);
    if (strchr ("sog", a->type[0])) {
        assert_string_equal (a->text, b->text);
        return;
    }
    assert_int_equal (a->count, b->count);
    if (!strchr ("a(v", a->type[0]))
        assert_true (a->number == b->number);
    for (size_t i = 0; i < a->count; i++)
        assert_values_equal (&a->items[i], &b->items[i]);
}

/* One of each kind, with what needs padding behind what has odd lengths. */
static struct dbus_message sample (struct arena *arena)
{
    static const char *const texts[] = {"byte 7",
                                        "'odd'",
                                        "uint64 18446744073709551615",
                                        "int16 -2",
                                        "2.5",
                                        "true",
                                        "-5",
                                        "@as []",
                                        "[('a', uint64 1), ('bc', 2)]",
                                        "[byte 1, 2, 3]",
                                        "objectpath '/a'",
                                        "signature 'a(st)'",
                                        "[['x'], []]",
                                        "(byte 1, uint64 2)",
                                        "@at []",
                                        "uint16 65535"};
    const size_t count = sizeof texts / sizeof texts[0];
    struct dbus_message message = {.kind = DBUS_CALL,
                                   .flags = DBUS_NO_REPLY,
                                   .serial = 77,
                                   .reply_serial = 5,
                                   .path = "/org/x",
                                   .interface = "org.x.I",
                                   .member = "M",
                                   .error = "org.x.Error",
                                   .destination = "org.x",
                                   .sender = ":1.3",
                                   .count = count + 1};

    message.args = arena_array (arena, count + 1, sizeof *message.args);
    for (size_t i = 0; i < count; i++)
        message.args[i] = parsed (arena, texts[i]);
    struct dbus_value *inner = arena_alloc (arena, sizeof *inner);
    *inner = parsed (arena, "[('a', uint64 1)]");
    message.args[count] = (struct dbus_value){.type = "v", .items = inner, .count = 1};
    return message;
}

static void there_and_back (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text bytes = {0};
    const struct dbus_message written = sample (&arena);
    struct dbus_message read;

    dbus_message_write (&written, &bytes);
    for (size_t have = 0; have < 16; have++)
        assert_int_equal (dbus_message_length (bytes.bytes, have), 0);
    assert_int_equal (dbus_message_length (bytes.bytes, 16), bytes.length);
    assert_int_equal (dbus_message_read (&arena, bytes.bytes, bytes.length, &read), 0);
    assert_int_equal (read.kind, DBUS_CALL);
    assert_int_equal (read.flags, DBUS_NO_REPLY);
    assert_int_equal (read.serial, 77);
    assert_int_equal (read.reply_serial, 5);
    assert_string_equal (read.path, "/org/x");
    assert_string_equal (read.interface, "org.x.I");
    assert_string_equal (read.member, "M");
    assert_string_equal (read.error, "org.x.Error");
    assert_string_equal (read.destination, "org.x");
    assert_string_equal (read.sender, ":1.3");
    assert_int_equal (read.count, written.count);
    for (size_t i = 0; i < read.count; i++)
        assert_values_equal (&read.args[i], &written.args[i]);
}

static void without_anything (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text bytes = {0};
    const struct dbus_message written = {.kind = DBUS_RETURN, .serial = 1, .reply_serial = 9};
    struct dbus_message read;

    dbus_message_write (&written, &bytes);
    assert_int_equal (dbus_message_read (&arena, bytes.bytes, bytes.length, &read), 0);
    assert_null (read.member);
    assert_int_equal (read.count, 0);
    assert_int_equal (read.reply_serial, 9);
}

/* Every shorter message and every changed byte: an error or other values, and no read beyond the
 * end (the copy is exactly as long, for the sanitizer to see). */
static void damage (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text bytes = {0};
    const struct dbus_message written = sample (&arena);
    struct dbus_message read;

    dbus_message_write (&written, &bytes);
    for (size_t length = 0; length < bytes.length; length++) {
        char *copy = malloc (length + 1);
        assert_non_null (copy);
        memcpy (copy, bytes.bytes, length);
        assert_int_equal (dbus_message_read (&arena, copy, length, &read), -1);
        free (copy);
    }
    for (size_t at = 0; at < bytes.length; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            AUTO_ARENA struct arena own = ARENA_INIT;
            char *copy = malloc (bytes.length);
            assert_non_null (copy);
            memcpy (copy, bytes.bytes, bytes.length);
            copy[at] = (char)(copy[at] ^ (1 << bit));
            (void)dbus_message_read (&own, copy, bytes.length, &read);
            free (copy);
        }
    }
}

static void heads_that_are_none (void **state)
{
    (void)state;
    AUTO_TEXT struct text bytes = {0};
    const struct dbus_message written = {.kind = DBUS_RETURN, .serial = 1};
    const uint32_t huge = DBUS_MESSAGE_MAX + 1;

    dbus_message_write (&written, &bytes);
    assert_true (dbus_message_length (bytes.bytes, 16) > 0);
    for (size_t at = 4; at <= 12; at += 8) {
        uint32_t kept;
        memcpy (&kept, bytes.bytes + at, sizeof kept);
        memcpy (bytes.bytes + at, &huge, sizeof huge);
        assert_int_equal (dbus_message_length (bytes.bytes, 16), -1);
        memcpy (bytes.bytes + at, &kept, sizeof kept);
    }
    bytes.bytes[3] = 2;
    assert_int_equal (dbus_message_length (bytes.bytes, 16), -1);
    bytes.bytes[3] = 1;
    bytes.bytes[0] = 'x';
    assert_int_equal (dbus_message_length (bytes.bytes, 16), -1);
}

/* A signature that came as a string would have no bound but the message's. */
static void fields_of_another_type (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text bytes = {0};
    const struct dbus_message written = {.kind = DBUS_CALL, .serial = 1, .path = "/a"};
    const char head[] = {1, 1, 'o', 0}; /* FIELD_PATH, a signature of one letter */
    struct dbus_message read;

    dbus_message_write (&written, &bytes);
    assert_memory_equal (bytes.bytes + 16, head, sizeof head);
    assert_int_equal (dbus_message_read (&arena, bytes.bytes, bytes.length, &read), 0);
    bytes.bytes[18] = 's';
    assert_int_equal (dbus_message_read (&arena, bytes.bytes, bytes.length, &read), -1);
    bytes.bytes[16] = 100; /* one that rt does not know */
    assert_int_equal (dbus_message_read (&arena, bytes.bytes, bytes.length, &read), 0);
    assert_null (read.path);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (there_and_back),
        cmocka_unit_test (without_anything),
        cmocka_unit_test (damage),
        cmocka_unit_test (heads_that_are_none),
        cmocka_unit_test (fields_of_another_type),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
