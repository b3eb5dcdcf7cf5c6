/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle: what can be done with a container. commands/ fills a request and calls one of these.
 */
#ifndef RT_LIFECYCLE_LIFECYCLE_H
#define RT_LIFECYCLE_LIFECYCLE_H

#include "base/error.h"
#include "cgroup/cgroup.h"
#include "oci-spec/config.h"

#include <stdbool.h>

/* The options that stand before the verb. */
struct lifecycle_globals {
    const char *state_root; /* absolute; made on demand */
    enum cgroup_driver cgroup_driver;
    int rootless; /* -1 = find out, 0, 1 */
};

struct create_request {
    const struct lifecycle_globals *globals;
    const char *id;
    const char *bundle;         /* absolute, resolved */
    struct oci_config *config;  /* loaded and checked */
    const char *pid_file;       /* absolute; NULL = none */
    const char *console_socket; /* absolute; NULL = none */
    unsigned int preserve_fds;  /* descriptors from 3 on; checked to be open when main () began */
    bool no_pivot;
    bool no_new_keyring;
    bool detach; /* of run */
    bool keep;   /* of run: leave the container's record behind */
};

/* Up to the gate: the container is `created`. Leaves nothing behind on failure. */
int lifecycle_create (const struct create_request *request, struct error *err);

/* create + start, then (without detach) foreground + delete. *status is the container's exit status
 * (0 with detach). */
int lifecycle_run (const struct create_request *request, int *status, struct error *err);

int lifecycle_start (const struct lifecycle_globals *globals, const char *id, struct error *err);
int lifecycle_kill (const struct lifecycle_globals *globals, const char *id, int signal, bool all,
                    struct error *err);
int lifecycle_delete (const struct lifecycle_globals *globals, const char *id, bool force,
                      struct error *err);

#endif
