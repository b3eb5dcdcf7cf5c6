/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals: what a program finds of its parent's way with signals.
 */
#ifndef RT_KERNEL_SIGNALS_H
#define RT_KERNEL_SIGNALS_H

/* Every signal has its default action and none is blocked, as a new program expects (PRC-41). Also
 * those two that libc keeps for itself and does not let sigaction () touch: whoever was started by
 * its posix_spawn () may have inherited them ignored. */
void signals_reset (void);

#endif
