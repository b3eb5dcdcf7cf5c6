/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restored: are the processes that CRIU has made what the bundle's document allows? Images can be
 * written by anybody who may hand them on (CVE-2026-94603 and its kin), and decide which rights a
 * restored process has. The document of the bundle is what the caller vouches for.
 *
 * Looked at, of each thread, when all is restored and nothing runs yet: the namespaces, the
 * bounding set and what no_new_privs, the system call filter and the label of the document say. A
 * process in a user namespace that the container has made itself has its own capabilities there.
 */
#ifndef RT_LIFECYCLE_RESTORED_H
#define RT_LIFECYCLE_RESTORED_H

#include "base/error.h"
#include "oci-spec/config.h"

#include <stdbool.h>
#include <sys/types.h>

/* `init` and all that descend from it. The labels are those that are asked for; NULL = none.
 * RT-RESTORE-RIGHTS, at the property that is not kept to. */
int restored_check (const struct oci_config *config, const char *apparmor, const char *selinux,
                    pid_t init, struct error *err);

/* The same of the text of /proc/PID/status. Pure. */
int restored_check_status (const struct oci_config *config, const char *status,
                           bool own_user_namespace, struct error *err);

/* The same of what /proc/PID/attr/current says. Pure. */
int restored_check_label (const char *asked, const char *current, const char *pointer,
                          struct error *err);

#endif
