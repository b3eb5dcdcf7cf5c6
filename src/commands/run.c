/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: create, start, wait and delete in one. For people, the bundle may stand in the place of the
 * id.
 */
#include "create_request.h"
#include "state/record.h"

#include <ctype.h>

struct run_options {
    struct create_options create; /* first, for CREATE_OPTION_ROWS */
    bool detach;
    bool keep;
    bool no_subreaper;
};

static const struct option rows[] = {
    CREATE_OPTION_ROWS,
    OPTION_FLAG ("detach", "d", struct run_options, detach,
                 "return when the container runs, and leave it to itself"),
    OPTION_FLAG ("keep", NULL, struct run_options, keep,
                 "leave the container for `rt state` and `rt delete` after its end"),
    OPTION_FLAG ("no-subreaper", NULL, struct run_options, no_subreaper,
                 "leave what outlives the container's processes to another reaper"),
};

/* An id has no slash, so this is a path. */
static bool is_path (const char *argument)
{
    return strchr (argument, '/') || text_equal (argument, ".") || text_equal (argument, "..");
}

/* The directory's name, with only the letters that an id may have. */
static const char *id_from_bundle (struct arena *arena, const char *bundle)
{
    char *id = arena_string (arena, strrchr (bundle, '/') + 1);
    for (char *c = id; *c != '\0'; c++) {
        if (!isalnum ((unsigned char)*c) && !strchr ("_+.-", *c))
            *c = '-';
    }
    id += strspn (id, ".-");
    if (strlen (id) > 200) /* room for a number */
        id[200] = '\0';
    return *id != '\0' ? id : "container";
}

static int run_bundle (struct invocation *invocation, struct create_request *request,
                       struct error *err)
{
    const char *name = id_from_bundle (invocation->arena, request->bundle);
    request->id = name;
    for (int number = 2;; number++) {
        if (lifecycle_run (request, &invocation->exit_status, err) == 0)
            return 0;
        /* Claiming is the first thing that lifecycle does: nothing was touched. */
        if (!text_equal (err->code, "RT-STATE-EXISTS"))
            return create_request_locate (request, err);
        request->id = arena_printf (invocation->arena, "%s-%d", name, number);
    }
}

static int run (struct invocation *invocation, struct error *err)
{
    const struct run_options *options = invocation->options;
    struct create_options create = options->create;
    const char *argument = invocation->arguments[0];
    bool path = is_path (argument);
    if (path && create.bundle)
        return error_set (err, "RT-USAGE", 0, "the bundle was given twice: `%s` and --bundle %s",
                          argument, create.bundle);
    if (path)
        create.bundle = argument;
    else if (record_check_id (argument, err) < 0)
        return -1;

    struct create_request request;
    if (create_request_fill (invocation, &create, &request, err) < 0)
        return -1;
    request.detach = options->detach;
    request.keep = options->keep;
    request.no_subreaper = options->no_subreaper;
    request.id = argument;
    if (path)
        return run_bundle (invocation, &request, err);
    return lifecycle_run (&request, &invocation->exit_status, err) == 0
               ? 0
               : create_request_locate (&request, err);
}

const struct command command_run = {
    .name = "run",
    .arguments = "ID|BUNDLE",
    .min = 1,
    .max = 1,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct run_options),
    .summary = "Create and start a container",
    .details = "An argument with a slash, `.` or `..` is the bundle; the container is then named\n"
               "after that directory. Without --detach rt waits for the container's end, removes\n"
               "it, and exits with its status, or with 128 + N where signal N ended it.\n"
               "\n"
               "With NOTIFY_SOCKET in the environment, as in a systemd unit with Type=notify,\n"
               "the container gets a socket of its own; READY=1 that it says there goes on to\n"
               "the service manager. With --detach rt returns then.",
    .inherits = create_inherits,
    .run = run,
};
