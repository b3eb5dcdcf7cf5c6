/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_process: which process exec makes: that of a process.json, or the container's own, and over
 * it what the command line says. Pure.
 */
#ifndef RT_LIFECYCLE_EXEC_PROCESS_H
#define RT_LIFECYCLE_EXEC_PROCESS_H

#include "base/arena.h"
#include "lifecycle/lifecycle.h"
#include "oci-spec/process.h"

/* `container` is the process of the container's document.
 *
 * Without a process.json: the container's process without its terminal, which is init's. With one:
 * that, but what it leaves out of rights, limits, labels and scheduling is as in the container, and
 * an environment that it does not mention at all as well; engines leave out what does not differ.
 *
 * Neither is changed; the result is in the arena. */
const struct oci_process *exec_process (struct arena *arena, const struct oci_process *container,
                                        const struct exec_request *request);

#endif
