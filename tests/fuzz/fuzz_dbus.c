/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as D-Bus messages, and as the text of a property that an annotation brings.
 *
 *   fuzz_dbus -max_len=5000 tests/fuzz/corpus/dbus
 */
#include "base/arena.h"
#include "base/text.h"
#include "cgroup/dbus_message.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

static void must (bool holds)
{
    if (!holds)
        abort ();
}

static bool same (const char *a, const char *b)
{
    return a == b || (a && b && strcmp (a, b) == 0);
}

static void compare (const struct dbus_value *a, const struct dbus_value *b)
{
    must (strcmp (a->type, b->type) == 0 && a->count == b->count);
    if (strchr ("sog", a->type[0]))
        must (same (a->text, b->text));
    else if (!strchr ("a(v", a->type[0]))
        must (a->number == b->number);
    for (size_t i = 0; i < a->count; i++)
        compare (&a->items[i], &b->items[i]);
}

/* What was read can be written, and is the same again. */
static void write_and_read (struct arena *arena, const struct dbus_message *message)
{
    AUTO_TEXT struct text out = {0};
    struct dbus_message again;

    dbus_message_write (message, &out);
    must (dbus_message_length (out.bytes, out.length) == (int64_t)out.length);
    must (dbus_message_read (arena, out.bytes, out.length, &again) == 0);
    must (again.kind == message->kind && again.serial == message->serial &&
          again.reply_serial == message->reply_serial && again.count == message->count);
    must (same (again.path, message->path) && same (again.member, message->member) &&
          same (again.error, message->error) && same (again.sender, message->sender));
    for (size_t i = 0; i < message->count; i++)
        compare (&again.args[i], &message->args[i]);
}

/* One after the other, as they come from the bus. */
static void read_messages (const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct dbus_message message = {.serial = 77};
        int64_t length = dbus_message_length (bytes, size);
        if (length <= 0 || (uint64_t)length > size)
            return;
        if (dbus_message_read (&arena, bytes, (size_t)length, &message) == 0)
            write_and_read (&arena, &message);
        else
            must (message.serial == 77 && message.count == 0);
        bytes += length;
        size -= (size_t)length;
    }
}

static void read_text (const uint8_t *bytes, size_t size)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct dbus_value value = {.type = NULL};
    struct error err = {0};

    if (dbus_value_parse (&arena, arena_copy (&arena, (const char *)bytes, size), &value, &err) < 0)
        must (err.text[0] != '\0');
    else
        write_and_read (&arena, &(struct dbus_message){
                                    .kind = DBUS_CALL, .serial = 1, .args = &value, .count = 1});
}

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    read_messages (bytes, size);
    read_text (bytes, size);
    return 0;
}
