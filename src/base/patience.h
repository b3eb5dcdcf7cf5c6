/* SPDX-License-Identifier: Apache-2.0 */
/*
 * patience: how long rt waits for what it cannot hurry: a lock of another command, a process that
 * is to die, a cgroup that is to freeze, systemd, a server that is to accept. ARCHITECTURE.md lists
 * all of it.
 *
 * --timeout is one span for the whole command: it begins with the command, and each wait has what
 * is left of it. What has a limit of its own (a hook's timeout) or none by its nature (the
 * container's end) is apart, and is not counted. When the span is over, what is undone then has as
 * long again, from 1 s to 30 s. Without --timeout each wait has 30 s of its own, so that a command
 * which does long but useful work is not cut.
 *
 * What gives up says what was in the way: the process, its state, and where the kernel has put it
 * to sleep (kernel/straggler.h).
 */
#ifndef RT_BASE_PATIENCE_H
#define RT_BASE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#define PATIENCE_DEFAULT_MS 30000

/* --timeout was given: the span begins now. 0: it was not. */
void patience_set (int milliseconds);

/* Milliseconds that a wait which begins now may take; at least 1. */
int patience_ms (void);

/* The whole span in seconds, for texts: "waited %g s". */
double patience_seconds (void);

/* patience_ms (), or -1 where no --timeout was given: for hooks, which the specification lets take
 * as long as they need. */
int patience_asked_ms (void);

/* What another process does within a limit of its own is apart: the span is longer by that. */
void patience_allow (int64_t milliseconds);

/* The time between these two is apart: *paused is what the first has returned. */
int64_t patience_pause (void);
void patience_resume (int64_t paused);

/* In a new child: it gives up a little earlier than its parent, to be the one who says why. */
void patience_in_child (void);

/* One wait, from its begin to its deadline. */
struct wait {
    int64_t deadline_ns;
    int64_t step_ns;
};
struct wait wait_begin (int timeout_ms);
/* For what wakes no one: sleeps, 0.25 ms at first, then longer, up to 16 ms. False where the time
 * was over before. */
bool wait_more (struct wait *wait);
/* Milliseconds left, not less than 0. */
int wait_left (const struct wait *wait);

#endif
