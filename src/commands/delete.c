/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete: remove what is left of containers.
 */
#include "base/log.h"
#include "command.h"

struct delete_options {
    bool force;
};

static const struct option rows[] = {
    OPTION_FLAG ("force", "f", struct delete_options, force,
                 "kill it if it runs, and be content if it does not exist"),
};

/* One that cannot be removed does not keep the others from it. */
static int delete (struct invocation *invocation, struct error *err)
{
    const struct delete_options *options = invocation->options;
    int result = 0;
    for (int i = 0; i < invocation->count; i++) {
        struct error failure = {0};
        if (lifecycle_delete (invocation->globals, invocation->arguments[i], options->force,
                              &failure) == 0)
            continue;
        if (result < 0)
            log_error_value (err);
        *err = failure;
        result = -1;
    }
    return result;
}

const struct command command_delete = {
    .name = "delete",
    .arguments = "ID...",
    .min = 1,
    .max = ANY_NUMBER,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct delete_options),
    .summary = "Remove containers that are stopped or were never started",
    .run = delete,
};
