/* SPDX-License-Identifier: Apache-2.0 */
/* dbus_message: see dbus_message.h. */
#include "cgroup/dbus_message.h"

#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTE_ORDER_LETTER 'l'
#else
#define BYTE_ORDER_LETTER 'B'
#endif

enum { PROTOCOL = 1, DEPTH_MAX = 16, FIXED_HEADER = 16 };

enum field {
    FIELD_PATH = 1,
    FIELD_INTERFACE,
    FIELD_MEMBER,
    FIELD_ERROR,
    FIELD_REPLY_SERIAL,
    FIELD_DESTINATION,
    FIELD_SENDER,
    FIELD_SIGNATURE
};

static size_t alignment (char type)
{
    switch (type) {
    case 'n':
    case 'q':
        return 2;
    case 'x':
    case 't':
    case 'd':
    case '(':
        return 8;
    case 'y':
    case 'g':
    case 'v':
        return 1;
    default:
        return 4;
    }
}

/* Writing. */

static void align (struct text *out, size_t size)
{
    while (out->length % size)
        text_putc (out, '\0');
}

static void put_uint32 (struct text *out, uint32_t number)
{
    align (out, sizeof number);
    text_add (out, (const char *)&number, sizeof number);
}

static void put_string (struct text *out, char type, const char *string)
{
    size_t length = strlen (string);

    if (type == 'g')
        text_putc (out, (char)length);
    else
        put_uint32 (out, (uint32_t)length);
    text_add (out, string, length + 1);
}

static void put_value (struct text *out, const struct dbus_value *value);

static void put_array (struct text *out, const struct dbus_value *value)
{
    put_uint32 (out, 0);
    size_t place = out->length - sizeof (uint32_t);
    align (out, alignment (value->type[1]));
    size_t start = out->length;
    for (size_t i = 0; i < value->count; i++)
        put_value (out, &value->items[i]);
    uint32_t length = (uint32_t)(out->length - start);
    memcpy (out->bytes + place, &length, sizeof length);
}

static void put_number (struct text *out, const struct dbus_value *value)
{
    const uint8_t byte = (uint8_t)value->number;
    const uint16_t half = (uint16_t)value->number;
    size_t size = alignment (value->type[0]);

    align (out, size);
    if (size == 1)
        text_add (out, (const char *)&byte, size);
    else if (size == 2)
        text_add (out, (const char *)&half, size);
    else if (size == 4)
        put_uint32 (out, (uint32_t)value->number);
    else /* x, t, and d by its bits */
        text_add (out, (const char *)&value->number, size);
}

static void put_value (struct text *out, const struct dbus_value *value)
{
    switch (value->type[0]) {
    case 's':
    case 'o':
    case 'g':
        put_string (out, value->type[0], value->text);
        break;
    case 'v':
        put_string (out, 'g', value->items[0].type);
        put_value (out, &value->items[0]);
        break;
    case 'a':
        put_array (out, value);
        break;
    case '(':
        align (out, 8);
        for (size_t i = 0; i < value->count; i++)
            put_value (out, &value->items[i]);
        break;
    default:
        put_number (out, value);
    }
}

static void put_field (struct text *out, enum field field, const char *type, const char *string)
{
    if (!string)
        return;
    align (out, 8);
    text_putc (out, (char)field);
    put_string (out, 'g', type);
    put_string (out, *type, string);
}

void dbus_message_write (const struct dbus_message *message, struct text *out)
{
    AUTO_TEXT struct text body = {0};
    AUTO_TEXT struct text signature = {0};
    AUTO_TEXT struct text head = {0};

    for (size_t i = 0; i < message->count; i++) {
        text_puts (&signature, message->args[i].type);
        put_value (&body, &message->args[i]);
    }
    const char fixed[] = {BYTE_ORDER_LETTER, (char)message->kind, (char)message->flags, PROTOCOL};
    text_add (&head, fixed, sizeof fixed);
    put_uint32 (&head, (uint32_t)body.length);
    put_uint32 (&head, message->serial);
    put_uint32 (&head, 0);
    put_field (&head, FIELD_PATH, "o", message->path);
    put_field (&head, FIELD_INTERFACE, "s", message->interface);
    put_field (&head, FIELD_MEMBER, "s", message->member);
    put_field (&head, FIELD_ERROR, "s", message->error);
    put_field (&head, FIELD_DESTINATION, "s", message->destination);
    put_field (&head, FIELD_SENDER, "s", message->sender);
    put_field (&head, FIELD_SIGNATURE, "g", message->count ? text_string (&signature) : NULL);
    if (message->reply_serial) {
        align (&head, 8);
        text_putc (&head, FIELD_REPLY_SERIAL);
        put_string (&head, 'g', "u");
        put_uint32 (&head, message->reply_serial);
    }
    uint32_t fields = (uint32_t)(head.length - FIXED_HEADER);
    memcpy (head.bytes + FIXED_HEADER - sizeof fields, &fields, sizeof fields);
    align (&head, 8);
    text_add (out, head.bytes, head.length);
    if (body.length)
        text_add (out, body.bytes, body.length);
}

