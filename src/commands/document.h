/* SPDX-License-Identifier: Apache-2.0 */
/*
 * document: the JSON files of the command line, and how all that is wrong with one is told.
 */
#ifndef RT_COMMANDS_DOCUMENT_H
#define RT_COMMANDS_DOCUMENT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#include <stddef.h>

/* The whole of a file, in the arena: of a pipe as well. NULL with err; `hint` for one that is
 * missing, or NULL. */
const char *document_read (struct arena *arena, const char *path, const char *hint, size_t *length,
                           struct error *err);

/* The last component of a path: what a document is called in messages. */
const char *document_name (const char *path);

/* All that is wrong with a document is told. The first finding is the verb's error and is told
 * last, by main (). Zeroed is empty. */
struct findings {
    size_t count;
    struct text others; /* one line each */
};

#define AUTO_FINDINGS __attribute__ ((cleanup (findings_release)))

/* The oci_report_fn for a `context` of these. */
void findings_gather (void *context, const struct error *finding);
void findings_tell_others (const struct findings *findings);
void findings_release (struct findings *findings);

#endif
