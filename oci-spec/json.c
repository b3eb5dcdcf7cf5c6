/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: see json.h.
 *
 * Positions: yajl tells where a token ends, never where it begins. Between two tokens there is only
 * white space, a comma or a colon, so the beginning is found by walking on from the end of the
 * token before. A string cannot hold a raw newline, so all lines end in these gaps: one pass over
 * the text counts them, whatever escapes and multi-byte letters the strings hold.
 */
#include "oci-spec/json.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <yajl/yajl_parse.h>

/* Up to here an object's keys are compared pair by pair, which needs no memory. */
#define FEW_KEYS 16

struct builder {
    struct arena *arena;
    yajl_handle handle;
    const char *file;
    const char *text;
    size_t length;
    bool finishing;    /* the text is over: yajl now reads a blank of its own */
    size_t cursor;     /* where the last token ended */
    uint32_t line;     /* of the cursor */
    size_t line_start; /* offset of that line's first byte */
    struct json *root;
    const char *key; /* of the member whose value comes next */
    struct json *open[JSON_DEPTH_MAX];
    struct json *last[JSON_DEPTH_MAX]; /* the youngest child of each open one */
    unsigned int depth;
    struct error *err;
};

static void error_place (struct builder *b, uint32_t line, size_t column)
{
    (void)snprintf (b->err->file, sizeof (b->err->file), "%s", b->file);
    b->err->line = line;
    b->err->column = (uint32_t)column;
}

