/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * gate: where a created container waits for `start`. A SOCK_SEQPACKET socket "gate" in the state
 * directory; the container's init inherits the listening descriptor and waits as kernel/launch.h
 * says.
 *
 *   start                                 init
 *   connect, GATE_WORD  ----------------> accepts, closes the listening descriptor. A connection
 * that closes without a word is status_of () asking whether init waits: it is ignored reads until
 * it closes <-------------- packets of lifecycle/channel.h, from the last leg removes "gate"
 *
 * ECONNREFUSED or no socket: the gate is open, the container was started.
 */
/* clang-format on */
#ifndef RT_STATE_GATE_H
#define RT_STATE_GATE_H

#include "base/error.h"

#include <stdbool.h>

/* The packet that opens, with its NUL. A word, so that nothing else is taken for it. The first is
 * what an rt of before 1.0 says, and all that an init of such an rt takes: then init does not wait
 * for GO. */
#define GATE_WORD_OLD "GATE_OPEN"
#define GATE_WORD "GATE_OPEN_AWAIT_GO"

/* outside, before the clone: the listening descriptor. */
int gate_make (int dir, struct error *err);

/* outside: connects and asks to go on; the channel to init, or -1. `awaits_go`: of the record. */
int gate_open (int dir, bool awaits_go, struct error *err);

/* outside: does init wait at the gate? 1 yes; 0 no: there is no gate, or no process listens there;
 * -1: it could not be looked at (descriptors, memory, rights), RT-STATE-GATE. */
int gate_is_shut (int dir, struct error *err);

/* outside, after the start. */
void gate_remove (int dir);

#endif
