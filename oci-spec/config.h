/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: config.json as a whole (config.md).
 *
 * oci_config_load () reads, decodes and checks. Everything that is wrong with the document is
 * gathered, each with file:line:column and JSON pointer, before anything is touched.
 */
#ifndef OCI_SPEC_CONFIG_H
#define OCI_SPEC_CONFIG_H

#include "base/arena.h"
#include "base/error.h"
#include "linux.h"
#include "mounts.h"
#include "process.h"
#include "types.h"

struct oci_hook {
    const char *path;
    struct oci_strings args; /* absent: [path] */
    struct oci_strings env;
    struct oci_int64 timeout; /* seconds, > 0 */
};

/* In the order in which they run; also the index into oci_config.hooks. */
enum oci_hook_kind {
    OCI_HOOK_PRESTART,
    OCI_HOOK_CREATE_RUNTIME,
    OCI_HOOK_CREATE_CONTAINER,
    OCI_HOOK_START_CONTAINER,
    OCI_HOOK_POSTSTART,
    OCI_HOOK_POSTSTOP,
    OCI_HOOK_KINDS
};

struct oci_hooks {
    size_t count;
    struct oci_hook *items;
    bool present;
};

struct oci_root {
    const char *path; /* as written */
    bool readonly;
};

struct oci_config {
    const char *oci_version;
    struct oci_root *root;
    OCI_ARRAY (struct oci_mount) mounts;
    struct oci_process *process;
    const char *hostname;
    const char *domainname;
    struct oci_hooks hooks[OCI_HOOK_KINDS];
    struct oci_map annotations;
    struct oci_linux linux; /* zeroed where absent */

    const char *text; /* the document as read, for the copy in the state directory */
    size_t text_length;
    const char *file; /* its name in messages: "config.json" */
};

/* Parses and checks a config.json of `length` bytes (a terminating NUL follows them). `text` must
 * live as long as the arena. On failure all findings go to `report` (one call for each, in the
 * order of the document; may be NULL) and `err` holds the first one with the number of the others.
 */
typedef void oci_report_fn (void *context, const struct error *finding);
struct oci_config *oci_config_parse (struct arena *arena, const char *file, const char *text,
                                     size_t length, oci_report_fn *report, void *context,
                                     struct error *err);

/* The same for exec's process.json: one process object. */
struct oci_process *oci_process_parse (struct arena *arena, const char *file, const char *text,
                                       size_t length, oci_report_fn *report, void *context,
                                       struct error *err);

/* The same for the resources document of update. */
struct oci_resources *oci_resources_parse (struct arena *arena, const char *file, const char *text,
                                           size_t length, oci_report_fn *report, void *context,
                                           struct error *err);

/* Fills line and column of an error that has a JSON pointer, by reading `text` again. Only for the
 * way out of a failure: it costs a parse. Does nothing where the pointer does not resolve. */
void oci_locate_error (const char *text, size_t length, struct error *err);

/* The namespace entry of a type (CLONE_NEW*), or NULL: then the container shares rt's own. */
const struct oci_namespace *oci_config_namespace (const struct oci_config *config, int type);

/* Is its mount namespace made for it alone? Else it shares the one of rt or the one that it joins:
 * nothing is mounted there, as that would stay when the container has gone. */
bool oci_config_own_mounts (const struct oci_config *config);

#endif
