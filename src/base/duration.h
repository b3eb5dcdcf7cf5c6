/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duration: a time span as Go's programs take it on their command line, since callers of runc write
 * it so: "5s", "100ms", "1h30m", "1.5s". Pure.
 */
#ifndef RT_BASE_DURATION_H
#define RT_BASE_DURATION_H

#include <stdint.h>

/* Nanoseconds. -1 where the text is no duration, or one of more than 290 years. */
int duration_parse (const char *text, int64_t *nanoseconds);

#endif
