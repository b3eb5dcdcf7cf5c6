/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: what a container uses, and when it runs out of memory, as lines of JSON.
 */
#include "base/duration.h"
#include "command.h"

#include <unistd.h>

struct events_options {
    bool stats;
    const char *interval;
};

static const struct option rows[] = {
    OPTION_FLAG ("stats", NULL, struct events_options, stats, "print the statistics once"),
    OPTION_STRING ("interval", NULL, struct events_options, interval, "DURATION",
                   "time between statistics, like 5s or 100ms (default: 5s)"),
};

static int print_line (void *context, const struct text *line, struct error *err)
{
    (void)context;
    return command_print (line, err);
}

static int events (struct invocation *invocation, struct error *err)
{
    const struct events_options *options = invocation->options;
    const char *text = options->interval ? options->interval : "5s";
    int64_t interval;

    if (duration_parse (text, &interval) < 0) {
        error_set (err, "RT-USAGE", 0, "rt events: --interval: invalid duration `%s`", text);
        return error_hint (err, "a number with a unit: 5s, 100ms, 1m30s");
    }
    if (interval <= 0)
        return error_set (err, "RT-USAGE", 0, "duration interval must be greater than 0");
    return lifecycle_events (invocation->globals, invocation->arguments[0],
                             options->stats ? 0 : interval, STDOUT_FILENO, print_line, NULL, err);
}

const struct command command_events = {
    .name = "events",
    .arguments = "ID",
    .min = 1,
    .max = 1,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct events_options),
    .summary = "Print statistics and out-of-memory events of a container",
    .details = "Lines of JSON, as runc prints them, until the container stops.",
    .run = events,
};
