/* SPDX-License-Identifier: Apache-2.0 */
/*
 * last_words: what CRIU wrote into its log about a failure. Its answers say little more than "no".
 */
#ifndef RT_CRIU_LAST_WORDS_H
#define RT_CRIU_LAST_WORDS_H

#include "base/error.h"
#include "base/text.h"

/* The first lines of a log that are marked as errors, the reason, and the last one, the
 * consequence, without time and place, separated by "; ". Pure. */
void last_words_find (const char *log, struct text *words);

/* Adds them to the text of `err`, and the log's path as its hint; where there are none, `otherwise`
 * (may be empty). -1. */
int last_words_explain (int work, const char *work_path, const char *log_file,
                        const char *otherwise, struct error *err);

#endif
