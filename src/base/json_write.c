/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_write: see json_write.h.
 */
#include "json_write.h"

#include <inttypes.h>

static void new_line (struct json_writer *writer)
{
    if (!writer->pretty)
        return;
    text_putc (writer->out, '\n');
    for (unsigned int i = 0; i < writer->depth; i++)
        text_puts (writer->out, "  ");
}

/* What stands in front of each value. */
static void begin (struct json_writer *writer, const char *key)
{
    if (writer->comma)
        text_putc (writer->out, ',');
    if (writer->depth > 0)
        new_line (writer);
    if (key) {
        json_quote (writer->out, key);
        text_puts (writer->out, writer->pretty ? ": " : ":");
    }
    writer->comma = true;
}

void json_open (struct json_writer *writer, const char *key, char bracket)
{
    begin (writer, key);
    text_putc (writer->out, bracket);
    writer->depth++;
    writer->comma = false;
}

void json_close (struct json_writer *writer, char bracket)
{
    writer->depth--;
    if (writer->comma) /* an empty one stays on its line */
        new_line (writer);
    text_putc (writer->out, bracket);
    writer->comma = true;
}

void json_string (struct json_writer *writer, const char *key, const char *value)
{
    begin (writer, key);
    json_quote (writer->out, value);
}

void json_int (struct json_writer *writer, const char *key, int64_t value)
{
    begin (writer, key);
    text_printf (writer->out, "%" PRId64, value);
}

void json_uint (struct json_writer *writer, const char *key, uint64_t value)
{
    begin (writer, key);
    text_printf (writer->out, "%" PRIu64, value);
}

void json_hundredths (struct json_writer *writer, const char *key, uint64_t value)
{
    begin (writer, key);
    text_printf (writer->out, "%" PRIu64 ".%02" PRIu64, value / 100, value % 100);
}

void json_bool (struct json_writer *writer, const char *key, bool value)
{
    begin (writer, key);
    text_puts (writer->out, value ? "true" : "false");
}

void json_null (struct json_writer *writer, const char *key)
{
    begin (writer, key);
    text_puts (writer->out, "null");
}

/* The length of the well-formed UTF-8 sequence of more than one byte at `s`, or 0 (Unicode, table
 * 3-7: no overlong forms, no surrogates, nothing above U+10FFFF). Stops at the terminator. */
static size_t sequence_length (const unsigned char *s)
{
    static const struct {
        unsigned char first_min, first_max, second_min, second_max, length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (s[0] < forms[i].first_min || s[0] > forms[i].first_max)
            continue;
        if (s[1] < forms[i].second_min || s[1] > forms[i].second_max)
            return 0;
        for (size_t j = 2; j < forms[i].length; j++) {
            if (s[j] < 0x80 || s[j] > 0xbf)
                return 0;
        }
        return forms[i].length;
    }
    return 0;
}

static void put_escaped (struct text *out, unsigned char c)
{
    switch (c) {
    case '"':
        text_puts (out, "\\\"");
        break;
    case '\\':
        text_puts (out, "\\\\");
        break;
    case '\b':
        text_puts (out, "\\b");
        break;
    case '\f':
        text_puts (out, "\\f");
        break;
    case '\n':
        text_puts (out, "\\n");
        break;
    case '\r':
        text_puts (out, "\\r");
        break;
    case '\t':
        text_puts (out, "\\t");
        break;
    default:
        text_printf (out, "\\u%04x", c);
        break;
    }
}

void json_quote (struct text *out, const char *value)
{
    const unsigned char *s = (const unsigned char *)value;
    text_putc (out, '"');
    while (*s != '\0') {
        size_t plain = 0;
        while (s[plain] >= 0x20 && s[plain] < 0x7f && s[plain] != '"' && s[plain] != '\\')
            plain++;
        if (plain > 0) {
            text_add (out, (const char *)s, plain);
            s += plain;
        } else if (*s >= 0x80) {
            size_t length = sequence_length (s);
            if (length == 2 && s[0] == 0xc2 && s[1] < 0xa0) /* C1, which moves terminals */
                put_escaped (out, s[1]);
            else if (length > 0)
                text_add (out, (const char *)s, length);
            else
                text_puts (out, "\xef\xbf\xbd"); /* U+FFFD */
            s += length > 0 ? length : 1;
        } else {
            put_escaped (out, *s++);
        }
    }
    text_putc (out, '"');
}
