/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start: let the process of a created container begin.
 */
#include "base/cleanup.h"
#include "command.h"
#include "state/record.h"

/* The line of config.json that asked for what failed, by the copy that create left. */
static void locate (const struct invocation *invocation, struct error *err)
{
    struct error ignored;
    size_t length;
    if (err->pointer[0] == '\0' || err->file[0] != '\0')
        return;
    AUTO_FD int dir =
        record_open (invocation->globals->state_root, invocation->arguments[0], false, &ignored);
    AUTO_FREE char *text = dir < 0 ? NULL : record_read_config (dir, &length, &ignored);
    if (text)
        oci_locate_error (text, length, err);
}

static int start (struct invocation *invocation, struct error *err)
{
    if (lifecycle_start (invocation->globals, invocation->arguments[0], err) == 0)
        return 0;
    locate (invocation, err);
    return -1;
}

const struct command command_start = {
    .name = "start",
    .arguments = "ID",
    .min = 1,
    .max = 1,
    .containers = 1,
    .summary = "Start the process of a created container",
    .details = "With NOTIFY_SOCKET in the environment, here and at create, rt waits until the\n"
               "container says READY=1 (sd_notify(3)) or ends. The service manager is told, and\n"
               "which process it is to look after.",
    .run = start,
};
