/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: the state of a container as the specification writes it (runtime.md, "State"): the answer
 * of `state`, an element of `list --format json`, the standard input of each hook, and the `state`
 * of the seccomp notify message.
 */
#ifndef OCI_SPEC_STATE_H
#define OCI_SPEC_STATE_H

#include "base/text.h"
#include "types.h"

#include <sys/types.h>

#define OCI_VERSION "1.3.0" /* the highest that this code speaks */

enum oci_status {
    OCI_STATUS_CREATING,
    OCI_STATUS_CREATED,
    OCI_STATUS_RUNNING,
    OCI_STATUS_STOPPED,
    OCI_STATUS_PAUSED /* an extension of all runtimes */
};

const char *oci_status_word (enum oci_status status);

struct oci_state {
    const char *id;
    enum oci_status status;
    pid_t pid; /* 0 = none, and written so (as runc does for a stopped container) */
    const char *bundle;
    const struct oci_map *annotations; /* NULL = none */
    /* extras of the peers; NULL = left out */
    const char *rootfs;
    const char *created; /* RFC 3339, UTC, nanoseconds */
    const char *owner;
    const char *systemd_scope; /* the unit that the systemd cgroup driver made */
};

/* Appends the JSON object. Compact (no newline, slashes not escaped) or indented by two spaces. */
void oci_state_write (struct text *out, const struct oci_state *state, bool pretty);

#endif
