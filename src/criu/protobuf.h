/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protobuf: the few words of Protocol Buffers that CRIU's RPC is made of: numbers, strings and
 * messages in messages. A generated coder would bring a library and a build step for few messages.
 */
#ifndef RT_CRIU_PROTOBUF_H
#define RT_CRIU_PROTOBUF_H

#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

/* Appended to `out`. Negative numbers of the type int32 are given as their value in int64_t. */
void protobuf_number (struct text *out, uint32_t field, uint64_t value);
void protobuf_string (struct text *out, uint32_t field, const char *string);
void protobuf_message (struct text *out, uint32_t field, const struct text *message);

/* What is left to read; the bytes are the caller's. */
struct protobuf {
    const unsigned char *at;
    size_t left;
};

enum protobuf_kind {
    PROTOBUF_NUMBER = 0,
    PROTOBUF_FIXED64 = 1,
    PROTOBUF_BYTES = 2,
    PROTOBUF_FIXED32 = 5
};

struct protobuf_field {
    uint32_t number;
    enum protobuf_kind kind;
    uint64_t value;       /* of a number; 0 otherwise */
    struct protobuf body; /* of a string or a message; empty otherwise */
};

/* A number that stands alone, as in a list of them ("packed"): 1; 0 at the end; -1. */
int protobuf_next_number (struct protobuf *list, uint64_t *value);

/* The next field: 1; 0 at the end; -1 where the bytes are no message. */
int protobuf_next (struct protobuf *message, struct protobuf_field *field);

#endif
