/* SPDX-License-Identifier: Apache-2.0 */
/* duration: see duration.h. */
#include "duration.h"

#include "text.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    const char *name;
    int64_t nanoseconds;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000}, /* the micro sign and the Greek letter */
    {"\xce\xbcs", 1000},
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", INT64_C (60) * 1000000000},
    {"h", INT64_C (3600) * 1000000000},
};

/* Digits from `*text` on; more than a number holds is -1. */
static int read_digits (const char **text, int64_t *value, size_t *count)
{
    for (*count = 0; **text >= '0' && **text <= '9'; (*count)++, (*text)++)
        if (__builtin_mul_overflow (*value, 10, value) ||
            __builtin_add_overflow (*value, **text - '0', value))
            return -1;
    return 0;
}

/* What is behind the point, in units of `unit`; digits below a nanosecond are cut off. */
static int64_t read_fraction (const char **text, int64_t unit, size_t *count)
{
    int64_t value = 0;

    for (*count = 0; **text >= '0' && **text <= '9'; (*count)++, (*text)++) {
        unit /= 10;
        value += unit * (**text - '0');
    }
    return value;
}

/* The unit behind a number; 0 where there is none of that name. */
static int64_t find_unit (const char *text, size_t *length)
{
    *length = strcspn (text, "0123456789.");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strlen (units[i].name) == *length && memcmp (text, units[i].name, *length) == 0)
            return units[i].nanoseconds;
    return 0;
}

static int read_part (const char **text, int64_t *sum)
{
    int64_t whole = 0, fraction = 0;
    size_t digits, more = 0, length;

    if (read_digits (text, &whole, &digits) < 0)
        return -1;
    const char *behind = *text;
    if (*behind == '.')
        behind += 1 + strspn (behind + 1, "0123456789");
    int64_t unit = find_unit (behind, &length);
    if (**text == '.') {
        ++*text;
        fraction = read_fraction (text, unit, &more);
    }
    if (digits + more == 0 || unit == 0 || __builtin_mul_overflow (whole, unit, &whole) ||
        __builtin_add_overflow (*sum, whole, sum) || __builtin_add_overflow (*sum, fraction, sum))
        return -1;
    *text += length;
    return 0;
}

int duration_parse (const char *text, int64_t *nanoseconds)
{
    bool negative = *text == '-';
    int64_t sum = 0;

    text += *text == '-' || *text == '+';
    if (text_equal (text, "0")) {
        *nanoseconds = 0;
        return 0;
    }
    do
        if (read_part (&text, &sum) < 0)
            return -1;
    while (*text);
    *nanoseconds = negative ? -sum : sum;
    return 0;
}
