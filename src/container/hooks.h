/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hooks: runs the hooks of one kind, in order, with the container's state on their standard input
 * (config.md, "POSIX-platform Hooks").
 *
 * Mostly outside; createContainer and startContainer inside. Everything is right for both: no
 * path but that of the hook is opened, and under the container's filter (HKS-31) the
 * calls are those of any shell. SIGCHLD must not be ignored.
 *
 * A hook is trusted, but what it inherits is not: its environment is exactly hook.env. Where that
 * is absent, prestart, createRuntime, poststart and poststop have rt's own, as with runc, and
 * createContainer has none (CVE-2025-23266). Its umask is that of the process that calls this. Only
 * descriptors 0, 1 and 2 are open, signals have their defaults, it dies with rt, or when rt is
 * interrupted (base/interrupt.h), and has a process group of its own, which dies with it at a
 * timeout. What it prints is captured, the end of it becomes part of the error text: both its
 * outputs are one pipe, as a /dev/null would be the image's own in startContainer. Or it goes to
 * files that the document names. A hook is over when its process is, also where another still holds
 * the pipe.
 *
 * RT-HOOK-FAILED, RT-HOOK-TIMEOUT, RT-HOOK-START at /hooks/KIND/N; RT-HOOK-SYSTEM where rt could
 * not even try.
 */
#ifndef RT_CONTAINER_HOOKS_H
#define RT_CONTAINER_HOOKS_H

#include "base/error.h"
#include "oci-spec/config.h"

/* Files of the host that hooks print to, as the annotations run.oci.hooks.stdout and .stderr want;
 * -1: captured. */
struct hooks_output {
    int out;
    int err;
};

#define HOOKS_OUTPUT_INIT                                                                          \
    {                                                                                              \
        .out = -1, .err = -1                                                                       \
    }
#define AUTO_HOOKS_OUTPUT __attribute__ ((cleanup (hooks_output_close)))

/* Outside. Appends; makes a missing file, 0600. Nothing is opened where there are no hooks, or
 * where the document asks for none of it. */
int hooks_output_open (const struct oci_config *config, struct hooks_output *output,
                       struct error *err);
void hooks_output_close (struct hooks_output *output);

struct hooks_context {
    const char *state;                 /* compact JSON, whole */
    const char *cwd;                   /* directory to start in; NULL = stay */
    const struct oci_strings *env;     /* used where a hook has none (startContainer); or NULL */
    int default_timeout_ms;            /* limit for hooks without a timeout; -1 = none */
    const struct hooks_output *output; /* NULL = captured */
    /* inside: all descriptors are close-on-exec already, but for this many from 3 on; there is no
     * /proc any more that would list them. NULL = not known. */
    const unsigned int *preserved;
};

/* Outside, before these are run inside: their own limits are apart from --timeout
 * (base/patience.h). */
void hooks_allow (const struct oci_hooks *hooks);

/* Runs until the first failure (poststop: all of them, failures are warnings and 0 is returned).
 * The error says kind, index, path, and exit status, signal or timeout, and what the hook last
 * printed. */
int hooks_run (const struct oci_hooks *hooks, enum oci_hook_kind kind,
               const struct hooks_context *context, struct error *err);

#endif
