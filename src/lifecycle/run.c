/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: a start that does not stop at the gate, and what rt does while the container lives: it
 * stands in front of it, or leaves when the service manager knows of it.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "base/trace.h"
#include "lifecycle/destroy.h"
#include "lifecycle/foreground.h"
#include "lifecycle/notify.h"
#include "lifecycle/running.h"
#include "lifecycle/start.h"

#include <sys/file.h>

static int run_in_front (struct start *start, const struct notify *notify, int *status,
                         struct error *err)
{
    const char *state_root = start->request->globals->state_root;

    trace_phase ("foreground");
    netdev_release (&start->net_devices);
    if (foreground_wait (start->record.pid, start->pidfd, start->ptmx, notify, status, err) < 0)
        return -1;
    trace_phase ("delete");
    if (start->request->keep)
        return 0;
    drop_fd (&start->directory);
    /* Another command may have deleted it meanwhile. */
    AUTO_FD int directory = record_open (state_root, start->request->id, true, err);
    if (directory < 0 && !text_equal (err->code, "RT-STATE-MISSING"))
        return error_wrap (err, "container %s has ended, but is not deleted", start->request->id);
    if (directory < 0) {
        *err = (struct error){0};
        return 0;
    }
    return destroy (state_root, directory, &start->record, err);
}

/* Detached: until the service manager knows of it, if there is one. */
static int run_until_told (struct start *start, const struct notify *notify, struct error *err)
{
    trace_phase ("notify");
    if (notify_await (notify, start->record.pid, start->pidfd, err) == 0)
        return 0;
    const struct create_request *request = start->request;
    struct error failure = {0};
    char words[ERROR_WORDS];
    int directory = record_open (request->globals->state_root, request->id, true, &failure);
    if (directory < 0 && !text_equal (failure.code, "RT-STATE-MISSING"))
        log_warning ("could not delete container %s: %s", request->id,
                     error_format (&failure, words, sizeof words));
    if (directory < 0) /* another command has deleted it */
        return -1;
    drop_fd (&start->directory);
    start->directory = directory;
    start_undo (start);
    return -1;
}

/* The lock is not needed any more. */
int start_stay (struct start *start, struct notify *notify, int *status, struct error *err)
{
    (void)flock (start->directory, LOCK_UN);
    if (start->record.notify)
        notify_connect (notify, start->request->globals->notify_socket);
    return start->request->detach ? run_until_told (start, notify, err)
                                  : run_in_front (start, notify, status, err);
}

int lifecycle_run (const struct create_request *request, int *status, struct error *err)
{
    AUTO_NOTIFY struct notify notify = NOTIFY_INIT;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct start start;

    if (!request->detach && foreground_prepare (!request->no_subreaper, err) < 0)
        return -1;
    start_init (&start, request, &arena, false);
    int failed = start_until_created (&start, request->detach, err);
    if (!failed)
        failed = start_until_executed (&start, err);
    if (!failed && running_hooks (start.config, &start.record, err) < 0) {
        start_undo (&start);
        failed = -1;
    }
    notify.container = take_fd (&start.notify);
    *status = 0;
    if (!failed)
        failed = start_stay (&start, &notify, status, err);
    start_release (&start);
    return failed;
}
