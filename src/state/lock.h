/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock: the flock of a container's state directory (record.h). Private to state/.
 */
#ifndef RT_STATE_LOCK_H
#define RT_STATE_LOCK_H

#include "base/error.h"

#include <stdbool.h>

/* Waits for the lock of `dir`, which the caller has opened, as long as patience.h says. -1:
 * RT-STATE-LOCK; where it is another command that holds the lock, errnum is EAGAIN and the hint
 * says which, by /proc/locks. */
int lock_take (int dir, const char *id, struct error *err);

/* Another command has it now. */
bool lock_is_held (int dir);

/* A claim has two steps, making the directory and locking it. A command that claims holds the lock
 * of the state root meanwhile, shared with other claims, until `root` is closed. */
int lock_begin_claim (int root, struct error *err);

/* Waits until all claims that have begun are over. Hold no other lock: a claim may wait for it. */
int lock_await_claims (int root, struct error *err);

#endif
