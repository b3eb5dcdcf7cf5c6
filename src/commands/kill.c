/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill: send a signal to a container.
 */
#include "command.h"
#include "oci-spec/names.h"
#include "selection.h"

struct kill_options {
    bool all;
    bool regex;
};

static const struct option rows[] = {
    OPTION_FLAG ("all", "a", struct kill_options, all,
                 "signal every process of the container, not only the first"),
    OPTION_FLAG ("regex", "r", struct kill_options, regex,
                 "ID is a regular expression: every container that matches"),
};

struct message {
    const struct invocation *invocation;
    int signal;
};

static int kill_one (const char *id, const void *context, struct error *err)
{
    const struct message *message = context;
    const struct kill_options *options = message->invocation->options;
    return lifecycle_kill (message->invocation->globals, id, message->signal, options->all, err);
}

static int kill_container (struct invocation *invocation, struct error *err)
{
    const struct kill_options *options = invocation->options;
    const char *word = invocation->count > 1 ? invocation->arguments[1] : "TERM";
    int signal = oci_signal_from_text (word);
    if (signal < 0) {
        error_set (err, "RT-KILL-SIGNAL", 0, "unknown signal `%s`", word);
        return error_hint (err, "numbers and names are known: 15, TERM, SIGTERM, RTMIN+1");
    }
    struct oci_strings ids;
    if (selection_find (invocation, invocation->arguments, 1, options->regex, &ids, err) < 0)
        return -1;
    const struct message message = {.invocation = invocation, .signal = signal};
    return selection_each (&ids, kill_one, &message, err);
}

const struct command command_kill = {
    .name = "kill",
    .arguments = "ID [SIGNAL]",
    .min = 1,
    .max = 2,
    .containers = 1,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct kill_options),
    .summary = "Send a signal (default: TERM) to a container",
    .run = kill_container,
};
