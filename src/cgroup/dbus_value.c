/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dbus_value: see dbus_value.h.
 *
 * The text is read into a tree without types first. Types then come from the top (a word before the
 * value, "uint64" or "@as") or from below (what the first element that tells says of an array).
 */
#include "cgroup/dbus_value.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16, SIGNATURE_MAX = 255 };

struct node {
    char kind;        /* n number, s string, b bool, a array, r struct */
    const char *word; /* the number as written, the string unescaped, "true" */
    const char *type; /* that was written before it, or NULL */
    struct node **items;
    size_t count;
};

struct reader {
    struct arena *arena;
    const char *at;
    unsigned depth;
    struct error *err;
};

static const struct {
    const char *word;
    char type[2];
} type_words[] = {
    {"boolean", "b"}, {"byte", "y"},   {"int16", "n"},      {"uint16", "q"},
    {"int32", "i"},   {"uint32", "u"}, {"int64", "x"},      {"uint64", "t"},
    {"double", "d"},  {"string", "s"}, {"objectpath", "o"}, {"signature", "g"},
};

static int wrong (struct error *err, const char *what, const char *at)
{
    return error_set (err, "RT-DBUS-VALUE", 0, "%s at '%.40s'", what, at);
}

/* What nests deeper than values may is no type: a hostile one would be read until the stack ends.
 */
static size_t type_length (const char *signature, bool variants, unsigned depth)
{
    size_t at = 0;

    while (signature[at] == 'a')
        at++;
    if (signature[at] != '(')
        return signature[at] && strchr (variants ? "bynqiuxtdsogv" : "bynqiuxtdsog", signature[at])
                   ? at + 1
                   : 0;
    size_t members = 0;
    for (at++; signature[at] != ')'; members++) {
        size_t length = at > SIGNATURE_MAX || depth == 0
                            ? 0
                            : type_length (signature + at, variants, depth - 1);
        if (length == 0)
            return 0;
        at += length;
    }
    return members > 0 ? at + 1 : 0;
}

size_t dbus_type_length (const char *signature, bool variants)
{
    return type_length (signature, variants, DEPTH_MAX);
}

static void skip_space (struct reader *reader)
{
    reader->at += strspn (reader->at, " \t\r\n");
}

static struct node *new_node (struct reader *reader, char kind, const char *word)
{
    struct node *node = arena_alloc (reader->arena, sizeof *node);

    node->kind = kind;
    node->word = word;
    return node;
}

static struct node *read_string (struct reader *reader)
{
    static const char letters[] = "abfnrtv\\'\"", bytes[] = "\a\b\f\n\r\t\v\\'\"";
    AUTO_TEXT struct text text = {0};
    const char *start = reader->at;
    char quote = *reader->at++;

    for (; *reader->at != quote; reader->at++) {
        char c = *reader->at;
        if (c == '\\') {
            c = *++reader->at;
            const char *found = c ? strchr (letters, c) : NULL;
            if (!found) {
                wrong (reader->err, "an unknown escape", reader->at - (c != '\0'));
                return NULL;
            }
            c = bytes[found - letters];
        } else if (c == '\0') {
            wrong (reader->err, "a string without end", start);
            return NULL;
        }
        text_putc (&text, c);
    }
    reader->at++;
    return new_node (reader, 's', arena_string (reader->arena, text_string (&text)));
}

static struct node *read_node (struct reader *reader);

static struct node *read_items (struct reader *reader, char kind, char end)
{
    struct node *node = new_node (reader, kind, reader->at);
    struct node *items[64];

    reader->at++;
    for (skip_space (reader); *reader->at != end; skip_space (reader)) {
        if (node->count == sizeof items / sizeof items[0]) {
            wrong (reader->err, "too many elements", node->word);
            return NULL;
        }
        items[node->count] = read_node (reader);
        if (!items[node->count])
            return NULL;
        node->count++;
        skip_space (reader);
        if (*reader->at == ',') {
            reader->at++;
        } else if (*reader->at != end) {
            wrong (reader->err, *reader->at ? "neither a comma nor an end" : "a list without end",
                   *reader->at ? reader->at : node->word);
            return NULL;
        }
    }
    reader->at++;
    node->items = arena_array (reader->arena, node->count + 1, sizeof *node->items);
    if (node->count > 0)
        memcpy (node->items, items, node->count * sizeof *items);
    return node;
}

