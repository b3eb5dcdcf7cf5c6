/* SPDX-License-Identifier: Apache-2.0 */
/*
 * patience: how long rt waits for what it cannot hurry: somebody else's lock, a process that is to
 * die, a cgroup that is to freeze, systemd, a server that is to accept. ARCHITECTURE.md lists all
 * of it. One span for the whole process, which --timeout sets before the first wait; children
 * inherit it.
 *
 * Who gives up says what was in the way: the process, its state, and where the kernel has put it to
 * sleep (kernel/straggler.h).
 */
#ifndef RT_BASE_PATIENCE_H
#define RT_BASE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#define PATIENCE_DEFAULT_MS 30000

/* At least 1. */
void patience_set (int milliseconds);

/* Milliseconds that each wait may take. */
int patience_ms (void);

/* The same in seconds, for texts: "waited %g s". */
double patience_seconds (void);

/* That of --timeout, -1 where none was given: for hooks, which the specification lets take as long
 * as they need. */
int patience_asked_ms (void);

/* One wait, from its begin to its deadline. */
struct wait {
    int64_t deadline_ns;
    int64_t step_ns;
};
struct wait wait_begin (int timeout_ms);
/* For what wakes nobody: sleeps, 0.25 ms at first, then longer, up to 16 ms. False where the time
 * was over before. */
bool wait_more (struct wait *wait);
/* Milliseconds left, not less than 0. */
int wait_left (const struct wait *wait);

#endif
