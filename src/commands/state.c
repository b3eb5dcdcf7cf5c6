/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: print the state of a container (runtime.md, "Query State").
 */
#include "command.h"
#include "inspect.h"

static int print_state (struct invocation *invocation, struct error *err)
{
    struct oci_state state;
    if (inspect_container (invocation->globals->state_root, invocation->arguments[0],
                           invocation->arena, &state, err) < 0)
        return -1;
    AUTO_TEXT struct text out = {0};
    oci_state_write (&out, &state, true);
    text_putc (&out, '\n');
    return command_print (&out, err);
}

const struct command command_state = {
    .name = "state",
    .arguments = "ID",
    .min = 1,
    .max = 1,
    .containers = 1,
    .summary = "Print the state of a container as JSON",
    .run = print_state,
};
