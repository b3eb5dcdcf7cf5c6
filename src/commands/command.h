/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command: what a verb is. Each verb's file defines one struct command; main.c lists them. Parsing,
 * help, man page and completions come from these tables.
 */
#ifndef RT_COMMANDS_COMMAND_H
#define RT_COMMANDS_COMMAND_H

#include "base/arena.h"
#include "base/error.h"
#include "base/options.h"
#include "base/text.h"
#include "lifecycle/lifecycle.h"

#include <limits.h>

#define ANY_NUMBER INT_MAX
#define LENGTH(array) (sizeof (array) / sizeof ((array)[0]))

/* One call of a verb. */
struct invocation {
    const struct lifecycle_globals *globals;
    bool root_is_default; /* no --root was given */
    struct arena *arena;
    const void *options; /* the verb's own struct */
    int count;           /* positional arguments */
    char **arguments;
    int exit_status; /* to be set by the verb where it is not 0 */
};

struct command {
    const char *name;
    const char *arguments; /* as the help shows them: "ID [SIGNAL]" */
    int min, max;          /* how many */
    int containers;        /* how many of them, from the first on, are ids of existing containers */
    const struct option *options;
    size_t option_count;
    size_t options_size; /* of the struct that the options fill, zeroed before */
    enum options_order order;
    const char *summary; /* one line; NULL: not for people, and not shown */
    const char *details; /* more lines for its own help; may be NULL */

    /* For verbs that start a process in a container: how many descriptors from 3 on it gets. */
    int (*inherits) (const void *options, unsigned int *count, struct error *err);
    int (*run) (struct invocation *invocation, struct error *err);
};

extern const struct command command_checkpoint;
extern const struct command command_complete;
extern const struct command command_create;
extern const struct command command_delete;
extern const struct command command_events;
extern const struct command command_exec;
extern const struct command command_features;
extern const struct command command_kill;
extern const struct command command_list;
extern const struct command command_pause;
extern const struct command command_ps;
extern const struct command command_restore;
extern const struct command command_resume;
extern const struct command command_run;
extern const struct command command_spec;
extern const struct command command_start;
extern const struct command command_state;
extern const struct command command_update;

/* All verbs, in the order of the help; NULL ends them. */
extern const struct command *const commands[];

/* NULL where there is none of that name. */
const struct command *command_find (const char *name);

/* The answer of a verb, on standard output, in one piece. */
int command_print (const struct text *text, struct error *err);

#endif
