/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate: where a created container waits for `start`. A SOCK_SEQPACKET socket "gate" in the state
 * directory; the container's init inherits the listening descriptor.
 *
 *   start                                 init
 *   connect, GATE_OPEN  ----------------> accepts (a connection that closes unasked is status_of
 * asking who is there: it is ignored), closes the listening descriptor reads until the line closes
 * <-------- packets of lifecycle/channel.h: errors and logs of the last leg; the line closes at
 * exec (close-on-exec) or death removes "gate"
 *
 * Nobody listening (ECONNREFUSED) or no socket: the gate is open, the container was started.
 */
#ifndef RT_STATE_GATE_H
#define RT_STATE_GATE_H

#include "base/error.h"

#include <stdbool.h>

/* outside, before the clone: the listening descriptor. */
int gate_make (int dir, struct error *err);

/* outside: connects and asks to go on; the line to init, or -1. */
int gate_open (int dir, struct error *err);

/* outside: is somebody waiting at the gate? */
bool gate_is_shut (int dir);

/* outside, after the start. */
void gate_remove (int dir);

/* inside: waits; the line to `start`, or -1 with errno. `listener` is closed. */
int gate_wait (int listener);

#endif
