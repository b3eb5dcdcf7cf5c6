/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: see options.h.
 */
#include "options.h"

#include "text.h"

#include <inttypes.h>
#include <string.h>

/* What one walk over the arguments has in its hands. */
struct parser {
    const struct options_table *table;
    struct arena *arena;
    void *target;
    char **argv;
    int argc;
    int at; /* the argument that is read */
    struct error *err;
};

const char *options_nearest (const char *word, const char *const *words, size_t count,
                             size_t stride)
{
    const char *best = NULL;
    size_t best_distance = 3; /* more slips than two are another word */
    for (size_t i = 0; i < count; i++) {
        const char *candidate = *(const char *const *)((const char *)words + i * stride);
        size_t distance = text_distance (word, candidate);
        if (distance < best_distance && distance < strlen (candidate)) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

static const struct option *find_name (const struct options_table *table, const char *name,
                                       size_t length)
{
    for (size_t i = 0; i < table->count; i++) {
        const char *candidate = table->items[i].name;
        if (strlen (candidate) == length && memcmp (candidate, name, length) == 0)
            return &table->items[i];
    }
    return NULL;
}

static const struct option *find_letter (const struct options_table *table, char letter)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->items[i].letters && strchr (table->items[i].letters, letter))
            return &table->items[i];
    }
    return NULL;
}

static bool asks_for_help (const char *argument)
{
    static const char *const ways[] = {"--help", "-h", "-?", "--usage", "-help"};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (text_equal (argument, ways[i]))
            return true;
    }
    return false;
}

/* The index of `value` in "one|two|three", or -1. */
static int word_index (const char *words, const char *value)
{
    size_t length = strlen (value);
    for (int index = 0;; index++) {
        size_t part = strcspn (words, "|");
        if (part == length && memcmp (words, value, part) == 0)
            return index;
        if (words[part] == '\0')
            return -1;
        words += part + 1;
    }
}

static int bad_value (const struct parser *parser, const struct option *option, const char *value,
                      const char *wanted)
{
    return error_set (parser->err, "RT-USAGE", 0, "%s: invalid value `%s` of --%s: %s",
                      parser->table->owner, value, option->name, wanted);
}

static int store_flag (const struct parser *parser, const struct option *option, const char *value,
                       bool *place)
{
    if (!value || text_equal (value, "true") || text_equal (value, "1"))
        *place = true;
    else if (text_equal (value, "false") || text_equal (value, "0"))
        *place = false;
    else
        return bad_value (parser, option, value, "it is true or false");
    return 0;
}

static int store (const struct parser *parser, const struct option *option, const char *value)
{
    void *place = (char *)parser->target + option->offset;
    char wanted[128];
    switch (option->kind) {
    case OPTION_KIND_FLAG:
        return store_flag (parser, option, value, place);
    case OPTION_KIND_SWITCH: {
        bool yes;
        if (store_flag (parser, option, value, &yes) < 0)
            return -1;
        *(int *)place = 1 + yes;
        return 0;
    }
    case OPTION_KIND_STRING:
        *(const char **)place = value;
        return 0;
    case OPTION_KIND_NUMBER:
        if (text_to_uint64 (value, option->max, place) == 0)
            return 0;
        (void)snprintf (wanted, sizeof wanted, "it is a number from 0 to %" PRIu64, option->max);
        return bad_value (parser, option, value, wanted);
    case OPTION_KIND_WORD: {
        int index = word_index (option->argument, value);
        if (index >= 0) {
            *(int *)place = index + 1;
            return 0;
        }
        (void)snprintf (wanted, sizeof wanted, "it is one of %s", option->argument);
        return bad_value (parser, option, value, wanted);
    }
    case OPTION_KIND_LIST: {
        struct option_list *list = place;
        if (!list->items) /* no option can be given more often than there are arguments */
            list->items = arena_array (parser->arena, (size_t)parser->argc, sizeof *list->items);
        list->items[list->count++] = value;
        return 0;
    }
    }
    return -1;
}

/* `value` is what was attached to the option, or NULL: then the next argument may be it. */
static int take (struct parser *parser, const struct option *option, const char *value)
{
    if (value || option_is_flag (option))
        return store (parser, option, value);

    const char *next = parser->at + 1 < parser->argc ? parser->argv[parser->at + 1] : NULL;
    if (option->implied && (!next || word_index (option->argument, next) < 0))
        return store (parser, option, option->implied);
    if (!next)
        return error_set (parser->err, "RT-USAGE", 0, "%s: flag needs an argument: --%s %s",
                          parser->table->owner, option->name, option->argument);
    parser->at++;
    return store (parser, option, next);
}

static int unknown (const struct parser *parser, const char *argument)
{
    const struct options_table *table = parser->table;
    error_set (parser->err, "RT-USAGE", 0, "%s: unknown option `%s`", table->owner, argument);
    if (argument[1] != '-')
        return error_hint (parser->err, "see %s --help", table->owner);

    size_t length = strcspn (argument + 2, "=");
    if (table->outer && find_name (table->outer, argument + 2, length))
        return error_hint (parser->err, "it is an option of %s itself: write it before the command",
                           table->outer->owner);
    char *name = arena_copy (parser->arena, argument + 2, length);
    const char *nearest = table->count > 0 ? options_nearest (name, &table->items[0].name,
                                                              table->count, sizeof table->items[0])
                                           : NULL;
    if (nearest)
        return error_hint (parser->err, "did you mean --%s?", nearest);
    return error_hint (parser->err, "see %s --help", table->owner);
}

static int read_long (struct parser *parser, const char *argument, const char *name)
{
    size_t length = strcspn (name, "=");
    const struct option *option = find_name (parser->table, name, length);
    if (!option)
        return unknown (parser, argument);
    return take (parser, option, name[length] == '=' ? name + length + 1 : NULL);
}

/* "-abc": flags, the last of which may be an option whose value is the rest or the next argument.
 */
static int read_letters (struct parser *parser, const char *argument)
{
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        const struct option *option = find_letter (parser->table, *letter);
        if (!option)
            return unknown (parser, argument);
        if (letter[1] == '=')
            return take (parser, option, letter + 2);
        if (!option_is_flag (option))
            return take (parser, option, letter[1] != '\0' ? letter + 1 : NULL);
        if (take (parser, option, NULL) < 0)
            return -1;
    }
    return 0;
}

static int read_option (struct parser *parser)
{
    const char *argument = parser->argv[parser->at];
    if (asks_for_help (argument))
        return OPTIONS_HELP;
    if (argument[1] == '-')
        return read_long (parser, argument, argument + 2);
    if (strlen (argument) > 2 &&
        find_name (parser->table, argument + 1, strcspn (argument + 1, "=")))
        return read_long (parser, argument, argument + 1);
    return read_letters (parser, argument);
}

int options_parse (const struct options_table *table, struct arena *arena, void *target, int argc,
                   char **argv, int *positional, struct error *err)
{
    struct parser parser = {
        .table = table, .arena = arena, .target = target, .argv = argv, .argc = argc, .err = err};
    int found = 0;
    bool more_options = true;
    for (; parser.at < argc; parser.at++) {
        char *argument = argv[parser.at];
        if (more_options && text_equal (argument, "--")) {
            more_options = false;
        } else if (more_options && argument[0] == '-' && argument[1] != '\0') {
            int result = read_option (&parser);
            if (result != 0)
                return result;
        } else {
            argv[found++] = argument;
            if (table->order == OPTIONS_FIRST)
                more_options = false;
        }
    }
    *positional = found;
    return 0;
}