/* Reading: all of it returns 0, or -1 where the bytes are not what they have to be. */

struct reader {
    struct arena *arena;
    const uint8_t *bytes;
    size_t length;
    size_t at;
    unsigned depth;
};

static int skip_to (struct reader *reader, size_t size)
{
    size_t padding = (size - reader->at % size) % size;

    if (padding > reader->length - reader->at)
        return -1;
    reader->at += padding;
    return 0;
}

static int get_bytes (struct reader *reader, void *to, size_t size)
{
    if (skip_to (reader, size) < 0 || size > reader->length - reader->at)
        return -1;
    memcpy (to, reader->bytes + reader->at, size);
    reader->at += size;
    return 0;
}

static int get_string (struct reader *reader, char type, const char **string)
{
    uint32_t length;
    uint8_t byte;

    if (type == 'g' ? get_bytes (reader, &byte, 1) : get_bytes (reader, &length, sizeof length))
        return -1;
    if (type == 'g')
        length = byte;
    if (length >= reader->length - reader->at)
        return -1;
    const char *start = (const char *)reader->bytes + reader->at;
    if (start[length] != '\0' || strlen (start) != length)
        return -1;
    *string = arena_copy (reader->arena, start, length);
    reader->at += length + 1;
    return 0;
}

static int get_value (struct reader *reader, const char *type, struct dbus_value *value);

static int get_array (struct reader *reader, struct dbus_value *value)
{
    uint32_t length;
    size_t room = 0;

    if (get_bytes (reader, &length, sizeof length) < 0 ||
        skip_to (reader, alignment (value->type[1])) < 0 || length > reader->length - reader->at)
        return -1;
    size_t end = reader->at + length;
    while (reader->at < end) {
        if (value->count == room) {
            struct dbus_value *items =
                arena_array (reader->arena, room ? 2 * room : 8, sizeof *items);
            if (room)
                memcpy (items, value->items, room * sizeof *items);
            value->items = items;
            room = room ? 2 * room : 8;
        }
        if (get_value (reader, value->type + 1, &value->items[value->count++]) < 0)
            return -1;
    }
    return reader->at == end ? 0 : -1;
}

static int get_struct (struct reader *reader, struct dbus_value *value)
{
    const char *at = value->type + 1;

    if (skip_to (reader, 8) < 0)
        return -1;
    value->items = arena_array (reader->arena, strlen (at), sizeof *value->items);
    for (; *at != ')'; at += dbus_type_length (at, true)) {
        const char *member = arena_copy (reader->arena, at, dbus_type_length (at, true));
        if (get_value (reader, member, &value->items[value->count++]) < 0)
            return -1;
    }
    return 0;
}

static int get_variant (struct reader *reader, struct dbus_value *value)
{
    const char *type;

    if (get_string (reader, 'g', &type) < 0 || type[0] == '\0' ||
        dbus_type_length (type, true) != strlen (type))
        return -1;
    value->items = arena_array (reader->arena, 1, sizeof *value->items);
    value->count = 1;
    return get_value (reader, type, &value->items[0]);
}

static int get_number (struct reader *reader, struct dbus_value *value)
{
    size_t size = alignment (value->type[0]);
    uint8_t byte;
    uint16_t half;
    uint32_t word;

    switch (size) {
    case 1:
        if (get_bytes (reader, &byte, size) < 0)
            return -1;
        value->number = byte;
        return 0;
    case 2:
        if (get_bytes (reader, &half, size) < 0)
            return -1;
        if (value->type[0] == 'n')
            value->integer = (int16_t)half;
        else
            value->number = half;
        return 0;
    case 4:
        if (get_bytes (reader, &word, size) < 0)
            return -1;
        if (value->type[0] == 'i')
            value->integer = (int32_t)word;
        else
            value->number = word;
        return 0;
    default:
        return get_bytes (reader, &value->number, size);
    }
}

