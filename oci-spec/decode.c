/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode: see decode.h.
 */
#include "oci-spec/decode.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

_Static_assert(JSON_DEPTH_MAX <= 128, "places and patterns recurse once a level");

/* ---- errors ---- */

/* Appends one step, "~" and "/" escaped (RFC 6901); what does not fit is cut. */
static size_t write_step (char *out, size_t used, const char *key)
{
    if (used + 1 < POINTER_SIZE)
        out[used++] = '/';
    for (; *key && used + 2 < POINTER_SIZE; key++) {
        if (*key == '~' || *key == '/') {
            out[used++] = '~';
            out[used++] = *key == '~' ? '0' : '1';
        } else
            out[used++] = *key;
    }
    return used;
}

static size_t write_place (char *out, const struct place *at)
{
    char index[24];
    size_t used;

    if (!at->up)
        return 0;
    used = write_place (out, at->up);
    if (at->key)
        return write_step (out, used, at->key);
    (void)snprintf (index, sizeof (index), "%zu", at->index);
    return write_step (out, used, index);
}

static void error_at_place (struct decoder *decoder, const struct place *at, const char *code,
                            const char *format, va_list args)
    __attribute__ ((format (printf, 4, 0)));

static void error_at_place (struct decoder *decoder, const struct place *at, const char *code,
                            const char *format, va_list args)
{
    char pointer[POINTER_SIZE];

    pointer[write_place (pointer, at)] = '\0';
    findings_add (decoder->findings, code, at->value, pointer, format, args);
}

void decode_error (struct decoder *decoder, const struct place *at, const char *code,
                   const char *format, ...)
{
    va_list args;

    va_start (args, format);
    error_at_place (decoder, at, code, format, args);
    va_end (args);
}

void decode_type_error (struct decoder *decoder, const struct place *at, const char *wanted)
{
    decode_error (decoder, at, "RT-CONFIG-TYPE", "must be %s, not %s", wanted,
                  json_type_word (at->value->type));
}

/* The value in a message: numbers as written, strings in quotes, never more than a glance. Only for
 * rows of numbers and words: the strings of env and annotations can be secrets. */
static const char *glance (const struct json *value, char *out, size_t size)
{
    switch (value->type) {
    case JSON_BOOL:
        return value->boolean ? "true" : "false";
    case JSON_NUMBER:
        (void)snprintf (out, size, "%.40s", value->text);
        return out;
    case JSON_STRING:
        (void)snprintf (out, size, "\"%.40s\"", value->text);
        return out;
    default:
        return json_type_word (value->type);
    }
}

void decode_word_error (struct decoder *decoder, const struct place *at,
                        const struct oci_names *names)
{
    const char *word = at->value->text;
    const char *nearest = oci_names_nearest (names, word);
    char known[256] = "";
    size_t used = 0;

    if (nearest) {
        decode_error (decoder, at, "RT-CONFIG-WORD", "unknown %s \"%.60s\", did you mean \"%s\"?",
                      names->what, word, nearest);
        return;
    }
    for (size_t i = 0; i < names->count && used < sizeof (known); i++)
        used += (size_t)snprintf (known + used, sizeof (known) - used, "%s%s", i > 0 ? ", " : "",
                                  names->items[i].name);
    if (used >= sizeof (known)) /* a long table: the reader has better lists */
        decode_error (decoder, at, "RT-CONFIG-WORD", "unknown %s \"%.60s\"", names->what, word);
    else
        decode_error (decoder, at, "RT-CONFIG-WORD", "unknown %s \"%.60s\"; known: %s", names->what,
                      word, known);
}

/* ---- scalars ---- */

static void *member_of (const struct decode_row *row, void *target)
{
    return (char *)target + row->offset;
}

static bool is_type (struct decoder *decoder, const struct place *at, enum json_type type)
{
    if (at->value->type == type)
        return true;
    decode_type_error (decoder, at, json_type_word (type));
    return false;
}

void decode_string (struct decoder *decoder, const struct decode_row *row, const struct place *at,
                    void *target)
{
    if (!is_type (decoder, at, JSON_STRING))
        return;
    const char *text = at->value->text;
    if (text[0] == '\0') {
        if (row->required)
            decode_error (decoder, at, "RT-CONFIG-REQUIRED", "must not be empty");
        return;
    }
    memcpy (member_of (row, target), &text, sizeof (text));
}

