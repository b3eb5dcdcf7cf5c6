/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pause, resume: freeze all processes of a container, and let them go on.
 */
#include "command.h"

static int pause_container (struct invocation *invocation, struct error *err)
{
    return lifecycle_pause (invocation->globals, invocation->arguments[0], err);
}

static int resume_container (struct invocation *invocation, struct error *err)
{
    return lifecycle_resume (invocation->globals, invocation->arguments[0], err);
}

const struct command command_pause = {
    .name = "pause",
    .arguments = "ID",
    .min = 1,
    .max = 1,
    .containers = 1,
    .summary = "Freeze all processes of a container",
    .run = pause_container,
};

const struct command command_resume = {
    .name = "resume",
    .arguments = "ID",
    .min = 1,
    .max = 1,
    .containers = 1,
    .summary = "Let a paused container go on",
    .run = resume_container,
};
