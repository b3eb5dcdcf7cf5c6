/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kills: the last word on OOM kills. A cgroup takes its counter along when it is
 * removed, perhaps before `events` is awake. So a command that listens keeps a file "kills" of the
 * state directory open, and the one that removes the cgroup writes the counter there first: an open
 * file outlives its name. Without a listener there is no file, and nothing is read or written.
 */
#ifndef RT_STATE_KILLS_H
#define RT_STATE_KILLS_H

#include "base/error.h"

#include <stdint.h>

#define KILLS_FILE "kills"

/* outside, without the lock: the descriptor to read from later; -1 without an error: the container
 * is being removed. To be called before the counter is read for the first time. */
int kills_listen (int dir, struct error *err);

/* outside, with the lock: is there a listener? 1 yes, 0 no, -1 RT-STATE-KILLS. */
int kills_are_heard (int dir, struct error *err);

/* The counter as the cgroup had it at last, when no process was left in it. */
int kills_leave (int dir, uint64_t count, struct error *err);

/* 1 and what was left, or 0: nothing was; -1 with errno. */
int kills_read (int fd, uint64_t *count);

#endif