/* The number, as the bits of a uint64_t. */
static bool read_integer (struct decoder *decoder, const struct decode_row *row,
                          const struct place *at, uint64_t *bits)
{
    const struct json *value = at->value;
    char buffer[64];
    int64_t number;

    if (value->type == JSON_NUMBER) {
        if (text_to_uint64 (value->text, row->max, bits) == 0 &&
            (row->min <= 0 || *bits >= (uint64_t)row->min))
            return true;
        if (row->min <= 0 && text_to_int64 (value->text, row->min, 0, &number) == 0) {
            *bits = (uint64_t)number;
            return true;
        }
    }
    decode_error (decoder, at, value->type == JSON_NUMBER ? "RT-CONFIG-RANGE" : "RT-CONFIG-TYPE",
                  "must be an integer from %" PRId64 " to %" PRIu64 ", not %s", row->min, row->max,
                  glance (value, buffer, sizeof (buffer)));
    return false;
}

static void store_integer (void *member, size_t size, uint64_t bits)
{
    uint32_t bits32 = (uint32_t)bits;
    uint16_t bits16 = (uint16_t)bits;

    if (size == sizeof (bits))
        memcpy (member, &bits, size);
    else if (size == sizeof (bits32))
        memcpy (member, &bits32, size);
    else
        memcpy (member, &bits16, size);
}

void decode_integer (struct decoder *decoder, const struct decode_row *row, const struct place *at,
                     void *target)
{
    uint64_t bits;

    if (read_integer (decoder, row, at, &bits))
        store_integer (member_of (row, target), row->size, bits);
}

void decode_optional_int64 (struct decoder *decoder, const struct decode_row *row,
                            const struct place *at, void *target)
{
    struct oci_int64 *member = member_of (row, target);
    uint64_t bits;

    if (read_integer (decoder, row, at, &bits))
        *member = (struct oci_int64){.present = true, .value = (int64_t)bits};
}

void decode_optional_uint64 (struct decoder *decoder, const struct decode_row *row,
                             const struct place *at, void *target)
{
    struct oci_uint64 *member = member_of (row, target);
    uint64_t bits;

    if (read_integer (decoder, row, at, &bits))
        *member = (struct oci_uint64){.present = true, .value = bits};
}

void decode_bool (struct decoder *decoder, const struct decode_row *row, const struct place *at,
                  void *target)
{
    if (is_type (decoder, at, JSON_BOOL))
        *(bool *)member_of (row, target) = at->value->boolean;
}

void decode_optional_bool (struct decoder *decoder, const struct decode_row *row,
                           const struct place *at, void *target)
{
    if (is_type (decoder, at, JSON_BOOL))
        *(struct oci_bool *)member_of (row, target) =
            (struct oci_bool){.present = true, .value = at->value->boolean};
}

static bool read_word (struct decoder *decoder, const struct oci_names *names,
                       const struct place *at, uint64_t *number)
{
    if (!is_type (decoder, at, JSON_STRING))
        return false;
    if (oci_names_find (names, at->value->text, number))
        return true;
    decode_word_error (decoder, at, names);
    return false;
}

void decode_enum (struct decoder *decoder, const struct decode_row *row, const struct place *at,
                  void *target)
{
    uint64_t number;

    /* An empty word is how Go writes an absent one. */
    if (!row->required && at->value->type == JSON_STRING && at->value->text[0] == '\0')
        return;
    if (read_word (decoder, row->names, at, &number))
        store_integer (member_of (row, target), row->size, number);
}

/* ---- arrays and maps ---- */

/* The place of a child; `index` counts on. */
static struct place child_of (const struct place *up, const struct json *value, size_t index)
{
    return (struct place){.up = up, .key = value->key, .index = index, .value = value};
}

void decode_flags (struct decoder *decoder, const struct decode_row *row, const struct place *at,
                   void *target)
{
    uint64_t all = 0, number;
    size_t index = 0;

    if (!is_type (decoder, at, JSON_ARRAY))
        return;
    json_each (value, at->value) {
        struct place child = child_of (at, value, index++);
        if (read_word (decoder, row->names, &child, &number))
            all |= number;
    }
    store_integer (member_of (row, target), row->size, all);
}

void decode_strings (struct decoder *decoder, const struct decode_row *row, const struct place *at,
                     void *target)
{
    struct oci_strings *strings = member_of (row, target);
    size_t index = 0;

    if (!is_type (decoder, at, JSON_ARRAY))
        return;
    strings->items =
        arena_array (decoder->arena, (size_t)at->value->count + 1, sizeof (*strings->items));
    json_each (value, at->value) {
        struct place child = child_of (at, value, index);
        if (is_type (decoder, &child, JSON_STRING))
            /* The tree's text is read-only by agreement; argv and envp are not const by history. */
            strings->items[index] = (char *)(uintptr_t)value->text;
        index++;
    }
    strings->count = index;
    strings->present = true;
}

