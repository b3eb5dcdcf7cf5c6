/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: strings that grow, and text to numbers without surprises.
 */
#ifndef RT_BASE_TEXT_H
#define RT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A string that grows; always terminated. Zeroed is empty. Running out of memory ends the process.
 */
struct text {
    char *bytes; /* NULL while empty; text_string () never gives NULL */
    size_t length;
    size_t size;
};

#define AUTO_TEXT __attribute__ ((cleanup (text_release)))
void text_release (struct text *text);
void text_add (struct text *text, const char *bytes, size_t length);
void text_puts (struct text *text, const char *string);
void text_putc (struct text *text, char c);
void text_printf (struct text *text, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));
const char *text_string (const struct text *text);
/* Gives the bytes away (to be freed by the caller) and leaves `text` empty. */
char *text_take (struct text *text);

/* The whole string must be a decimal number in range: no sign (but '-' for the signed one), no
 * space, no prefix, no rest. Returns 0, or -1 with *value untouched. */
int text_to_uint64 (const char *string, uint64_t max, uint64_t *value);
int text_to_int64 (const char *string, int64_t min, int64_t max, int64_t *value);

static inline bool text_equal (const char *a, const char *b)
{
    return __builtin_strcmp (a, b) == 0;
}
bool text_starts_with (const char *string, const char *prefix);

/* How many letters must be put in, left out, replaced or swapped with their neighbour to make one
 * word of the other, capitals counting as small letters. For "did you mean"; words longer than 63
 * bytes are as far apart as can be. */
size_t text_distance (const char *a, const char *b);

/* Cleans an absolute or relative path lexically: no "//", "/./", and ".." never above the start
 * ("/a/../../b" is "/b"; "../x" is "x"). `out` has room for strlen (path) + 2. For words only:
 * what is opened goes through kernel/inroot. */
void text_clean_path (const char *path, char *out);

#endif
