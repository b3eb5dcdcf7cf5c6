/* SPDX-License-Identifier: Apache-2.0 */
/* entry: see entry.h. */
#include "criu/entry.h"

#include "criu/image.h"

#include <string.h>

#define COMMON_MAGIC 0x54564319u

void *entry_grow (struct arena *arena, void *items, size_t count, size_t size)
{
    if (count & (count - 1))
        return items;
    void *more = arena_array (arena, count ? 2 * count : 1, size);
    if (count > 0)
        memcpy (more, items, count * size);
    return more;
}

static void add_number (struct arena *arena, struct criu_numbers *numbers, uint32_t value)
{
    uint32_t *items = (uint32_t *)(uintptr_t)numbers->items;

    items = entry_grow (arena, items, numbers->count, sizeof (*items));
    items[numbers->count++] = value;
    numbers->items = items;
}

static int read_number (const struct protobuf_field *field, struct criu_number *number)
{
    if (field->kind != PROTOBUF_NUMBER || field->value > UINT32_MAX || number->present)
        return -1;
    *number = (struct criu_number){.present = true, .value = (uint32_t)field->value};
    return 0;
}

/* CRIU takes a packed list for the same as a number after the other. */
static int read_numbers (const struct protobuf_field *field, struct arena *arena,
                         struct criu_numbers *numbers)
{
    struct protobuf list = field->body;
    uint64_t value = field->value;
    int more = 1;

    if (field->kind == PROTOBUF_NUMBER) {
        if (value > UINT32_MAX)
            return -1;
        add_number (arena, numbers, (uint32_t)value);
        return 0;
    }
    if (field->kind != PROTOBUF_BYTES)
        return -1;
    while ((more = protobuf_next_number (&list, &value)) > 0) {
        if (value > UINT32_MAX)
            return -1;
        add_number (arena, numbers, (uint32_t)value);
    }
    return more;
}

static int read_string (const struct protobuf_field *field, struct arena *arena,
                        const char **string)
{
    if (field->kind != PROTOBUF_BYTES || *string ||
        (field->body.left > 0 && memchr (field->body.at, '\0', field->body.left)))
        return -1;
    *string = arena_copy (arena, (const char *)field->body.at, field->body.left);
    return 0;
}

static void add_message (struct arena *arena, struct messages *messages,
                         const struct protobuf *body)
{
    size_t count = messages->count;

    messages->items = entry_grow (arena, messages->items, count, sizeof (*messages->items));
    messages->items[messages->count++] = *body;
}

static int read_field (const struct protobuf_field *field, const struct message_row *row,
                       struct arena *arena, void *out)
{
    void *member = (char *)out + row->offset;
    struct protobuf *message = member;

    switch (row->kind) {
    case ROW_NUMBER:
        return read_number (field, member);
    case ROW_NUMBERS:
        return read_numbers (field, arena, member);
    case ROW_STRING:
        return read_string (field, arena, member);
    case ROW_MESSAGE:
        if (field->kind != PROTOBUF_BYTES || message->at)
            return -1;
        *message = field->body;
        return 0;
    case ROW_MESSAGES:
        if (field->kind != PROTOBUF_BYTES)
            return -1;
        add_message (arena, member, &field->body);
        return 0;
    }
    return -1;
}

int message_read (struct protobuf body, const struct message_row *rows, size_t count,
                  struct arena *arena, void *out)
{
    struct protobuf_field field;
    int more;

    while ((more = protobuf_next (&body, &field)) > 0)
        for (size_t i = 0; i < count; i++)
            if (rows[i].field == field.number && read_field (&field, &rows[i], arena, out) < 0)
                return -1;
    return more;
}

static uint32_t get_word (const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

int entry_begin (const void *bytes, size_t length, uint32_t magic, struct protobuf *rest)
{
    const unsigned char *at = bytes;
    size_t head = magic == INVENTORY_MAGIC ? 4 : 8;

    if (length < head || get_word (at + head - 4) != magic ||
        (head == 8 && get_word (at) != COMMON_MAGIC))
        return -1;
    *rest = (struct protobuf){.at = at + head, .left = length - head};
    return 0;
}

int entry_next (struct protobuf *rest, struct protobuf *entry)
{
    if (rest->left == 0)
        return 0;
    if (rest->left < 4 || get_word (rest->at) > rest->left - 4)
        return -1;
    *entry = (struct protobuf){.at = rest->at + 4, .left = get_word (rest->at)};
    rest->at += 4 + entry->left;
    rest->left -= 4 + entry->left;
    return 1;
}

int entry_only (const void *bytes, size_t length, uint32_t magic, struct protobuf *entry)
{
    struct protobuf rest;
    struct protobuf another;

    return entry_begin (bytes, length, magic, &rest) < 0 || entry_next (&rest, entry) <= 0 ||
                   entry_next (&rest, &another) != 0
               ? -1
               : 0;
}
