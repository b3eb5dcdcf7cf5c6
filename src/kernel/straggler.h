/* SPDX-License-Identifier: Apache-2.0 */
/*
 * straggler: a process that does not go on, or was killed and does not go, in words: for the person
 * who has to find out what it waits for.
 */
#ifndef RT_KERNEL_STRAGGLER_H
#define RT_KERNEL_STRAGGLER_H

#include "base/text.h"

#include <stdint.h>
#include <sys/types.h>

/* Adds "123 (dd), D in io_schedule": the pid, the name, the state, and the function of the kernel
 * in which it sleeps, where the kernel tells. Of several threads that which is stuck (state D),
 * else that which still lives. Adds nothing where the process is gone; true if it added. */
bool straggler_describe (pid_t pid, struct text *text);

/* The process does not go on: somebody's SIGSTOP holds it, or it has not run since the last call
 * with this *runs (0 at first) and no child of its own is there that it may wait for. One that is
 * gone, or that a tracer holds, is not stuck. */
bool straggler_is_stuck (pid_t pid, uint64_t *runs);

/* The same for many: "123 (dd), D in io_schedule; 124 (sh), S; and 5 more". No longer than a hint
 * can be. */
void stragglers_describe (const pid_t *pids, size_t count, struct text *text);

#endif
