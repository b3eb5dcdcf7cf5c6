/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names: every word of the specification and its number, once. These tables feed the decoder,
 * `features`, the help and the error texts.
 */
#ifndef OCI_SPEC_NAMES_H
#define OCI_SPEC_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oci_name {
    const char *name;
    uint64_t value;
};

struct oci_names {
    const char *what; /* "namespace type", for error texts */
    const struct oci_name *items;
    size_t count;
};

extern const struct oci_names oci_namespaces;       /* "pid" CLONE_NEWPID */
extern const struct oci_names oci_capability_names; /* "CAP_CHOWN" 0 */
extern const struct oci_names oci_rlimit_types;     /* "RLIMIT_CPU" RLIMIT_CPU */
extern const struct oci_names oci_hook_kinds;       /* "prestart" OCI_HOOK_PRESTART */
extern const struct oci_names oci_signals;          /* "SIGHUP" 1 ... "SIGRTMIN" */
extern const struct oci_names oci_propagations;     /* "rprivate" MS_PRIVATE|MS_REC */
extern const struct oci_names oci_seccomp_actions;
extern const struct oci_names oci_seccomp_archs;
extern const struct oci_names oci_seccomp_operators;
extern const struct oci_names oci_seccomp_flags;
extern const struct oci_names oci_scheduler_policies;
extern const struct oci_names oci_scheduler_flags;
extern const struct oci_names oci_io_priority_classes;
extern const struct oci_names oci_memory_policy_modes;
extern const struct oci_names oci_memory_policy_flags;
extern const struct oci_names oci_personality_domains;

/* Finds by name; false where it is unknown. */
bool oci_names_find (const struct oci_names *names, const char *name, uint64_t *value);

/* Finds by number; NULL where it is unknown. */
const char *oci_names_of (const struct oci_names *names, uint64_t value);

/* The known name that is nearest to a mistyped one, or NULL. */
const char *oci_names_nearest (const struct oci_names *names, const char *name);

/* A signal as people write it: "9", "KILL", "SIGKILL", "sigkill", "RTMIN+3", "SIGRTMAX-1".
 * 0 (for probing) to SIGRTMAX; -1 where it is none. */
int oci_signal_from_text (const char *text);

/* "SIGKILL", for texts; "SIGRT" for those that are numbered. */
const char *oci_signal_name (int signal);

/* Every word that mounts[].options knows, in the order of the table; NULL after the last. */
const char *oci_mount_option_at (size_t index);

#endif