/* The place of an offset at or after the cursor. */
static void error_offset (struct builder *b, size_t offset)
{
    uint32_t line = b->line;
    size_t line_start = b->line_start;

    for (size_t i = b->cursor; i < offset && i < b->length; i++)
        if (b->text[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    error_place (b, line, offset - line_start + 1);
}

static bool is_gap (char c)
{
    return c == ' ' || c == ',' || c == ':' || c == '\n' || c == '\t' || c == '\r' || c == '\v' ||
           c == '\f';
}

/* Moves the cursor to the first byte of the token that was just read. */
static void token_begin (struct builder *b)
{
    while (b->cursor < b->length && is_gap (b->text[b->cursor])) {
        if (b->text[b->cursor] == '\n') {
            b->line++;
            b->line_start = b->cursor + 1;
        }
        b->cursor++;
    }
}

static void token_end (struct builder *b)
{
    b->cursor = b->finishing ? b->length : yajl_get_bytes_consumed (b->handle);
}

static struct json *add_value (struct builder *b, enum json_type type)
{
    struct json *value = arena_alloc (b->arena, sizeof (*value));

    token_begin (b);
    value->type = type;
    value->line = b->line;
    value->column = (uint32_t)(b->cursor - b->line_start + 1);
    value->key = b->key;
    b->key = NULL;
    token_end (b);
    if (b->depth == 0) {
        b->root = value;
        return value;
    }
    struct json *parent = b->open[b->depth - 1];
    struct json *sibling = b->last[b->depth - 1];
    if (sibling)
        sibling->next = value;
    else
        parent->first = value;
    b->last[b->depth - 1] = value;
    parent->count++;
    return value;
}

static bool hex4 (const char *digits, unsigned int *value)
{
    unsigned int sum = 0;

    for (int i = 0; i < 4; i++) {
        const char *all = "0123456789abcdef";
        const char *found = digits[i] ? strchr (all, digits[i] | 0x20) : NULL;
        if (!found)
            return false;
        sum = sum * 16 + (unsigned int)(found - all);
    }
    *value = sum;
    return true;
}

/* Looks at the \u escapes of a string as it stands in the text. yajl would turn half a surrogate
 * pair into a question mark, and a NUL would cut the string for everybody who reads it later. */
static bool check_escapes (struct builder *b, size_t begin, size_t end)
{
    for (size_t i = begin; i + 1 < end; i++) {
        unsigned int unit, low;
        if (b->text[i] != '\\')
            continue;
        i++;
        if (b->text[i] != 'u' || i + 4 >= end || !hex4 (b->text + i + 1, &unit))
            continue;
        if (unit == 0) {
            error_set (b->err, "RT-JSON-NUL", 0, "a string holds the character NUL (\\u0000)");
            error_offset (b, i - 1);
            return false;
        }
        if (unit < 0xd800 || unit > 0xdfff) {
            i += 4;
            continue;
        }
        if (unit > 0xdbff || i + 10 >= end || b->text[i + 5] != '\\' || b->text[i + 6] != 'u' ||
            !hex4 (b->text + i + 7, &low) || low < 0xdc00 || low > 0xdfff) {
            error_set (b->err, "RT-JSON-UTF8", 0, "a string holds half a surrogate pair (\\u%04x)",
                       unit);
            error_offset (b, i - 1);
            return false;
        }
        i += 10;
    }
    return true;
}

/* A terminated copy of the string that was just read; NULL with the error set. Leaves the cursor at
 * its first byte. */
static const char *take_string (struct builder *b, const unsigned char *bytes, size_t length)
{
    token_begin (b);
    size_t end = yajl_get_bytes_consumed (b->handle);
    /* A string without escapes comes as a pointer into the text itself. */
    bool plain = (const char *)bytes == b->text + b->cursor + 1;
    if (!plain && length > 0 && !check_escapes (b, b->cursor, end))
        return NULL;
    return arena_copy (b->arena, (const char *)bytes, length);
}

static int on_null (void *context)
{
    (void)add_value (context, JSON_NULL);
    return 1;
}

static int on_boolean (void *context, int boolean)
{
    add_value (context, JSON_BOOL)->boolean = boolean != 0;
    return 1;
}

static int on_number (void *context, const char *bytes, size_t length)
{
    struct builder *b = context;

    add_value (b, JSON_NUMBER)->text = arena_copy (b->arena, bytes, length);
    return 1;
}

static int on_string (void *context, const unsigned char *bytes, size_t length)
{
    const char *text = take_string (context, bytes, length);

    if (!text)
        return 0;
    add_value (context, JSON_STRING)->text = text;
    return 1;
}

static int on_key (void *context, const unsigned char *bytes, size_t length)
{
    struct builder *b = context;

    b->key = take_string (b, bytes, length);
    if (!b->key)
        return 0;
    token_end (b);
    return 1;
}

static int open_container (struct builder *b, enum json_type type)
{
    if (b->depth == JSON_DEPTH_MAX) {
        token_begin (b);
        error_set (b->err, "RT-JSON-DEPTH", 0, "nested deeper than %d levels", JSON_DEPTH_MAX);
        error_offset (b, b->cursor);
        return 0;
    }
    struct json *value = add_value (b, type);
    b->open[b->depth] = value;
    b->last[b->depth] = NULL;
    b->depth++;
    return 1;
}

static int on_start_map (void *context)
{
    return open_container (context, JSON_OBJECT);
}

static int on_start_array (void *context)
{
    return open_container (context, JSON_ARRAY);
}

/* Keys by letters, equal ones by their place. */
static int compare_members (const void *left, const void *right)
{
    const struct json *a = *(const struct json *const *)left;
    const struct json *b = *(const struct json *const *)right;
    int order = strcmp (a->key, b->key);

    if (order != 0)
        return order;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

/* The second of two members with one key, or NULL. Two readers of such an object could disagree on
 * which of them counts. */
static const struct json *find_duplicate (struct arena *arena, const struct json *object)
{
    if (object->count <= FEW_KEYS) {
        json_each (member, object)
            for (const struct json *other = object->first; other != member; other = other->next)
                if (text_equal (other->key, member->key))
                    return member;
        return NULL;
    }

    const struct json **members = arena_array (arena, object->count, sizeof (*members));
    size_t count = 0;
    json_each (member, object)
        members[count++] = member;
    qsort (members, count, sizeof (*members), compare_members);
    for (size_t i = 1; i < count; i++)
        if (text_equal (members[i - 1]->key, members[i]->key))
            return members[i];
    return NULL;
}

static int on_end (void *context)
{
    struct builder *b = context;

    token_begin (b);
    token_end (b);
    b->depth--;
    return 1;
}

static int on_end_map (void *context)
{
    struct builder *b = context;
    const struct json *duplicate = find_duplicate (b->arena, b->open[b->depth - 1]);

    if (duplicate) {
        error_set (b->err, "RT-JSON-DUPLICATE", 0, "the key \"%.100s\" stands twice in one object",
                   duplicate->key);
        error_place (b, duplicate->line, duplicate->column);
        return 0;
    }
    return on_end (b);
}

/* yajl's own refusals. */
static void syntax_error (struct builder *b)
{
    unsigned char *said = yajl_get_error (b->handle, 0, NULL, 0);
    const char *words = said ? (const char *)said : "invalid JSON";
    size_t offset = yajl_get_bytes_consumed (b->handle);

    error_set (b->err, "RT-JSON-SYNTAX", 0, "not valid JSON: %.*s", (int)strcspn (words, "\n"),
               words);
    if (b->finishing)
        offset = b->length;
    else if (text_starts_with (words, "parse error")) {
        token_begin (b);
        offset = b->cursor;
    } else if (strstr (words, "invalid char in json text") && offset > 0)
        offset--;
    error_offset (b, offset);
    if (said)
        yajl_free_error (b->handle, said);
}

/* The offset of the first byte that is not UTF-8 (no overlong forms, no surrogates, nothing over
 * U+10FFFF: yajl's own check lets all of these pass), or length. */
static size_t utf8_end (const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t i = 0;

    while (i < length) {
        unsigned char c = bytes[i];
        size_t more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        unsigned char low = 0x80, high = 0xbf;

        if (more == 0) {
            i++;
            continue;
        }
        if (c < 0xc2 || c > 0xf4 || length - i <= more)
            return i;
        if (c == 0xe0)
            low = 0xa0;
        else if (c == 0xed)
            high = 0x9f;
        else if (c == 0xf0)
            low = 0x90;
        else if (c == 0xf4)
            high = 0x8f;
        if (bytes[i + 1] < low || bytes[i + 1] > high)
            return i;
        for (size_t k = 2; k <= more; k++)
            if ((bytes[i + k] & 0xc0) != 0x80)
                return i;
        i += more + 1;
    }
    return i;
}

static int check_text (struct builder *b)
{
    if (b->length > JSON_SIZE_MAX) {
        error_set (b->err, "RT-JSON-SIZE", 0, "%zu bytes long; at most %u are read", b->length,
                   JSON_SIZE_MAX);
        error_place (b, 0, 0);
        return -1;
    }
    size_t end = utf8_end (b->text, b->length);
    if (end < b->length) {
        error_set (b->err, "RT-JSON-UTF8", 0, "not valid UTF-8: byte 0x%02x",
                   (unsigned char)b->text[end]);
        error_offset (b, end);
        return -1;
    }
    return 0;
}

const struct json *json_parse (struct arena *arena, const char *file, const char *text,
                               size_t length, struct error *err)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_map_key = on_key,
        .yajl_start_map = on_start_map,
        .yajl_end_map = on_end_map,
        .yajl_start_array = on_start_array,
        .yajl_end_array = on_end,
    };
    struct builder b = {
        .arena = arena, .file = file, .text = text, .length = length, .line = 1, .err = err};

    if (check_text (&b) < 0)
        return NULL;
    b.handle = yajl_alloc (&callbacks, NULL, &b);
    if (!b.handle) {
        error_set (err, "RT-MEMORY", ENOMEM, "read JSON");
        return NULL;
    }
    yajl_config (b.handle, yajl_dont_validate_strings, 1); /* utf8_end () has done that better */
    yajl_status status = yajl_parse (b.handle, (const unsigned char *)text, length);
    if (status == yajl_status_ok) {
        b.finishing = true;
        status = yajl_complete_parse (b.handle);
    }
    if (status == yajl_status_error)
        syntax_error (&b);
    yajl_free (b.handle);
    return status == yajl_status_ok ? b.root : NULL;
}

const struct json *json_member (const struct json *object, const char *key)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    json_each (member, object)
        if (text_equal (member->key, key))
            return member;
    return NULL;
}

