/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings: all that is wrong with one document, gathered while it is decoded and checked.
 *
 * A finding keeps its place (line, column, JSON pointer); in the end all are told in the order of
 * the document. Private to oci-spec/.
 */
#ifndef OCI_SPEC_FINDINGS_H
#define OCI_SPEC_FINDINGS_H

#include "base/arena.h"
#include "base/error.h"
#include "oci-spec/config.h"
#include "oci-spec/json.h"

#include <stdarg.h>

/* More are counted but not kept: a document can be wrong in millions of places. */
#define FINDINGS_MAX 1000

/* The longest pointer that an error has room for; longer ones are cut. */
#define POINTER_SIZE sizeof (((struct error *)NULL)->pointer)

struct finding {
    const char *code;
    const char *pointer;
    const char *text;
    uint32_t line, column;
};

struct findings {
    struct arena *arena;
    const char *file;
    const struct json *root;
    struct finding *items;
    size_t count; /* of all; items holds at most FINDINGS_MAX */
};

/* A finding about `value`, which the decoder has in its hand, at `pointer`. */
void findings_add (struct findings *findings, const char *code, const struct json *value,
                   const char *pointer, const char *format, va_list args)
    __attribute__ ((format (printf, 5, 0)));

/* A finding about what stands at `pointer`, or should stand there: then the place is that of the
 * nearest value around it. */
void findings_add_at (struct findings *findings, const char *code, const char *pointer,
                      const char *format, va_list args) __attribute__ ((format (printf, 4, 0)));

/* Is anything at `pointer`, below it or around it known to be wrong? Then what was decoded of it
 * means nothing, and rules about it would only add noise. */
bool findings_touch (const struct findings *findings, const char *pointer);

/* Tells all (see config.h). Returns -1 with `err` filled if there are any, else 0. */
int findings_tell (struct findings *findings, oci_report_fn *report, void *context,
                   struct error *err);

#endif
