/* SPDX-License-Identifier: Apache-2.0 */
/*
 * running: what belongs to a process that runs, or is about to: `run`, `exec` and `start` do this
 * alike.
 */
#ifndef RT_LIFECYCLE_RUNNING_H
#define RT_LIFECYCLE_RUNNING_H

#include "base/error.h"
#include "oci-spec/config.h"
#include "oci-spec/state.h"
#include "state/record.h"

#include <stdbool.h>

/* How a child of ours ended before it was ready, in words, where it could not say so itself: `who`
 * was killed, or just ended. -1. */
int running_explain_end (int pidfd, const char *who, struct error *err);

/* Has it ended, or begun to, or been killed? */
bool running_has_ended (pid_t pid, int pidfd);

/* Of which process it is, as an agent for its notified calls is told. */
struct running {
    const struct oci_config *config;
    const struct record *record;
    pid_t pid;              /* init's, or that of an exec */
    enum oci_status status; /* of the container: creating tells init from an exec */
};

/* Before the process goes on: gives the listener of its filter to the agent, and closes it. A
 * profile without an agent has none: -1 is right then. */
int running_listener (const struct running *running, int *listener, struct error *err);

/* The poststart hooks, when the process runs. */
int running_hooks (const struct oci_config *config, const struct record *record, struct error *err);

#endif
