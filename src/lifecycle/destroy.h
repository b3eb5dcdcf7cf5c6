/* SPDX-License-Identifier: Apache-2.0 */
/*
 * destroy: takes away all that a start has made, whatever of it exists: processes, cgroup, gate,
 * record. The way back of a failed start and the whole of delete. From record.json alone, so that
 * it works after a crash at any point, and when the bundle is gone (LCY-08).
 */
#ifndef RT_LIFECYCLE_DESTROY_H
#define RT_LIFECYCLE_DESTROY_H

#include "base/error.h"
#include "state/record.h"

/* outside, `directory` locked. Kills what lives, waits, removes; then the poststop hooks of the
 * record's copy of the document run. The record stays where something could not be removed, so that
 * delete can be tried again. Where the document cannot be read, a warning says that its hooks were
 * left out. */
int destroy (const char *state_root, int directory, const struct record *record, struct error *err);

/* outside, `directory` locked, before destroy (): the poststop hooks can be read, if there are any;
 * else the error, which advises --force. */
int destroy_check_hooks (int directory, const struct record *record, struct error *err);

/* outside. SIGKILL for the init that `init` stands for; for all of its cgroup where there is no
 * such call for one process (kernel/pidfd.h). 0 sent, 1 it is gone, -1: RT-KILL or RT-CGROUP-KILL.
 */
int destroy_kill (const struct record *record, int init, struct error *err);

/* What pidfd_signal () has left in errno, as an error of `rt kill`; -1. */
int destroy_explain_signal (const struct record *record, int signal, struct error *err);

#endif
