/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: text to a read-only tree. The only file that knows yajl (its callback parser, which gives
 * lengths and positions, so that the traps of its tree can be refused here).
 *
 * Refused: duplicate keys, NUL in strings, depth over JSON_DEPTH_MAX, text over JSON_SIZE_MAX,
 * anything after the value. Numbers keep their text: whether "1.0", "1e3" or 2^64 is in range is
 * the decoder's question.
 */
#ifndef OCI_SPEC_JSON_H
#define OCI_SPEC_JSON_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 64
#define JSON_SIZE_MAX (16u << 20)

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json {
    enum json_type type;
    bool boolean;
    uint32_t line, column; /* 1-based, in bytes, of the value's first byte */
    uint32_t count;        /* members or elements */
    const char *key;       /* where the parent is an object */
    const char *text;      /* string without quotes, number as written */
    struct json *first;    /* first member or element */
    struct json *next;     /* next sibling */
};

/* The tree, in the arena; NULL with err (code RT-JSON-*, file, line, column). */
const struct json *json_parse (struct arena *arena, const char *file, const char *text,
                               size_t length, struct error *err);

/* A member by key; NULL where it is absent or `object` is not an object. */
const struct json *json_member (const struct json *object, const char *key);

/* The value at a JSON pointer (RFC 6901); NULL where there is none. */
const struct json *json_at (const struct json *root, const char *pointer);

const char *json_type_word (enum json_type type);

#define json_each(item, parent)                                                                    \
    for (const struct json *item = (parent)->first; item; item = item->next)

#endif
