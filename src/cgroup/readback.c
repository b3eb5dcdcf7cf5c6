/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readback: a limit is true when the kernel shows it. What was written is read again and compared:
 * what was rounded is told in the log, what does not hold is an error.
 */
#include "cgroup/knob.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/bitlist.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#define SPACE " \t"

/* One line for each device or interface of the host, at most. */
enum { SHOWN_MAX = 1024 * 1024 };

/* The page counters of the kernel hold at most this many bytes (PAGE_COUNTER_MAX, 4 KiB pages and
 * larger); it shows "no limit" so in v1. */
#define COUNTER_MAX (UINT64_C (0x7fffffffffffffff) & ~UINT64_C (0xffff))

/* A number as cgroupfs shows it; what is unlimited in any spelling is UINT64_MAX. */
static int parse_shown (const char *text, uint64_t *value)
{
    char word[32];

    if (text_starts_with (text, "default "))
        text += strlen ("default ");
    size_t length = strcspn (text, "\n");
    if (length >= sizeof word)
        return -1;
    (void)snprintf (word, sizeof word, "%.*s", (int)length, text);
    if (text_equal (word, "max") || text_equal (word, "-1"))
        *value = UINT64_MAX;
    else if (text_to_uint64 (word, UINT64_MAX, value) < 0)
        return -1;
    return 0;
}

static enum knob_result compare_numbers (const struct knob *knob, const char *written,
                                         const char *now)
{
    uint64_t asked, shown;

    if (parse_shown (written, &asked) < 0 || parse_shown (now, &shown) < 0)
        return KNOB_DIFFERS;
    if (asked == shown)
        return KNOB_HOLDS;
    if (knob->check == KNOB_EXACT)
        return KNOB_DIFFERS;
    if (asked >= COUNTER_MAX)
        return shown >= COUNTER_MAX ? KNOB_HOLDS : KNOB_DIFFERS;
    uint64_t distance = asked > shown ? asked - shown : shown - asked;
    return distance < knob->unit ? KNOB_WAS_ROUNDED : KNOB_DIFFERS;
}

/* The next word of a line, or an empty one where the line ends. */
static const char *next_word (const char **line, size_t *length)
{
    const char *word = *line + strspn (*line, SPACE);

    *length = strcspn (word, SPACE "\n");
    *line = word + *length;
    return word;
}

static bool line_has (const char *line, const char *word, size_t length)
{
    for (;;) {
        size_t other_length;
        const char *other = next_word (&line, &other_length);
        if (other_length == 0)
            return false;
        if (other_length == length && memcmp (other, word, length) == 0)
            return true;
    }
}

/* Each word stands where it was written; more may follow ("20000" in "20000 100000"). */
static enum knob_result compare_words (const char *written, const char *now)
{
    for (;;) {
        size_t length, shown_length;
        const char *word = next_word (&written, &length);
        const char *shown = next_word (&now, &shown_length);
        if (length == 0)
            return KNOB_HOLDS;
        if (length != shown_length || memcmp (word, shown, length) != 0)
            return KNOB_DIFFERS;
    }
}

/* "max" and 0 take a limit away, and then the kernel shows no line, or not that word. */
static bool is_no_limit (const char *word, size_t length)
{
    return (length == 1 && *word == '0') ||
           (length > 4 && memcmp (word + length - 4, "=max", 4) == 0);
}

/* "8:0 rbps=1048576": in the line that begins with the first word all others are found. */
static enum knob_result compare_keyed (const char *written, const char *now)
{
    size_t key_length, length;
    const char *key = next_word (&written, &key_length), *line = "";

    for (; *now; now += strcspn (now, "\n"), now += *now == '\n') {
        const char *rest = now;
        size_t first;
        const char *word = next_word (&rest, &first);
        if (first == key_length && memcmp (word, key, first) == 0)
            line = rest;
    }
    for (;;) {
        const char *word = next_word (&written, &length);
        if (length == 0)
            return KNOB_HOLDS;
        if (!line_has (line, word, length) && !is_no_limit (word, length))
            return KNOB_DIFFERS;
    }
}

static bool has_bit (const struct bitlist *list, size_t bit)
{
    const size_t word_bits = sizeof (unsigned long) * CHAR_BIT;

    return bit < list->bits && (list->words[bit / word_bits] >> bit % word_bits & 1);
}

static bool is_within (const struct bitlist *narrow, const struct bitlist *wide)
{
    for (size_t bit = 0; bit < narrow->bits; bit++)
        if (has_bit (narrow, bit) && !has_bit (wide, bit))
            return false;
    return true;
}

