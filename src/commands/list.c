/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list: print the containers below the state root.
 */
#include "base/log.h"
#include "command.h"
#include "inspect.h"
#include "state/record.h"

#include <errno.h>
#include <unistd.h>

enum { FORMAT_TABLE = 1, FORMAT_JSON = 2 }; /* in the order of the words */

struct list_options {
    int format;
    bool quiet;
};

static const struct option rows[] = {
    OPTION_WORD ("format", "f", struct list_options, format, "table|json", NULL,
                 "how to print (default: table)"),
    OPTION_FLAG ("quiet", "q", struct list_options, quiet, "print only the ids"),
};

#define COLUMNS 6

/* One row of the table: every cell padded to its column, the last one not. */
static void put_row (struct text *out, const char *const cells[COLUMNS],
                     const size_t widths[COLUMNS])
{
    for (size_t i = 0; i + 1 < COLUMNS; i++)
        text_printf (out, "%-*s  ", (int)widths[i], cells[i]);
    text_printf (out, "%s\n", cells[COLUMNS - 1]);
}

static void put_table (struct text *out, struct arena *arena, const struct oci_state *states,
                       size_t count)
{
    const char *(*cells)[COLUMNS] = arena_array (arena, count + 1, sizeof *cells);
    static const char *const heads[COLUMNS] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};
    memcpy (cells[0], heads, sizeof heads);
    for (size_t i = 0; i < count; i++) {
        const char **row = cells[i + 1];
        row[0] = states[i].id;
        row[1] = arena_printf (arena, "%d", (int)states[i].pid);
        row[2] = oci_status_word (states[i].status);
        /* A bundle's path may have any byte: no row is forged, no terminal commanded. */
        char *bundle = arena_string (arena, states[i].bundle);
        hide_controls (bundle, strlen (bundle));
        row[3] = bundle;
        row[4] = states[i].created ? states[i].created : "";
        row[5] = states[i].owner;
    }
    size_t widths[COLUMNS] = {0};
    for (size_t i = 0; i <= count; i++) {
        for (size_t j = 0; j < COLUMNS; j++) {
            size_t width = strlen (cells[i][j]);
            widths[j] = width > widths[j] ? width : widths[j];
        }
    }
    for (size_t i = 0; i <= count; i++)
        put_row (out, cells[i], widths);
}

static void put_json (struct text *out, const struct oci_state *states, size_t count)
{
    text_putc (out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_putc (out, ',');
        oci_state_write (out, &states[i], false);
    }
    text_puts (out, "]\n");
}

/* One that vanishes meanwhile is left out; a damaged one is told of, and is left out too. One that
 * could not be looked at (the kernel has said why) makes the list a part: that is an error, when
 * all others are printed. */
static size_t inspect_all (const struct invocation *invocation, const struct oci_strings *ids,
                           struct oci_state *states, struct error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < ids->count; i++) {
        struct error failure = {0};
        if (inspect_container (invocation->globals->state_root, ids->items[i], invocation->arena,
                               &states[count], &failure) == 0) {
            count++;
        } else if (failure.errnum != 0 && !error_is_set (err)) {
            *err = failure;
            error_wrap (err, "container `%s` is left out", ids->items[i]);
        } else if (!text_equal (failure.code, "RT-STATE-MISSING")) {
            char words[ERROR_WORDS];
            log_warning ("container `%s` is left out: %s", ids->items[i],
                         error_format (&failure, words, sizeof words));
        }
    }
    return count;
}

static int list (struct invocation *invocation, struct error *err)
{
    const struct list_options *options = invocation->options;
    const char *root = invocation->globals->state_root;
    if (!invocation->root_is_default && access (root, F_OK) < 0)
        return error_set (err, "RT-STATE-ROOT", errno, "open the state root `%s`", root);
    struct oci_strings ids;
    if (record_list (root, invocation->arena, &ids, err) < 0)
        return -1;

    AUTO_TEXT struct text out = {0};
    if (options->quiet) {
        for (size_t i = 0; i < ids.count; i++)
            text_printf (&out, "%s\n", ids.items[i]);
        return command_print (&out, err);
    }
    struct oci_state *states = arena_array (invocation->arena, ids.count, sizeof *states);
    struct error part = {0};
    size_t count = inspect_all (invocation, &ids, states, &part);
    if (options->format == FORMAT_JSON)
        put_json (&out, states, count);
    else
        put_table (&out, invocation->arena, states, count);
    if (command_print (&out, err) < 0)
        return -1;
    if (!error_is_set (&part))
        return 0;
    *err = part;
    return -1;
}

const struct command command_list = {
    .name = "list",
    .arguments = "",
    .min = 0,
    .max = 0,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct list_options),
    .summary = "List the containers",
    .run = list,
};
