/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_json: a record as text and back. One table of fields serves both directions. Pure.
 */
#ifndef RT_STATE_RECORD_JSON_H
#define RT_STATE_RECORD_JSON_H

#include "base/text.h"
#include "record.h"

void record_to_json (const struct record *record, struct text *out);

/* Strings of the record live in the arena. Members that are not there have their defaults, unknown
 * ones are ignored. Errors: RT-STATE-VERSION for a record whose floor is above RECORD_VERSION,
 * RT-STATE-DAMAGED for what no rt wrote. */
int record_from_json (struct arena *arena, const char *text, size_t length, struct record *record,
                      struct error *err);

#endif
