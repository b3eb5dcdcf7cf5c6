/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: the command line, described by tables. One row is one option; parsing, help, the man
 * page and completions come from the same rows.
 *
 *   struct kill_options { bool all; };
 *   static const struct option kill_options[] = {
 *       OPTION_FLAG ("all", "a", struct kill_options, all, "signal every process"),
 *   };
 *
 * Understood: --name value, --name=value, --flag, --flag=true|false, -n value, -nvalue, clusters of
 * letters, -name (the old runc way), and "--", which ends the options. --help, -h, -? and --usage
 * are options of every table. A value is taken whole: no comma splits it.
 */
#ifndef RT_BASE_OPTIONS_H
#define RT_BASE_OPTIONS_H

#include "arena.h"
#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_KIND_FLAG,   /* bool */
    OPTION_KIND_SWITCH, /* int: a flag of which "not given" (0) is not "no" (1); "yes" is 2 */
    OPTION_KIND_STRING, /* const char * */
    OPTION_KIND_NUMBER, /* uint64_t, at most `max` */
    OPTION_KIND_WORD,   /* int: 1 + the index of the word in `argument`, so 0 is "not given" */
    OPTION_KIND_LIST    /* struct option_list: each value that is given */
};

struct option_list {
    size_t count;
    const char **items;
};

struct option {
    const char *name;
    const char *letters; /* each of them means this option; NULL = none. The help shows the first */
    const char *argument; /* "DIR"; of a WORD the words: "text|json"; NULL for flags */
    const char *help;     /* NULL: understood, but not shown */
    enum option_kind kind;
    size_t offset; /* of the member in the verb's struct */
    uint64_t max;  /* of a NUMBER */
    const char
        *implied; /* of a WORD: its value where none is given: the argument may be left out */
};

/* The member's type is checked: pointers to different types do not compare. */
#define OPTION_OFFSET(container, member, type)                                                     \
    (offsetof (container, member) + 0 * sizeof (&((container *)0)->member == (type *)0))
#define OPTION_FLAG(name_, letters_, container, member, help_)                                     \
    {                                                                                              \
        .name = name_, .letters = letters_, .help = help_, .kind = OPTION_KIND_FLAG,               \
        .offset = OPTION_OFFSET (container, member, bool)                                          \
    }
#define OPTION_SWITCH(name_, letters_, container, member, help_)                                   \
    {                                                                                              \
        .name = name_, .letters = letters_, .help = help_, .kind = OPTION_KIND_SWITCH,             \
        .offset = OPTION_OFFSET (container, member, int)                                           \
    }
#define OPTION_STRING(name_, letters_, container, member, argument_, help_)                        \
    {                                                                                              \
        .name = name_, .letters = letters_, .argument = argument_, .help = help_,                  \
        .kind = OPTION_KIND_STRING, .offset = OPTION_OFFSET (container, member, const char *)      \
    }
#define OPTION_NUMBER(name_, letters_, container, member, max_, argument_, help_)                  \
    {                                                                                              \
        .name = name_, .letters = letters_, .argument = argument_, .help = help_,                  \
        .kind = OPTION_KIND_NUMBER, .offset = OPTION_OFFSET (container, member, uint64_t),         \
        .max = max_                                                                                \
    }
#define OPTION_WORD(name_, letters_, container, member, words_, implied_, help_)                   \
    {                                                                                              \
        .name = name_, .letters = letters_, .argument = words_, .help = help_,                     \
        .kind = OPTION_KIND_WORD, .offset = OPTION_OFFSET (container, member, int),                \
        .implied = implied_                                                                        \
    }
#define OPTION_LIST(name_, letters_, container, member, argument_, help_)                          \
    {                                                                                              \
        .name = name_, .letters = letters_, .argument = argument_, .help = help_,                  \
        .kind = OPTION_KIND_LIST, .offset = OPTION_OFFSET (container, member, struct option_list)  \
    }

enum options_order {
    OPTIONS_ANYWHERE, /* between and behind the positional arguments too */
    OPTIONS_FIRST     /* the first positional argument ends them: what follows is another's */
};

struct options_table {
    const char *owner; /* "rt create", for messages */
    const struct option *items;
    size_t count;
    enum options_order order;
    const struct options_table *outer; /* of the program, where this is a command's; for hints */
};

/* The usage is wrong, or help is what was asked for. */
#define OPTIONS_HELP 1

/* Reads argv[0..argc) into `target`, the struct that the rows point into, and moves the positional
 * arguments to the front of argv, in their order; *positional is their number. Returns 0,
 * OPTIONS_HELP, or -1. Nothing but `target`, argv and the arena is touched. */
int options_parse (const struct options_table *table, struct arena *arena, void *target, int argc,
                   char **argv, int *positional, struct error *err);

/* Is it complete without a value? */
static inline bool option_is_flag (const struct option *option)
{
    return option->kind == OPTION_KIND_FLAG || option->kind == OPTION_KIND_SWITCH;
}

/* Which of `count` words is meant by a mistyped one; NULL where none is near. `stride` bytes lie
 * between one pointer to a word and the next. */
const char *options_nearest (const char *word, const char *const *words, size_t count,
                             size_t stride);

#endif