/* "uint64", "@as", true, false. */
static struct node *read_word (struct reader *reader)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    const char *start = reader->at, *type = NULL;

    if (*start == '@') {
        size_t length = dbus_type_length (start + 1, false);
        type = arena_copy (reader->arena, start + 1, length);
        reader->at += 1 + length;
        if (length == 0 || !strchr (" \t\r\n", *reader->at)) {
            wrong (reader->err, "an unknown type", start);
            return NULL;
        }
    } else {
        size_t length = strspn (start, letters);
        const char *word = arena_copy (reader->arena, start, length);
        reader->at += length;
        if (text_equal (word, "true") || text_equal (word, "false"))
            return new_node (reader, 'b', word);
        for (size_t i = 0; i < sizeof type_words / sizeof type_words[0]; i++)
            if (text_equal (word, type_words[i].word))
                type = type_words[i].type;
        if (!type) {
            wrong (reader->err, "an unknown word (strings need quotes)", start);
            return NULL;
        }
    }
    skip_space (reader);
    struct node *node = read_node (reader);
    if (!node)
        return NULL;
    if (node->type) {
        wrong (reader->err, "two types", start);
        return NULL;
    }
    node->type = type;
    return node;
}

static struct node *read_node (struct reader *reader)
{
    struct node *node = NULL;

    skip_space (reader);
    if (++reader->depth > DEPTH_MAX) {
        wrong (reader->err, "too many levels", reader->at);
        return NULL;
    }
    size_t length = strspn (reader->at, "0123456789+-.eExXabcdefABCDEFinfty_");
    if (*reader->at == '\0') {
        wrong (reader->err, "no value", reader->at);
    } else if (strchr ("'\"", *reader->at)) {
        node = read_string (reader);
    } else if (*reader->at == '[') {
        node = read_items (reader, 'a', ']');
    } else if (*reader->at == '(') {
        node = read_items (reader, 'r', ')');
    } else if (strchr ("0123456789+-.", *reader->at)) {
        node = new_node (reader, 'n', arena_copy (reader->arena, reader->at, length));
        reader->at += length;
    } else {
        node = read_word (reader);
    }
    reader->depth--;
    return node;
}

static bool is_hex (const char *word)
{
    word += *word == '-' || *word == '+';
    return word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
}

/* The type that a node has by itself, or NULL: an empty array tells nothing. */
static const char *own_type (struct arena *arena, const struct node *node)
{
    if (node->type)
        return node->type;
    if (node->kind == 'n')
        return !is_hex (node->word) && strpbrk (node->word, ".eEn") ? "d" : "i";
    if (node->kind == 's' || node->kind == 'b')
        return node->kind == 's' ? "s" : "b";
    const char *types = "";
    for (size_t i = 0; i < node->count; i++) {
        const char *type = own_type (arena, node->items[i]);
        if (node->kind == 'r' && !type)
            return NULL;
        if (node->kind == 'r')
            types = arena_printf (arena, "%s%s", types, type);
        /* One written type decides for all numbers, and so does one with a point. */
        else if (type && (*types == '\0' || node->items[i]->type || text_equal (type, "d")))
            types = type;
    }
    if (*types == '\0')
        return NULL;
    return node->kind == 'a' ? arena_printf (arena, "a%s", types)
                             : arena_printf (arena, "(%s)", types);
}

/* Decimal or hexadecimal; beyond 64 bits is an error. */
static int read_magnitude (const char *word, bool *negative, uint64_t *value)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t read = 0;

    *negative = *word == '-';
    word += *word == '-' || *word == '+';
    if (!is_hex (word))
        return text_to_uint64 (word, UINT64_MAX, value);
    word += 2;
    if (strlen (word) - 1 > 15)
        return -1;
    for (; *word; word++) {
        const char *digit = strchr (digits, *word | ('a' - 'A'));
        if (!digit)
            return -1;
        read = read << 4 | (uint64_t)(digit - digits);
    }
    *value = read;
    return 0;
}