/* One step of a pointer, "~1" and "~0" undone on the way: is it this key? */
static bool step_is (const char *step, size_t length, const char *key)
{
    for (size_t i = 0; i < length; i++, key++) {
        char c = step[i];
        if (c == '~' && i + 1 < length && (step[i + 1] == '0' || step[i + 1] == '1'))
            c = step[++i] == '1' ? '/' : '~';
        if (*key != c || c == '\0')
            return false;
    }
    return *key == '\0';
}

static const struct json *step_to_element (const struct json *array, const char *step,
                                           size_t length)
{
    char digits[16];
    uint64_t index;

    if (length == 0 || length >= sizeof (digits) || (length > 1 && step[0] == '0'))
        return NULL;
    memcpy (digits, step, length);
    digits[length] = '\0';
    if (text_to_uint64 (digits, UINT32_MAX, &index) < 0)
        return NULL;
    json_each (element, array)
        if (index-- == 0)
            return element;
    return NULL;
}

const struct json *json_at (const struct json *root, const char *pointer)
{
    const struct json *at = root;

    while (at && *pointer == '/') {
        const char *step = pointer + 1;
        size_t length = strcspn (step, "/");
        const struct json *found = NULL;

        if (at->type == JSON_ARRAY)
            found = step_to_element (at, step, length);
        else if (at->type == JSON_OBJECT)
            json_each (member, at)
                if (step_is (step, length, member->key)) {
                    found = member;
                    break;
                }
        at = found;
        pointer = step + length;
    }
    return *pointer == '\0' ? at : NULL;
}

const char *json_type_word (enum json_type type)
{
    switch (type) {
    case JSON_NULL:
        return "null";
    case JSON_BOOL:
        return "a boolean";
    case JSON_NUMBER:
        return "a number";
    case JSON_STRING:
        return "a string";
    case JSON_ARRAY:
        return "an array";
    case JSON_OBJECT:
        return "an object";
    }
    return "nothing";
}
