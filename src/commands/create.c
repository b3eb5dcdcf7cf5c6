/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create: make a container up to the point where its process would be executed.
 */
#include "create_request.h"
#include "state/record.h"

static const struct option rows[] = {CREATE_OPTION_ROWS};

static int create (struct invocation *invocation, struct error *err)
{
    struct create_request request;
    const char *id = invocation->arguments[0];
    if (record_check_id (id, err) < 0 ||
        create_request_fill (invocation, invocation->options, &request, err) < 0)
        return -1;
    request.id = id;
    return lifecycle_create (&request, err) == 0 ? 0 : create_request_locate (&request, err);
}

const struct command command_create = {
    .name = "create",
    .arguments = "ID",
    .min = 1,
    .max = 1,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct create_options),
    .summary = "Create a container that waits for `rt start`",
    .inherits = create_inherits,
    .run = create,
};
