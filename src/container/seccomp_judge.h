/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_judge: what a filter can answer to a call of which only the architecture, the number and
 * at most one argument are known.
 *
 * Classic BPF only jumps forward, so one pass over the program sees all of its ways. A value that
 * depends on arguments or on the instruction pointer is unknown, and both ways of a jump that
 * depends on it are possible. So what is said to be impossible is; what is said to be possible may
 * still be ruled out by conditions that contradict each other.
 */
#ifndef RT_CONTAINER_SECCOMP_JUDGE_H
#define RT_CONTAINER_SECCOMP_JUDGE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of seccomp_answers.possible. */
#define SECCOMP_CAN_KILL_PROCESS (1u << 0) /* also actions that the kernel does not know */
#define SECCOMP_CAN_KILL_THREAD (1u << 1)
#define SECCOMP_CAN_TRAP (1u << 2)
#define SECCOMP_CAN_ERRNO (1u << 3)
#define SECCOMP_CAN_NOTIFY (1u << 4)
#define SECCOMP_CAN_TRACE (1u << 5)
#define SECCOMP_CAN_LOG (1u << 6)
#define SECCOMP_CAN_ALLOW (1u << 7)
#define SECCOMP_CAN_ALL 0xffu

struct seccomp_answers {
    unsigned int possible;
    uint32_t first; /* SECCOMP_RET_* with its data: the possible answer that stands first in the
                       program; means nothing where an answer is computed from arguments */
};

/* Pure. Is it a program that the kernel takes as a filter, as far as the program decides that? If
 * not, *wrong: the place of the instruction that it refuses. */
bool seccomp_well_formed (const struct sock_filter *items, size_t count, size_t *wrong);

/* A call, and the one argument of it that is known. */
struct seccomp_question {
    uint32_t number;
    bool knows_arg;
    uint32_t arg; /* 0 to 5 */
    uint64_t value;
};

/* Pure apart from memory. Fills one of `answers` for each of `questions`. `arch`: AUDIT_ARCH_*.
 * -1 with errno: EINVAL where the program is not well formed, ENOMEM. */
int seccomp_judge (const struct sock_filter *items, size_t count, uint32_t arch,
                   const struct seccomp_question *questions, size_t question_count,
                   struct seccomp_answers *answers);

#endif
