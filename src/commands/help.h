/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help: the tables as people read them.
 */
#ifndef RT_COMMANDS_HELP_H
#define RT_COMMANDS_HELP_H

#include "command.h"

void help_overview (struct text *out, const struct options_table *globals,
                    const struct command *const *command); /* NULL ends them */
void help_command (struct text *out, const struct command *command);

/* "rt kill [OPTIONS] ID [SIGNAL]" */
void help_usage (struct text *out, const struct command *command);

#endif