static int set_integer (char type, const char *word, struct dbus_value *value)
{
    static const struct {
        char type;
        uint64_t positive, negative;
    } ranges[] = {
        {'y', UINT8_MAX, 0},
        {'q', UINT16_MAX, 0},
        {'u', UINT32_MAX, 0},
        {'t', UINT64_MAX, 0},
        {'n', INT16_MAX, (uint64_t)INT16_MAX + 1},
        {'i', INT32_MAX, (uint64_t)INT32_MAX + 1},
        {'x', INT64_MAX, (uint64_t)INT64_MAX + 1},
    };
    bool negative;
    uint64_t magnitude;

    if (read_magnitude (word, &negative, &magnitude) < 0)
        return -1;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (ranges[i].type != type)
            continue;
        if (magnitude > (negative ? ranges[i].negative : ranges[i].positive))
            return -1;
        if (negative)
            value->integer = -(int64_t)(magnitude - (magnitude > 0)) - (magnitude > 0);
        else
            value->number = magnitude;
        return 0;
    }
    return -1;
}

static int set_basic (const struct node *node, char type, struct dbus_value *value)
{
    char *end;

    switch (type) {
    case 'b':
        value->number = text_equal (node->word, "true");
        return node->kind == 'b' ? 0 : -1;
    case 's':
        value->text = node->word;
        return node->kind == 's' ? 0 : -1;
    case 'o':
        value->text = node->word;
        return node->kind == 's' && node->word[0] == '/' ? 0 : -1;
    case 'g':
        value->text = node->word;
        return node->kind == 's' && strlen (node->word) <= SIGNATURE_MAX ? 0 : -1;
    case 'd':
        if (node->kind != 'n')
            return -1;
        value->real = strtod (node->word, &end);
        return *end || !isfinite (value->real) ? -1 : 0;
    default:
        return node->kind == 'n' ? set_integer (type, node->word, value) : -1;
    }
}

static int build (struct reader *reader, const struct node *node, const char *type,
                  struct dbus_value *value)
{
    const char *written = node->type ? node->type : type;

    if (!text_equal (written, type) || (node->kind == 'a') != (*type == 'a') ||
        (node->kind == 'r') != (*type == '('))
        return wrong (reader->err, "a value of another type", node->word);
    value->type = type;
    if (node->kind != 'a' && node->kind != 'r')
        return set_basic (node, *type, value) < 0
                   ? wrong (reader->err, "a value that does not fit its type", node->word)
                   : 0;
    value->count = node->count;
    value->items = arena_array (reader->arena, node->count + 1, sizeof *value->items);
    const char *at = type + 1;
    for (size_t i = 0; i < node->count; i++) {
        size_t length = dbus_type_length (at, false);
        if (length == 0)
            return wrong (reader->err, "more members than its type has", node->word);
        if (build (reader, node->items[i], arena_copy (reader->arena, at, length),
                   &value->items[i]) < 0)
            return -1;
        at += node->kind == 'r' ? length : 0;
    }
    if (node->kind == 'r' && *at != ')')
        return wrong (reader->err, "fewer members than its type has", node->word);
    return 0;
}

int dbus_value_parse (struct arena *arena, const char *text, struct dbus_value *value,
                      struct error *err)
{
    struct reader reader = {.arena = arena, .at = text, .err = err};
    struct dbus_value built = {0};
    const struct node *node = read_node (&reader);

    if (!node)
        return -1;
    skip_space (&reader);
    if (*reader.at)
        return wrong (err, "something behind the value", reader.at);
    const char *type = own_type (arena, node);
    if (!type)
        return wrong (err, "an array whose type is not known (\"@as []\" says it)", text);
    if (strlen (type) > SIGNATURE_MAX)
        return wrong (err, "a type of more than 255 letters", text);
    if (dbus_type_length (type, false) != strlen (type))
        return wrong (err, "a type that nests too deep", text);
    if (build (&reader, node, type, &built) < 0)
        return -1;
    *value = built;
    return 0;
}
