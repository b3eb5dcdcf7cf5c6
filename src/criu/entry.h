/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry: the entries of an image, and messages read by tables: a row for each field that counts. Of
 * image.c only, which says how strict it is. Pure.
 */
#ifndef RT_CRIU_ENTRY_H
#define RT_CRIU_ENTRY_H

#include "base/arena.h"
#include "criu/protobuf.h"

#include <stddef.h>
#include <stdint.h>

#define INVENTORY_MAGIC 0x58313116u /* the one file with a single number at its head */

enum message_row_kind {
    ROW_NUMBER,   /* struct criu_number */
    ROW_NUMBERS,  /* struct criu_numbers, repeated */
    ROW_STRING,   /* const char *, NULL = absent */
    ROW_MESSAGE,  /* struct protobuf, at NULL = absent */
    ROW_MESSAGES, /* struct messages, repeated */
};

struct messages {
    struct protobuf *items;
    size_t count;
};

struct message_row {
    uint32_t field;
    enum message_row_kind kind;
    size_t offset;
};

#define ROW(field_, kind_, type, member)                                                           \
    {                                                                                              \
        field_, kind_, offsetof (type, member)                                                     \
    }

/* Fields without a row are passed over. `out` is zeroed. 0 or -1. */
int message_read (struct protobuf body, const struct message_row *rows, size_t count,
                  struct arena *arena, void *out);

/* What follows the head of a file. 0 or -1. */
int entry_begin (const void *bytes, size_t length, uint32_t magic, struct protobuf *rest);

/* 1; 0 at the end; -1. */
int entry_next (struct protobuf *rest, struct protobuf *entry);

/* The entry of a file that has one. 0 or -1. */
int entry_only (const void *bytes, size_t length, uint32_t magic, struct protobuf *entry);

/* Room for one more item: what there is, or twice as much where it is full, at 0 and at powers of
 * two. */
void *entry_grow (struct arena *arena, void *items, size_t count, size_t size);

#endif
