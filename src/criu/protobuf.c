/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf: see protobuf.h. */
#include "criu/protobuf.h"

#include <string.h>

static void put_varint (struct text *out, uint64_t value)
{
    do {
        unsigned char byte = value & 0x7f;
        value >>= 7;
        text_putc (out, (char)(byte | (value ? 0x80 : 0)));
    } while (value);
}

static void put_tag (struct text *out, uint32_t field, enum protobuf_kind kind)
{
    put_varint (out, (uint64_t)field << 3 | kind);
}

static void put_bytes (struct text *out, uint32_t field, const char *bytes, size_t length)
{
    put_tag (out, field, PROTOBUF_BYTES);
    put_varint (out, length);
    text_add (out, bytes, length);
}

void protobuf_number (struct text *out, uint32_t field, uint64_t value)
{
    put_tag (out, field, PROTOBUF_NUMBER);
    put_varint (out, value);
}

void protobuf_string (struct text *out, uint32_t field, const char *string)
{
    put_bytes (out, field, string, strlen (string));
}

void protobuf_message (struct text *out, uint32_t field, const struct text *message)
{
    put_bytes (out, field, text_string (message), message->length);
}

static int get_varint (struct protobuf *from, uint64_t *value)
{
    uint64_t number = 0;

    for (unsigned int shift = 0; shift < 64 && from->left > 0; shift += 7) {
        unsigned char byte = *from->at++;
        from->left--;
        if (shift == 63 && byte > 1)
            return -1;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *value = number;
            return 0;
        }
    }
    return -1;
}

static int get_bytes (struct protobuf *from, uint64_t length, struct protobuf *body)
{
    if (length > from->left)
        return -1;
    *body = (struct protobuf){.at = from->at, .left = (size_t)length};
    from->at += length;
    from->left -= (size_t)length;
    return 0;
}

int protobuf_next_number (struct protobuf *list, uint64_t *value)
{
    struct protobuf rest = *list;

    if (rest.left == 0)
        return 0;
    if (get_varint (&rest, value) < 0)
        return -1;
    *list = rest;
    return 1;
}

int protobuf_next (struct protobuf *message, struct protobuf_field *field)
{
    struct protobuf rest = *message;
    struct protobuf_field found = {0};
    uint64_t tag;
    uint64_t length;
    int failed = -1;

    if (rest.left == 0)
        return 0;
    if (get_varint (&rest, &tag) < 0 || tag >> 3 == 0 || tag >> 3 > (1u << 29) - 1)
        return -1;
    found.number = (uint32_t)(tag >> 3);
    found.kind = (enum protobuf_kind) (tag & 7);
    switch (tag & 7) {
    case PROTOBUF_NUMBER:
        failed = get_varint (&rest, &found.value);
        break;
    case PROTOBUF_BYTES:
        failed = get_varint (&rest, &length) < 0 || get_bytes (&rest, length, &found.body) < 0;
        break;
    case PROTOBUF_FIXED64:
        failed = get_bytes (&rest, 8, &found.body);
        break;
    case PROTOBUF_FIXED32:
        failed = get_bytes (&rest, 4, &found.body);
        break;
    default:
        break;
    }
    if (failed)
        return -1;
    *message = rest;
    *field = found;
    return 1;
}
