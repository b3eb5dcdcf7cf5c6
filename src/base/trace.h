/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace: what a start spends its time on, as a file that Perfetto and chrome://tracing open
 * (`--trace FILE`; the array form of Google's Trace Event Format).
 *
 * Time is cut into phases, one after the other, of two rows: the rt that was called, and the
 * process that becomes the container's. A phase is written when it ends, in one write, so that what
 * was reached can be read after a failure too. Off, a phase costs the look at one number.
 */
#ifndef RT_BASE_TRACE_H
#define RT_BASE_TRACE_H

#include "base/error.h"

/* Makes the file, or empties it. `verb` names the process in it. Without a call all else does
 * nothing. */
int trace_open (const char *path, const char *verb, struct error *err);

/* Ends this row's phase and begins the next; NULL: none. `name` stays the caller's and must live.
 */
void trace_phase (const char *name);

/* In a child of fork (): what follows is of the other row. */
void trace_child (void);

/* In the child, as long as nothing forbids it to write: ends its phase and its row. */
void trace_leave (void);

/* In the process that opened it, when everybody else has left: ends the phase and the file. */
void trace_close (void);

#endif
