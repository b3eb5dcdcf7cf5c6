/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals: what a program finds of its parent's way with signals.
 */
#ifndef RT_KERNEL_SIGNALS_H
#define RT_KERNEL_SIGNALS_H

#include <signal.h>
#include <stdint.h>

#define SIGNALS_ALL UINT64_MAX

/* Every signal has its default action and none is blocked, as a new program expects (PRC-41). Also
 * those two that libc keeps for itself and does not let sigaction () touch: whoever was started by
 * its posix_spawn () may have inherited them ignored. `changed`: those that may have another action
 * (bit 0 is signal 1), SIGNALS_ALL where that is not known: each costs a call. */
void signals_reset (uint64_t changed);

/* Blocks all signals, and tells which are blocked: also those that libc keeps for itself (glibc
 * two, musl three) and leaves out of its own masks. They can be sent all the same. -1 with errno.
 */
int signals_block_all (void);
int signals_blocked (sigset_t *mask);

#endif
