/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descendants: a process and all that it has made, as /proc/PID/task/TID/children tells (Linux 3.5,
 * CONFIG_PROC_CHILDREN). Right while nothing changes: what is frozen, or not yet running.
 */
#ifndef RT_KERNEL_DESCENDANTS_H
#define RT_KERNEL_DESCENDANTS_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct descendants {
    pid_t *pids; /* in the arena; `pid` first, each before its children */
    size_t count;
};

/* RT-PROC where /proc does not tell. */
int descendants_find (pid_t pid, struct arena *arena, struct descendants *found, struct error *err);

/* What this process has not made: a caller that has children, and then executes rt in its own
 * place (`sleep 9 & exec rt ...`), leaves them to it. */
struct descendants_before {
    struct descendants found;
    bool unknown; /* there are some, and /proc does not tell which */
};

/* To be called before anything is cloned. Costs one system call where there is no child. */
void descendants_before (struct arena *arena, struct descendants_before *before);

/* Kills all that descend from this process but not from what was there before, and reaps those that
 * are its own children, as far as they die within `timeout_ms` each and no tracer keeps them. For
 * the way back: none of them can be needed any more. RT-PROC where /proc does not tell: then none
 * is killed. */
int descendants_end (const struct descendants_before *before, int timeout_ms, struct error *err);

/* The threads of a process: their ids, as `found`. */
int descendants_threads (pid_t pid, struct arena *arena, struct descendants *found,
                         struct error *err);

#endif
