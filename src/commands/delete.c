/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete: remove what is left of containers.
 */
#include "command.h"
#include "selection.h"

struct delete_options {
    bool force;
    bool regex;
};

static const struct option rows[] = {
    OPTION_FLAG ("force", "f", struct delete_options, force,
                 "kill it if it runs, and be content if it does not exist"),
    OPTION_FLAG ("regex", "r", struct delete_options, regex,
                 "ID is a regular expression: every container that matches"),
};

static int delete_one (const char *id, const void *context, struct error *err)
{
    const struct invocation *invocation = context;
    const struct delete_options *options = invocation->options;
    struct error failure = {0};
    if (lifecycle_delete (invocation->globals, id, options->force, &failure) == 0)
        return 0;
    /* Of an expression nobody has named it: somebody else was faster. */
    if (options->regex && text_equal (failure.code, "RT-STATE-MISSING"))
        return 0;
    *err = failure;
    return -1;
}

static int delete (struct invocation *invocation, struct error *err)
{
    const struct delete_options *options = invocation->options;
    struct oci_strings ids;
    if (selection_find (invocation, invocation->arguments, (size_t)invocation->count,
                        options->regex, &ids, err) < 0)
        return -1;
    return selection_each (&ids, delete_one, invocation, err);
}

const struct command command_delete = {
    .name = "delete",
    .arguments = "ID...",
    .min = 1,
    .max = ANY_NUMBER,
    .containers = ANY_NUMBER,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct delete_options),
    .summary = "Remove containers that are stopped or were never started",
    .run = delete,
};
