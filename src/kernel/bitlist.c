/* SPDX-License-Identifier: Apache-2.0 */
/* bitlist: see bitlist.h. */
#include "kernel/bitlist.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

#define WORD_BITS (8 * sizeof (unsigned long))

void bitlist_release (struct bitlist *list)
{
    cleanup_free (&list->words);
    *list = (struct bitlist){0};
}

static const char *skip_spaces (const char *text)
{
    while (*text == ' ')
        text++;
    return text;
}

/* The number at *text, which moves behind it and the spaces around. */
static int read_number (const char **text, size_t *number)
{
    const char *at = skip_spaces (*text);
    size_t value = 0;

    if (*at < '0' || *at > '9') {
        errno = EINVAL;
        return -1;
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (size_t)(*at - '0');
        if (value >= BITLIST_MAX) {
            errno = ERANGE;
            return -1;
        }
    }
    *text = skip_spaces (at);
    *number = value;
    return 0;
}

/* One element, "7" or "0-3". */
static int read_range (const char **text, size_t *first, size_t *last)
{
    if (read_number (text, first) < 0)
        return -1;
    *last = *first;
    if (**text == '-') {
        (*text)++;
        if (read_number (text, last) < 0)
            return -1;
    }
    if (*last < *first || (**text != ',' && **text != '\0')) {
        errno = EINVAL;
        return -1;
    }
    return 0;
}

/* Calls for each element; the mask is NULL while only the highest bit is asked for. */
static int walk (const char *text, unsigned long *words, size_t *highest)
{
    size_t first;
    size_t last;

    *highest = 0;
    for (;; text++) {
        if (read_range (&text, &first, &last) < 0)
            return -1;
        if (last > *highest)
            *highest = last;
        for (size_t bit = first; words && bit <= last; bit++)
            words[bit / WORD_BITS] |= 1UL << bit % WORD_BITS;
        if (*text == '\0')
            return 0;
    }
}

int bitlist_parse (const char *text, struct bitlist *list)
{
    size_t highest;

    if (walk (text, NULL, &highest) < 0)
        return -1;
    size_t count = highest / WORD_BITS + 1;
    unsigned long *words = calloc (count, sizeof (*words));
    if (!words)
        return -1;
    (void)walk (text, words, &highest);
    *list = (struct bitlist){.words = words, .bits = count * WORD_BITS};
    return 0;
}
