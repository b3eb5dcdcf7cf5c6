/* SPDX-License-Identifier: Apache-2.0 */
/*
 * document: small config.json texts for the tests of oci-spec/, made around the property that a
 * case is about, and what the parser found wrong with them.
 */
#ifndef TESTS_UNIT_DOCUMENT_H
#define TESTS_UNIT_DOCUMENT_H

#include "base/arena.h"
#include "base/text.h"
#include "oci-spec/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FOUND_MAX 32

struct found {
    size_t count;
    struct error items[FOUND_MAX];
};

static void note_finding (void *context, const struct error *finding)
{
    struct found *found = context;

    if (found->count < FOUND_MAX)
        found->items[found->count] = *finding;
    found->count++;
}

/* Puts `member` (`"key":value`) into the text unless `given` has the key already. */
static void add_default (struct text *text, const char *given, const char *key, const char *value)
{
    if (!strstr (given, key))
        text_printf (text, "%s:%s,", key, value);
}

/* A whole config.json: `above` are members of the top, `process` and `linux_` those of the
 * sections; what a valid document needs and they do not have is added. */
static const char *document (struct text *text, const char *above, const char *process,
                             const char *linux_)
{
    text_puts (text, "{");
    add_default (text, above, "\"ociVersion\"", "\"1.2.0\"");
    add_default (text, above, "\"root\"", "{\"path\":\"rootfs\"}");
    if (!strstr (above, "\"process\"")) {
        text_puts (text, "\"process\":{");
        add_default (text, process, "\"cwd\"", "\"/\"");
        add_default (text, process, "\"args\"", "[\"sh\"]");
        text_printf (text, "%s%s\"\":0},", process, process[0] ? "," : "");
    }
    if (!strstr (above, "\"linux\""))
        text_printf (text, "\"linux\":{%s},", linux_);
    text_printf (text, "%s%s\"\":0}", above, above[0] ? "," : "");
    return text_string (text);
}

static struct oci_config *parse_config (struct arena *arena, const char *text, struct found *found)
{
    struct error err = {0};

    memset (found, 0, sizeof (*found));
    struct oci_config *config =
        oci_config_parse (arena, "config.json", text, strlen (text), note_finding, found, &err);
    assert_int_equal (config == NULL, found->count > 0);
    assert_int_equal (config == NULL, error_is_set (&err));
    return config;
}

/* A document that must be accepted. */
__attribute__ ((unused)) static struct oci_config *accept (struct arena *arena, const char *above,
                                                           const char *process, const char *linux_)
{
    AUTO_TEXT struct text text = {0};
    struct found found;
    /* The struct points into the text only where its copy is asked for. */
    struct oci_config *config =
        parse_config (arena, document (&text, above, process, linux_), &found);

    if (!config)
        fail_msg ("%s\n%s", text_string (&text), found.items[0].text);
    return config;
}

/* One property and what must be said about it: exactly one finding, there, with these words.
 * words NULL: nothing is wrong. */
struct refusal {
    const char *member;
    const char *pointer;
    const char *words;
};

static void check_findings (const char *text, const struct found *found,
                            const struct refusal *refusal)
{
    size_t wanted = refusal->words ? 1 : 0;

    if (found->count != wanted)
        fail_msg ("%s\n%zu findings, not %zu: %s; %s", text, found->count, wanted,
                  found->items[0].text, found->items[1].text);
    if (refusal->words && (!text_equal (found->items[0].pointer, refusal->pointer) ||
                           !strstr (found->items[0].text, refusal->words)))
        fail_msg ("%s\n\"%s\" at %s, not \"%s\" at %s", text, found->items[0].text,
                  found->items[0].pointer, refusal->words, refusal->pointer);
    if (refusal->words && found->items[0].line == 0)
        fail_msg ("%s: no line", found->items[0].text);
}

enum section { ABOVE, PROCESS, LINUX };

__attribute__ ((unused)) static void check_refusals (enum section section,
                                                     const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        AUTO_TEXT struct text text = {0};
        struct found found;
        const char *member = refusals[i].member;
        document (&text, section == ABOVE ? member : "", section == PROCESS ? member : "",
                  section == LINUX ? member : "");
        (void)parse_config (&arena, text_string (&text), &found);
        check_findings (text_string (&text), &found, &refusals[i]);
    }
}

#define CHECK_REFUSALS(section, table)                                                             \
    check_refusals (section, table, sizeof (table) / sizeof (*table))

#endif
