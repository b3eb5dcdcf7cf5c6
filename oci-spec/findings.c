/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings: see findings.h.
 */
#include "oci-spec/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void findings_add (struct findings *findings, const char *code, const struct json *value,
                   const char *pointer, const char *format, va_list args)
{
    char text[sizeof (((struct error *)NULL)->text)];
    size_t used = 0;

    if (findings->count++ >= FINDINGS_MAX)
        return;
    if (!findings->items)
        findings->items = arena_array (findings->arena, FINDINGS_MAX, sizeof (*findings->items));
    if (pointer[0] != '\0')
        used = (size_t)snprintf (text, sizeof (text), "%s: ", pointer);
    (void)vsnprintf (text + used, sizeof (text) - used, format, args);
    findings->items[findings->count - 1] = (struct finding){
        .code = code,
        .pointer = arena_string (findings->arena, pointer),
        .text = arena_string (findings->arena, text),
        .line = value ? value->line : 0,
        .column = value ? value->column : 0,
    };
}

/* The value at the pointer, or the nearest one around the place where it is missing. */
static const struct json *nearest_value (const struct json *root, const char *pointer)
{
    char shorter[POINTER_SIZE];
    const struct json *value;

    (void)snprintf (shorter, sizeof (shorter), "%s", pointer);
    while (!(value = json_at (root, shorter))) {
        char *slash = strrchr (shorter, '/');
        if (!slash)
            return root;
        *slash = '\0';
    }
    return value;
}

void findings_add_at (struct findings *findings, const char *code, const char *pointer,
                      const char *format, va_list args)
{
    findings_add (findings, code, nearest_value (findings->root, pointer), pointer, format, args);
}

/* Is `inner` the same place as `outer` or one below it? */
static bool is_within (const char *inner, const char *outer)
{
    size_t length = strlen (outer);

    return strncmp (inner, outer, length) == 0 && (inner[length] == '\0' || inner[length] == '/');
}

bool findings_touch (const struct findings *findings, const char *pointer)
{
    size_t kept = findings->count < FINDINGS_MAX ? findings->count : FINDINGS_MAX;

    for (size_t i = 0; i < kept; i++)
        if (is_within (findings->items[i].pointer, pointer) ||
            is_within (pointer, findings->items[i].pointer))
            return true;
    return findings->count > FINDINGS_MAX;
}

static int compare_places (const void *left, const void *right)
{
    const struct finding *a = left, *b = right;

    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return strcmp (a->pointer, b->pointer);
}

static void to_error (const struct findings *findings, const struct finding *finding,
                      struct error *err)
{
    error_set (err, finding->code, 0, "%s", finding->text);
    error_at (err, "%s", finding->pointer);
    (void)snprintf (err->file, sizeof (err->file), "%s", findings->file);
    err->line = finding->line;
    err->column = finding->column;
}

int findings_tell (struct findings *findings, oci_report_fn *report, void *context,
                   struct error *err)
{
    size_t kept = findings->count < FINDINGS_MAX ? findings->count : FINDINGS_MAX;

    if (kept == 0)
        return 0;
    qsort (findings->items, kept, sizeof (*findings->items), compare_places);
    for (size_t i = 0; report && i < kept; i++) {
        struct error each;
        to_error (findings, &findings->items[i], &each);
        report (context, &each);
    }
    to_error (findings, &findings->items[0], err);
    if (findings->count > 1) {
        size_t used = strlen (err->text);
        (void)snprintf (err->text + used, sizeof (err->text) - used, " (and %zu more %s)",
                        findings->count - 1, findings->count == 2 ? "error" : "errors");
    }
    return -1;
}
