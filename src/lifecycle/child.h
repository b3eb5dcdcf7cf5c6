/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child: what the children of start and exec do alike. All inside.
 */
#ifndef RT_LIFECYCLE_CHILD_H
#define RT_LIFECYCLE_CHILD_H

#include "base/error.h"
#include "container/console.h"
#include "oci-spec/process.h"

/* The child dies with its parent as long as that is needed. Set again after each change of
 * credentials, which takes it away; a child that was orphaned before that reads a closed channel.
 */
void child_dies_with_parent (void);

/* With process.terminal: opens the pair below `root` and hands its other side to the parent.
 * `bound`: also binds it onto /dev/console. */
int child_open_console (const struct oci_process *process, int root, int line,
                        const struct mountfd_ids *bound, struct console *console,
                        struct error *err);

/* Makes the terminal its own; with `birth` only the standard streams, as the process proper takes
 * the rest. Closes console->pts. */
int child_take_console (const struct oci_process *process, bool birth, struct console *console,
                        struct error *err);

/* The process's limits, while the ids are still root's; where the parent has to raise one, waits
 * for it. */
int child_set_limits (const struct oci_process *process, int line, struct error *err);

/* Tells the parent why it goes no further, and ends. */
_Noreturn void child_fails (int line, const struct error *err);

#endif
