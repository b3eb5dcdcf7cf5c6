/* SPDX-License-Identifier: Apache-2.0 */
/*
 * running: from the released init to the process of the document. `run`, `exec` and `start` do
 * this alike: the line is the channel of the first two, and comes through the gate for the last.
 */
#ifndef RT_LIFECYCLE_RUNNING_H
#define RT_LIFECYCLE_RUNNING_H

#include "base/error.h"
#include "lifecycle/notify.h"
#include "oci-spec/config.h"
#include "oci-spec/state.h"
#include "state/record.h"

/* How a child of ours ended before it was ready, in words, where it could not say so itself: `who`
 * was killed, or just ended. -1. */
int running_explain_end (int pidfd, const char *who, struct error *err);

/* Whom the last leg belongs to, as an agent for its notified calls is told. */
struct running {
    const struct oci_config *config;
    const struct record *record;
    pid_t pid;              /* init's, or that of an exec */
    enum oci_status status; /* of the container: creating tells init from an exec */
    struct notify *notify;  /* gets the container's end; NULL = nobody listens there */
};

/* Listens to the last leg until it ends: 0 when the process runs, -1 with C's own error. */
int running_await (int line, const struct running *running, struct error *err);

/* The poststart hooks, when the process runs. */
int running_hooks (const struct oci_config *config, const struct record *record, struct error *err);

#endif
