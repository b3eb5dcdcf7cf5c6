/* SPDX-License-Identifier: Apache-2.0 */
/*
 * complete: what may stand in the place of the last of the words that somebody has typed, for the
 * completions of shells (contrib/completions), from the tables that the parser reads:
 *
 *   rt __complete -- --root /x delete --f      prints   --force<TAB>kill it if it runs ...
 *
 * One candidate a line. Nothing: the shell may offer files.
 */
#include "command.h"
#include "globals.h"
#include "state/record.h"

struct typed {
    const struct options_table *table; /* of rt itself, then of the verb */
    const struct command *command;     /* NULL: not yet */
    const struct option *option;       /* its value is what is typed */
    const char *root;                  /* of --root; NULL = none */
    int positional;                    /* arguments of the verb that are there already */
    bool others;                       /* the rest is another program's */
};

static void put (struct text *out, const char *before, const char *word, const char *typed,
                 const char *help)
{
    AUTO_TEXT struct text whole = {0};
    text_printf (&whole, "%s%s", before, word);
    if (text_starts_with (text_string (&whole), typed))
        text_printf (out, "%s%s%s\n", text_string (&whole), help ? "\t" : "", help ? help : "");
}

static const struct option *find_option (const struct options_table *table, const char *word)
{
    size_t length = strcspn (word + 2, "=");
    for (size_t i = 0; i < table->count; i++) {
        const struct option *option = &table->items[i];
        bool is_long = word[1] == '-' && strlen (option->name) == length &&
                       memcmp (word + 2, option->name, length) == 0;
        if (is_long || (word[1] != '-' && option->letters && word[1] != '\0' && word[2] == '\0' &&
                        strchr (option->letters, word[1])))
            return option;
    }
    return NULL;
}

/* Is it one of the words that the option knows? */
static bool is_value (const struct option *option, const char *word)
{
    size_t wanted = strlen (word);
    for (const char *words = option->argument; *words != '\0';) {
        size_t length = strcspn (words, "|");
        if (length == wanted && memcmp (words, word, length) == 0)
            return true;
        words += length + (words[length] == '|');
    }
    return false;
}

/* Options first, as their values may look like anything; bash has cut "--a=b" into three. */
static void read_words (struct typed *typed, struct options_table *verb, char *const *words,
                        int count)
{
    for (int i = 0; i < count && !typed->others; i++) {
        const char *word = words[i];
        if (word[0] == '-') {
            const struct option *option = find_option (typed->table, word);
            bool cut = i + 1 < count && text_equal (words[i + 1], "=");
            if (!option || option_is_flag (option) || strchr (word, '='))
                continue;
            if (option->implied && !cut && !(i + 1 < count && is_value (option, words[i + 1])))
                continue;
            i += cut ? 2 : 1;
            if (i >= count)
                typed->option = option;
            else if (text_equal (option->name, "root") && !typed->command)
                typed->root = words[i];
        } else if (!typed->command) {
            typed->command = command_find (word);
            typed->others = !typed->command;
            if (!typed->command)
                continue;
            *verb = (struct options_table){.items = typed->command->options,
                                           .count = typed->command->option_count};
            typed->table = verb;
        } else {
            typed->positional++;
            typed->others = typed->command->order == OPTIONS_FIRST;
        }
    }
}

static void put_values (struct text *out, const struct option *option, const char *before,
                        const char *typed)
{
    if (option->kind != OPTION_KIND_WORD)
        return;
    for (const char *words = option->argument; *words != '\0';) {
        size_t length = strcspn (words, "|");
        AUTO_TEXT struct text word = {0};
        text_add (&word, words, length);
        put (out, before, text_string (&word), typed, NULL);
        words += length + (words[length] == '|');
    }
}

static void put_options (struct text *out, const struct options_table *table, const char *typed)
{
    const char *equals = strchr (typed, '=');
    const struct option *option = equals && typed[1] != '\0' ? find_option (table, typed) : NULL;
    if (option) {
        AUTO_TEXT struct text before = {0};
        text_add (&before, typed, (size_t)(equals - typed) + 1);
        put_values (out, option, text_string (&before), typed);
        return;
    }
    for (size_t i = 0; i < table->count; i++)
        if (table->items[i].help)
            put (out, "--", table->items[i].name, typed, table->items[i].help);
    put (out, "--", "help", typed, "print this help");
}

static void put_commands (struct text *out, const char *typed)
{
    for (const struct command *const *command = commands; *command; command++)
        if ((*command)->summary)
            put (out, "", (*command)->name, typed, (*command)->summary);
}

/* What cannot be read has no names to offer. */
static void put_ids (struct text *out, const struct invocation *invocation, const char *root,
                     const char *typed)
{
    struct error ignored;
    struct oci_strings ids;
    if (record_list (root ? root : invocation->globals->state_root, invocation->arena, &ids,
                     &ignored) < 0)
        return;
    for (size_t i = 0; i < ids.count; i++)
        put (out, "", ids.items[i], typed, NULL);
}

static int complete (struct invocation *invocation, struct error *err)
{
    int before = invocation->count - 1;
    const char *last = before < 0 ? "" : invocation->arguments[before];
    struct options_table verb;
    struct typed typed = {.table = &global_table};
    AUTO_TEXT struct text out = {0};

    if (before >= 0 && text_equal (last, "="))
        last = ""; /* bash: "--format=" and nothing yet */
    else if (before < 0)
        before = 0;
    read_words (&typed, &verb, invocation->arguments, before);
    if (typed.option)
        put_values (&out, typed.option, "", last);
    else if (typed.others)
        return 0;
    else if (last[0] == '-')
        put_options (&out, typed.table, last);
    else if (!typed.command)
        put_commands (&out, last);
    else if (typed.positional < typed.command->containers)
        put_ids (&out, invocation, typed.root, last);
    return command_print (&out, err);
}

const struct command command_complete = {
    .name = "__complete",
    .arguments = "WORD...",
    .min = 0,
    .max = ANY_NUMBER,
    .order = OPTIONS_FIRST,
    .run = complete,
};
