/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: a start that does not stop at the gate, and what rt does while the container lives: it
 * stands in front of it, or leaves when the service manager knows of it.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "base/trace.h"
#include "lifecycle/destroy.h"
#include "lifecycle/foreground.h"
#include "lifecycle/notify.h"
#include "lifecycle/running.h"
#include "lifecycle/start.h"

#include <sys/file.h>

/* After a failure once it runs: what was made is undone, if no other command has deleted it. */
static int give_up (struct start *start)
{
    struct error failure = {0};
    char words[ERROR_WORDS];
    int locked = record_lock_again (start->directory, start->request->id, &failure);

    if (locked < 0)
        log_warning ("could not delete container %s: %s", start->request->id,
                     error_format (&failure, words, sizeof words));
    if (locked > 0)
        start_undo (start);
    return -1;
}

static int run_in_front (struct start *start, const struct notify *notify, int *status,
                         struct error *err)
{
    trace_phase ("foreground");
    netdev_release (&start->net_devices);
    if (foreground_wait (start->record.pid, start->pidfd, start->ptmx, notify, status, err) < 0)
        return give_up (start);
    trace_phase ("delete");
    if (start->request->keep)
        return 0;
    int locked = record_lock_again (start->directory, start->request->id, err);
    if (locked < 0)
        return error_wrap (err, "container %s has ended, but is not deleted", start->request->id);
    return locked ? destroy (start->request->globals->state_root, start->directory, &start->record,
                             err)
                  : 0; /* another command has deleted it */
}

/* Detached: until the service manager knows of it, if there is one. */
static int run_until_told (struct start *start, const struct notify *notify, struct error *err)
{
    trace_phase ("notify");
    if (notify_await (notify, start->record.pid, start->pidfd, err) == 0)
        return 0;
    return give_up (start);
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
