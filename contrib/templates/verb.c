/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verb: does something with a container.
 */
#include "command.h"

struct verb_options {
    bool force;
};

/* name, letter (or NULL), struct, field, what the help says */
static const struct option rows[] = {
    OPTION_FLAG ("force", "f", struct verb_options, force, "do it to a running container, too"),
};

static int verb_container (struct invocation *invocation, struct error *err)
{
    const struct verb_options *options = invocation->options;

    /* The work is lifecycle's: this file knows the command line, and nothing of containers. */
    return lifecycle_delete (invocation->globals, invocation->arguments[0], options->force, err);
}

/* Then: a line in command.h, one in the list of main.c, one in src/commands/Makemodule.am. */
extern const struct command command_verb;
const struct command command_verb = {
    .name = "verb",
    .arguments = "ID",
    .min = 1,
    .max = 1,
    .containers = 1, /* completions offer ids */
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct verb_options),
    .summary = "Do something with a container",
    .run = verb_container,
};
