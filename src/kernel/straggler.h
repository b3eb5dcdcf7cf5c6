/* SPDX-License-Identifier: Apache-2.0 */
/*
 * straggler: a process that does not go on, or was killed and does not go: what it does, and in
 * words, for the person that has to find out what it waits for.
 */
#ifndef RT_KERNEL_STRAGGLER_H
#define RT_KERNEL_STRAGGLER_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Adds "123 (dd), D in io_schedule": the pid, the name, the state, and the function of the kernel
 * in which it sleeps, where the kernel tells. Of several threads that which is stuck (state D),
 * else that which still lives. Adds nothing where the process is gone; true if it added. */
bool straggler_describe (pid_t pid, struct text *text);

/* The same for many: "123 (dd), D in io_schedule; 124 (sh), S; and 5 more". No longer than a hint
 * can be. */
void stragglers_describe (const pid_t *pids, size_t count, struct text *text);

/* What a process does, seen from outside. */
enum straggler_pace {
    STRAGGLER_GONE,         /* it has ended, or cannot be looked at */
    STRAGGLER_HELD,         /* stopped by a signal, or seen with a tracer once */
    STRAGGLER_STANDS,       /* asleep, also in the middle of a call (D), and has not run since */
    STRAGGLER_WORKS,        /* it runs, or has run since */
    STRAGGLER_AWAITS_CHILD, /* has not run since, but has children that it may wait for */
};

/* All zero before the first look. */
struct straggler {
    uint64_t runs;
    bool traced; /* stays: a tracer that looks away at the right moments would be overlooked */
};

enum straggler_pace straggler_look (pid_t pid, struct straggler *last);

/* How a process ended that is dead but not reaped, as waitpid (2) says it. -1 with errno; EPERM
 * where the kernel may not tell this caller (it says 0 then, as for success). */
int straggler_end (pid_t pid, int *word);

/* The process that traces it, 0 = none, or of another pid namespace. */
pid_t straggler_tracer (pid_t pid);

#endif