static int get_value (struct reader *reader, const char *type, struct dbus_value *value)
{
    int result;

    if (++reader->depth > DEPTH_MAX)
        return -1;
    *value = (struct dbus_value){.type = type};
    switch (*type) {
    case 's':
    case 'o':
    case 'g':
        result = get_string (reader, *type, &value->text);
        break;
    case 'a':
        result = get_array (reader, value);
        break;
    case '(':
        result = get_struct (reader, value);
        break;
    case 'v':
        result = get_variant (reader, value);
        break;
    default:
        result = get_number (reader, value);
    }
    reader->depth--;
    return result;
}

/* The fixed header: lengths of the body and of the fields. */
static int read_lengths (const uint8_t *bytes, uint32_t *body, uint32_t *fields)
{
    memcpy (body, bytes + 4, sizeof *body);
    memcpy (fields, bytes + 12, sizeof *fields);
    return bytes[0] == BYTE_ORDER_LETTER && bytes[3] == PROTOCOL && *body <= DBUS_MESSAGE_MAX &&
                   *fields <= DBUS_MESSAGE_MAX
               ? 0
               : -1;
}

int64_t dbus_message_length (const void *bytes, size_t have)
{
    uint32_t body, fields;

    if (have < FIXED_HEADER)
        return 0;
    if (read_lengths (bytes, &body, &fields) < 0)
        return -1;
    return (int64_t)FIXED_HEADER + (fields + 7U) / 8 * 8 + body;
}

/* Fields that rt does not know may come; those that it knows have the type of the specification: a
 * signature that were a string could be as long as the message. */
static int read_field (struct reader *reader, struct dbus_message *message, const char **signature)
{
    const struct {
        char type;
        const char **to;
    } known[] = {
        [FIELD_PATH] = {'o', &message->path},
        [FIELD_INTERFACE] = {'s', &message->interface},
        [FIELD_MEMBER] = {'s', &message->member},
        [FIELD_ERROR] = {'s', &message->error},
        [FIELD_REPLY_SERIAL] = {'u', NULL},
        [FIELD_DESTINATION] = {'s', &message->destination},
        [FIELD_SENDER] = {'s', &message->sender},
        [FIELD_SIGNATURE] = {'g', signature},
    };
    struct dbus_value value;
    uint8_t field;

    if (skip_to (reader, 8) < 0 || get_bytes (reader, &field, 1) < 0 ||
        get_value (reader, "v", &value) < 0)
        return -1;
    const struct dbus_value *inner = &value.items[0];
    if (field == 0 || field >= sizeof known / sizeof known[0])
        return 0;
    if (*inner->type != known[field].type)
        return -1;
    if (field == FIELD_REPLY_SERIAL)
        message->reply_serial = (uint32_t)inner->number;
    else
        *known[field].to = inner->text;
    return 0;
}

int dbus_message_read (struct arena *arena, const void *bytes, size_t length,
                       struct dbus_message *message)
{
    const uint8_t *start = bytes;
    struct dbus_message read = {.kind = DBUS_CALL};
    const char *signature = "";
    uint32_t body, fields;

    if (length < FIXED_HEADER || read_lengths (start, &body, &fields) < 0 ||
        dbus_message_length (bytes, length) != (int64_t)length)
        return -1;
    read.kind = (enum dbus_kind)start[1];
    read.flags = start[2];
    memcpy (&read.serial, start + 8, sizeof read.serial);
    struct reader head = {
        .arena = arena, .bytes = start, .length = FIXED_HEADER + fields, .at = FIXED_HEADER};
    while (head.at < head.length)
        if (read_field (&head, &read, &signature) < 0)
            return -1;

    struct reader rest = {.arena = arena, .bytes = start + length - body, .length = body};
    read.args = arena_array (arena, strlen (signature) + 1, sizeof *read.args);
    for (size_t size; *signature; signature += size) {
        size = dbus_type_length (signature, true);
        if (size == 0 ||
            get_value (&rest, arena_copy (arena, signature, size), &read.args[read.count++]) < 0)
            return -1;
    }
    if (rest.at != rest.length)
        return -1;
    *message = read;
    return 0;
}
