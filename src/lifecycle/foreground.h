/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreground: rt stays in front of a process of the container: it carries bytes between its own
 * standard streams and the container's terminal, forwards signals, reaps, and tells the exit
 * status.
 *
 * Without a terminal the container has rt's own descriptors 0, 1 and 2 and nothing is carried.
 */
#ifndef RT_LIFECYCLE_FOREGROUND_H
#define RT_LIFECYCLE_FOREGROUND_H

#include "base/error.h"
#include "lifecycle/notify.h"

#include <stdbool.h>
#include <sys/types.h>

/* Blocks the signals that will be forwarded and, with `subreaper`, makes rt the reaper of all that
 * the process leaves behind. TERM, INT and HUP are left to base/interrupt.h, which blocks them when
 * there is something to undo, and are forwarded too once the process runs. Call before the clone,
 * so that no signal is lost; the child must undo the mask (become.c resets all signals). Safe to
 * call once per process. */
int foreground_prepare (bool subreaper, struct error *err);

/* Waits for `pid` (a child of this process; `pidfd` is its descriptor). ptmx: the terminal's
 * outside or -1, its size and newlines set before the program started (terminal.h). The caller's
 * terminal is in raw mode meanwhile and restored at every exit of this function. All that the
 * container wrote is on rt's output when this returns, unless that output failed, or a signal said
 * not to wait for it any longer. `notify` is served meanwhile. *status is the process's exit code,
 * or 128 + signal.
 *
 * Every other child that dies meanwhile is reaped and forgotten. The mask of foreground_prepare
 * holds on: a signal must not end rt before it has cleaned up. */
int foreground_wait (pid_t pid, int pidfd, int ptmx, const struct notify *notify, int *status,
                     struct error *err);

#endif
