/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start: let the process of a created container begin.
 */
#include "command.h"

static int start (struct invocation *invocation, struct error *err)
{
    return lifecycle_start (invocation->globals, invocation->arguments[0], err);
}

const struct command command_start = {
    .name = "start",
    .arguments = "ID",
    .min = 1,
    .max = 1,
    .summary = "Start the process of a created container",
    .run = start,
};
