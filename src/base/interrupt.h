/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interrupt: TERM, INT and HUP end every wait of a command, and what was half made is undone.
 *
 * Until a command makes something, these signals have their default action: the process ends at
 * once, whatever it waits for. From interrupt_hold () on they are blocked and wait until a wait
 * looks for them, so no work is cut in the middle. The first one that is seen ends one wait, which
 * fails with RT-INTERRUPTED; the waits of the undoing that follows are not disturbed again.
 *
 * A signal that the caller ignores (nohup) or blocks is left as it is.
 */
#ifndef RT_BASE_INTERRUPT_H
#define RT_BASE_INTERRUPT_H

#include "error.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>

#define INTERRUPT_CODE "RT-INTERRUPTED"

/* Which of TERM, INT and HUP the caller neither ignores nor blocks. */
void interrupt_signals (sigset_t *signals);

/* To be called right before the first thing is made that has to be undone. A second call changes
 * nothing. Takes one descriptor. */
int interrupt_hold (struct error *err);

/* In a new child: the signals are as they were before interrupt_hold (). */
void interrupt_forget (void);

/* While something is undone, no wait looks for them. */
void interrupt_defer (bool deferred);

/* poll (2), for at most timeout_ms, -1 = no limit. -1 with EINTR: one of these signals has come,
 * and nothing else is ready; no other signal ends the call. What is ready counts first: a process
 * that has begun gets the signal forwarded. Without descriptors and time it only looks, for a loop
 * that always has something to do. */
int interrupt_poll (struct pollfd *fds, nfds_t count, int timeout_ms);

/* Until something can be written. For what is only told, whose loss does not end the command: the
 * signal is left for the next wait to see. 0, or -1 with errno: ETIMEDOUT, EINTR. */
int interrupt_await_output (int fd, int timeout_ms);

/* After interrupt_poll () has said EINTR: fills the error, whose exit status is 128 + signal. -1.
 */
int interrupt_error (struct error *err);

/* The signal that was seen is pending again, as if no wait had been ended: for a command that has
 * come so far that the signal is meant for the program which it started. */
void interrupt_return (void);

/* At the end of a command that failed: ends the process as the signal that was seen would have.
 * Returns where there was none, or where that does not end it (the first process of a pid
 * namespace). */
void interrupt_raise (void);

#endif
