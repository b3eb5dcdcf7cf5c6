/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launched: what became of a child that has begun its launch (kernel/launch.h), on the parent's
 * side.
 */
#ifndef RT_LIFECYCLE_LAUNCHED_H
#define RT_LIFECYCLE_LAUNCHED_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Pure: the words for a FAILED packet; -1. `payload` is struct launch_failure and what follows it,
 * as it came: nothing of it is believed but as a text. */
int launched_failure (const unsigned char *payload, size_t length, struct error *err);

/* Pure: does such a packet say LAUNCH_REFUSED? */
bool launched_is_refusal (const unsigned char *payload, size_t length);

/* The channel has closed: 0 where the kernel says that the program was executed (it is running, or
 * has ended since), else -1 and why not. A child that ended may be gone from /proc already where it
 * is reaped by another process, which is what a short program looks like: 0. `who` is the process,
 * for the text.
 */
int launched_executed (pid_t pid, int pidfd, const char *who, struct error *err);

#endif