/* KNOB_WAS_ROUNDED: some of it, and nothing else. */
static enum knob_result compare_sets (const char *written, const char *now)
{
    AUTO_BITLIST struct bitlist asked = {0}, shown = {0};

    if (bitlist_parse (now, &shown) < 0)
        return KNOB_DIFFERS; /* also where it is empty */
    if (bitlist_parse (written, &asked) < 0)
        return KNOB_HOLDS; /* a spelling that only the kernel knows ("0-31:2/4"), and took */
    if (!is_within (&shown, &asked))
        return KNOB_DIFFERS;
    return is_within (&asked, &shown) ? KNOB_HOLDS : KNOB_WAS_ROUNDED;
}

enum knob_result knob_compare (const struct knob *knob, const char *written, const char *now)
{
    switch (knob->check) {
    case KNOB_EXACT:
    case KNOB_ROUNDED:
        return compare_numbers (knob, written, now);
    case KNOB_WORDS:
        return compare_words (written, now);
    case KNOB_KEYED:
        return compare_keyed (written, now);
    case KNOB_SET:
        return compare_sets (written, now);
    case KNOB_ANY:
        break;
    }
    return KNOB_HOLDS;
}

static int differs (const struct knob *knob, const char *place, const char *file,
                    const char *written, char *now, struct error *err)
{
    now[strcspn (now, "\n")] = '\0';
    error_set (err, "RT-CGROUP-LIMIT", 0, "'%s/%s' holds '%s' after '%s' was written", place, file,
               now, written);
    error_at (err, "%s", knob->pointer);
    return error_hint (err, "the value is out of the kernel's range, or this kernel ignores it");
}

/* v2 takes any set, and gives what the cgroups above have of it; where that is nothing it gives all
 * that they have, which is no limit any more. */
static int check_effective (int dir, const struct knob *knob, const char *place, const char *asked,
                            struct error *err)
{
    char file[64], now[4096];

    (void)snprintf (file, sizeof file, "%s.effective", knob->file);
    if (fd_read_file_at (dir, file, now, sizeof now) < 0)
        return 0; /* v1, where the kernel refuses what cannot be had */
    now[strcspn (now, "\n")] = '\0';
    switch (compare_sets (asked, now)) {
    case KNOB_HOLDS:
        return 0;
    case KNOB_WAS_ROUNDED:
        log_warning ("%s/%s: of %s the host gives %s", place, knob->file, asked, now);
        return 0;
    case KNOB_DIFFERS:
        break;
    }
    error_set (err, "RT-CGROUP-LIMIT", 0,
               "'%s/%s': nothing of %s can be had here (it would run on %s)", place, knob->file,
               asked, now);
    error_at (err, "%s", knob->pointer);
    return error_hint (err, "the cgroups above it, or this host, have no more");
}

static bool is_unlimited (const char *now)
{
    uint64_t shown;

    return parse_shown (now, &shown) == 0 && shown >= COUNTER_MAX;
}

int knob_read_back (int dir, int fd, const char *place, const char *file, const struct knob *knob,
                    const char *written, struct error *err)
{
    struct error failure = {0};
    size_t length;
    const char *asked = knob->shown ? knob->shown : written;

    if (knob->check == KNOB_ANY)
        return 0;
    AUTO_FREE char *now =
        lseek (fd, 0, SEEK_SET) < 0 ? NULL : fd_read_all (fd, SHOWN_MAX, &length, file, &failure);
    if (!now) {
        error_set (err, "RT-CGROUP-LIMIT", failure.errnum ? failure.errnum : errno, "read '%s/%s'",
                   place, file);
        return error_at (err, "%s", knob->pointer);
    }
    if (knob->check != KNOB_KEYED)
        now[strcspn (now, "\n")] = '\0';
    switch (knob_compare (knob, asked, now)) {
    case KNOB_HOLDS:
        break;
    case KNOB_WAS_ROUNDED:
        if (knob->check == KNOB_SET)
            return differs (knob, place, file, asked, now, err);
        log_debug ("%s/%s: the kernel made %s of %s", place, file, now, written);
        break;
    case KNOB_DIFFERS:
        if (!(knob->flags & KNOB_MAY_BE_GONE) || !is_unlimited (now))
            return differs (knob, place, file, asked, now, err);
        log_warning ("%s: this kernel ignores '%s/%s', which stays unlimited", knob->pointer, place,
                     file);
        return 0;
    }
    return knob->check == KNOB_SET ? check_effective (dir, knob, place, written, err) : 0;
}
