/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hooks: runs the hooks of one kind, in order, with the container's state on their standard input
 * (config.md, "POSIX-platform Hooks").
 *
 * A hook is trusted, but what it inherits is not: its environment is exactly hook.env (empty where
 * that is absent; CVE-2025-23266), only descriptors 0, 1 and 2 are open, signals have their defaults, it
 * dies with rt. Standard output goes to /dev/null; standard error is captured and becomes part of the
 * error text.
 */
#ifndef RT_CONTAINER_HOOKS_H
#define RT_CONTAINER_HOOKS_H

#include "base/error.h"
#include "oci-spec/config.h"

struct hooks_context {
    const char *state;              /* compact JSON, whole */
    const char *cwd;                /* directory to start in; NULL = stay */
    const struct oci_strings *env;  /* used where a hook has none (startContainer); NULL = empty */
    int default_timeout_ms;         /* limit for hooks without a timeout; -1 = none */
};

/* Runs until the first failure (poststop: all of them, failures are warnings and 0 is returned). The
 * error says kind, index, path, and exit status, signal or timeout, and what the hook last printed. */
int hooks_run (const struct oci_hooks *hooks, enum oci_hook_kind kind,
               const struct hooks_context *context, struct error *err);

#endif
