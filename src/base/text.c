/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: see text.h.
 */
#include "text.h"

#include "arena.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_release (struct text *text)
{
    free (text->bytes);
    *text = (struct text){0};
}

/* Room for `more` bytes and the terminator. */
static void reserve (struct text *text, size_t more)
{
    size_t needed;
    if (__builtin_add_overflow (text->length, more, &needed) || needed == SIZE_MAX)
        memory_exhausted ();
    needed++;
    if (needed <= text->size)
        return;
    size_t size = text->size > SIZE_MAX / 2 ? needed : text->size * 2;
    if (size < needed)
        size = needed;
    if (size < 64)
        size = 64;
    char *bytes = realloc (text->bytes, size);
    if (!bytes)
        memory_exhausted ();
    text->bytes = bytes;
    text->size = size;
}

void text_add (struct text *text, const char *bytes, size_t length)
{
    reserve (text, length);
    if (length > 0)
        memcpy (text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_puts (struct text *text, const char *string)
{
    text_add (text, string, strlen (string));
}

void text_putc (struct text *text, char c)
{
    text_add (text, &c, 1);
}

void text_printf (struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start (args, format);
    va_copy (again, args);
    int length = vsnprintf (NULL, 0, format, args);
    va_end (args);
    if (length < 0)
        memory_exhausted ();
    reserve (text, (size_t)length);
    (void)vsnprintf (text->bytes + text->length, (size_t)length + 1, format, again);
    va_end (again);
    text->length += (size_t)length;
}

const char *text_string (const struct text *text)
{
    return text->bytes ? text->bytes : "";
}

char *text_take (struct text *text)
{
    reserve (text, 0);
    text->bytes[text->length] = '\0';
    char *bytes = text->bytes;
    *text = (struct text){0};
    return bytes;
}

int text_to_uint64 (const char *string, uint64_t max, uint64_t *value)
{
    uint64_t number = 0;
    if (*string == '\0')
        return -1;
    for (const char *c = string; *c != '\0'; c++) {
        if (*c < '0' || *c > '9')
            return -1;
        if (__builtin_mul_overflow (number, (uint64_t)10, &number) ||
            __builtin_add_overflow (number, (uint64_t)(*c - '0'), &number))
            return -1;
    }
    if (number > max)
        return -1;
    *value = number;
    return 0;
}

int text_to_int64 (const char *string, int64_t min, int64_t max, int64_t *value)
{
    bool negative = *string == '-';
    uint64_t magnitude;
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (text_to_uint64 (string + negative, limit, &magnitude) < 0)
        return -1;
    int64_t number = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    if (number < min || number > max)
        return -1;
    *value = number;
    return 0;
}

bool text_starts_with (const char *string, const char *prefix)
{
    return strncmp (string, prefix, strlen (prefix)) == 0;
}

static int fold (char c)
{
    return tolower ((unsigned char)c);
}

size_t text_distance (const char *a, const char *b)
{
    enum { LONGEST = 64 };
    size_t a_length = strlen (a);
    size_t b_length = strlen (b);
    if (a_length >= LONGEST || b_length >= LONGEST)
        return SIZE_MAX;

    /* rows[i % 3][j]: the distance of the first i letters of a from the first j of b. */
    size_t rows[3][LONGEST];
    for (size_t i = 0; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            if (i == 0) {
                row[j] = j;
                continue;
            }
            size_t best = above[j - 1] + (fold (a[i - 1]) != fold (b[j - 1]));
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                above_that[j - 2] + 1 < best)
                best = above_that[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

void text_clean_path (const char *path, char *out)
{
    size_t start = *path == '/' ? 1 : 0; /* what ".." never takes away */
    size_t length = start;
    if (start == 1)
        out[0] = '/';

    while (*path != '\0') {
        size_t part = strcspn (path, "/");
        if (part == 2 && path[0] == '.' && path[1] == '.') {
            while (length > start && out[length - 1] != '/')
                length--;
            if (length > start)
                length--; /* the slash in front of the part that was taken away */
        } else if (part > 0 && !(part == 1 && path[0] == '.')) {
            if (length > start)
                out[length++] = '/';
            memmove (out + length, path, part);
            length += part;
        }
        path += part;
        if (*path == '/')
            path++;
    }
    if (length == 0)
        out[length++] = '.';
    out[length] = '\0';
}