void decode_map (struct decoder *decoder, const struct decode_row *row, const struct place *at,
                 void *target)
{
    struct oci_map *map = member_of (row, target);
    size_t index = 0;

    if (!is_type (decoder, at, JSON_OBJECT))
        return;
    if (at->value->count > 0)
        map->items = arena_array (decoder->arena, at->value->count, sizeof (*map->items));
    json_each (value, at->value) {
        struct place child = child_of (at, value, index);
        if (is_type (decoder, &child, JSON_STRING))
            map->items[index] = (struct oci_pair){.key = value->key, .value = value->text};
        else
            map->items[index] = (struct oci_pair){.key = value->key, .value = ""};
        index++;
    }
    map->count = index;
    map->present = true;
}

static void store_array (void *member, size_t count, void *items)
{
    struct decode_array_layout array = {.count = count, .items = items, .present = true};

    memcpy (member, &array, sizeof (array));
}

static void *new_items (struct decoder *decoder, const struct decode_row *row, size_t count)
{
    return count > 0 ? arena_array (decoder->arena, count, row->element_size) : NULL;
}

void decode_array (struct decoder *decoder, const struct decode_row *row, const struct place *at,
                   void *target)
{
    size_t index = 0;

    if (!is_type (decoder, at, JSON_ARRAY))
        return;
    char *items = new_items (decoder, row, at->value->count);
    json_each (value, at->value) {
        struct place child = child_of (at, value, index);
        row->element->decode (decoder, row->element, &child, items + index * row->element_size);
        index++;
    }
    store_array (member_of (row, target), index, items);
}

void decode_keyed (struct decoder *decoder, const struct decode_row *row, const struct place *at,
                   void *target)
{
    size_t index = 0;

    if (!is_type (decoder, at, JSON_OBJECT))
        return;
    char *items = new_items (decoder, row, at->value->count);
    json_each (value, at->value) {
        struct place child = child_of (at, value, index);
        char *item = items + index * row->element_size;
        /* The key goes through a row too, as if it were a string of the document. */
        struct json key = {
            .type = JSON_STRING, .line = value->line, .column = value->column, .text = value->key};
        struct place key_place = child;
        key_place.value = &key;
        row->element->decode (decoder, row->element, &key_place, item);
        if (value->type != JSON_NULL)
            decode_object (decoder, row->table, &child, item);
        index++;
    }
    store_array (member_of (row, target), index, items);
}

/* ---- objects ---- */

void decode_inline (struct decoder *decoder, const struct decode_row *row, const struct place *at,
                    void *target)
{
    decode_object (decoder, row->table, at, member_of (row, target));
}

void decode_pointer (struct decoder *decoder, const struct decode_row *row, const struct place *at,
                     void *target)
{
    if (!is_type (decoder, at, JSON_OBJECT))
        return;
    void *section = arena_alloc (decoder->arena, row->table->size);
    decode_object (decoder, row->table, at, section);
    memcpy (member_of (row, target), &section, sizeof (section));
}

bool decode_has (const struct json *object, const char *key)
{
    const struct json *value = json_member (object, key);

    return value && value->type != JSON_NULL;
}

void decode_object (struct decoder *decoder, const struct decode_table *table,
                    const struct place *at, void *target)
{
    uint64_t seen = 0; /* a bit for each row */

    if (!is_type (decoder, at, JSON_OBJECT))
        return;
    json_each (value, at->value) {
        if (value->type == JSON_NULL)
            continue;
        for (size_t i = 0; i < table->count; i++) {
            const struct decode_row *row = &table->rows[i];
            if (!text_equal (row->key, value->key))
                continue;
            struct place child = child_of (at, value, 0);
            row->decode (decoder, row, &child, target);
            seen |= UINT64_C (1) << i;
            break;
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        if (!table->rows[i].required || seen & (UINT64_C (1) << i))
            continue;
        struct place missing = {.up = at, .key = table->rows[i].key, .value = at->value};
        decode_error (decoder, &missing, "RT-CONFIG-REQUIRED", "is required");
    }
    if (table->finish)
        table->finish (decoder, at, target);
}

/* ---- what is known ---- */

void decode_patterns (const struct decode_table *table, const char *prefix, decode_pattern_fn *each,
                      void *context)
{
    char pattern[POINTER_SIZE];

    for (size_t i = 0; i < table->count; i++) {
        const struct decode_row *row = &table->rows[i];
        const struct decode_table *below = row->table     ? row->table
                                           : row->element ? row->element->table
                                                          : NULL;
        (void)snprintf (pattern, sizeof (pattern), "%s/%s", prefix, row->key);
        each (context, pattern, row);
        if (row->element) {
            (void)snprintf (pattern, sizeof (pattern), "%s/%s/*", prefix, row->key);
            each (context, pattern, row->element);
        }
        if (below)
            decode_patterns (below, pattern, each, context);
    }
}
