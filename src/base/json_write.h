/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_write: JSON text, right by construction: commas, escapes and indentation are made here.
 *
 *   struct json_writer w = { .out = &text, .pretty = true };
 *   json_open (&w, NULL, '{');
 *   json_string (&w, "id", id);
 *   json_open (&w, "list", '[');
 *   json_string (&w, NULL, "element");
 *   json_close (&w, ']');
 *   json_close (&w, '}');
 *
 * key is NULL for elements of an array and for the top. Strings are taken to be UTF-8; bytes that
 * are not become U+FFFD. Slashes are not escaped.
 */
#ifndef RT_BASE_JSON_WRITE_H
#define RT_BASE_JSON_WRITE_H

#include "text.h"

struct json_writer {
    struct text *out;
    bool pretty;        /* two spaces a level */
    unsigned int depth; /* private from here */
    bool comma;
};

void json_open (struct json_writer *writer, const char *key, char bracket);
void json_close (struct json_writer *writer, char bracket);
void json_string (struct json_writer *writer, const char *key, const char *value);
void json_int (struct json_writer *writer, const char *key, int64_t value);
void json_uint (struct json_writer *writer, const char *key, uint64_t value);
/* 125 is 1.25 */
void json_hundredths (struct json_writer *writer, const char *key, uint64_t value);
void json_bool (struct json_writer *writer, const char *key, bool value);
void json_null (struct json_writer *writer, const char *key);

/* Only the quotes and escapes, for text that is not built here. */
void json_quote (struct text *out, const char *value);

#endif
