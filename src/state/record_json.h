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

/* What is left of a damaged record: the members that are whole, by name and kind; the others, and
 * those behind the place where the text is cut off, are zero. The phase is RECORD_CREATING. Nothing
 * of a text that is no record, or of one of another container than `id`. */
void record_parts_of_json (struct arena *arena, const char *text, size_t length, const char *id,
                           struct record *parts);

#endif
