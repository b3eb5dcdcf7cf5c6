/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: what a decoded document must also obey: rules that look at more than one property.
 *
 * A flat list of small named functions. None of them asks the host: whether a path exists or the
 * kernel can do it is found out by the step that needs it. A rule is skipped where what it reads is
 * known to be wrong already.
 */
#ifndef OCI_SPEC_CHECK_H
#define OCI_SPEC_CHECK_H

#include "oci-spec/config.h"
#include "oci-spec/findings.h"
#include "oci-spec/names.h"

/* `prefix`: where the section stands in its document: "" or "/process", "/linux/resources". */
void check_config (struct findings *findings, const struct oci_config *config);
void check_process (struct findings *findings, const struct oci_process *process,
                    const char *prefix);
void check_resources (struct findings *findings, const struct oci_resources *resources,
                      const char *prefix);

/* ---- for the rules ---- */

struct check {
    struct findings *findings;
    const char *prefix;
    const char *code; /* of the rule that runs */
};

/* What is wrong with the property at `pointer` (below the prefix). */
void check_fail (const struct check *check, const char *pointer, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

/* A pointer in the arena. Keys of the document that become a part of it go through check_key (). */
const char *check_pointer (const struct check *check, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));
const char *check_key (const struct check *check, const char *key);

#define CHECK_READS 4

/* The section is of the type that the list is for. */
typedef void check_fn (const struct check *check, const void *section);

struct check_rule {
    check_fn *run;
    const char *code;
    const char *reads[CHECK_READS]; /* pointers below the prefix */
};

#define CHECK_RULES_MAX 64
void check_run (struct findings *findings, const char *prefix, const void *section,
                const struct check_rule *rules, size_t count);
#define CHECK_RUN(findings, prefix, section, rules)                                                \
    do {                                                                                           \
        _Static_assert(sizeof (rules) / sizeof (*(rules)) <= CHECK_RULES_MAX, "too many rules");   \
        check_run (findings, prefix, section, rules, sizeof (rules) / sizeof (*(rules)));          \
    } while (0)

/* "0-3,7": numbers and ranges that go up. */
bool check_cpu_list (const char *list);

/* Does mapping them all end beyond what 32 bits count? Says which one at `where`. */
void check_id_mappings (const struct check *check, const struct oci_id_mappings *mappings,
                        const char *where);

/* Rules about struct oci_config that fill a file of their own. */
check_fn check_sysctl, check_seccomp, check_mounts, check_maps_without_userns, check_userns_maps,
    check_mapped_user, check_time_offsets, check_devices, check_net_devices, check_restricted_paths,
    check_cgroups_path, check_intel_rdt, check_memory_policy, check_annotations;

#endif
