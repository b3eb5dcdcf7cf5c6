/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restored: are the processes that CRIU has made what the bundle's document allows? Images can be
 * written by anybody who may hand them on (CVE-2026-94603 and its kin), and decide which rights a
 * restored process has. The document of the bundle is what the caller vouches for.
 *
 * Looked at when all is restored and nothing runs yet: of each thread its ids and groups, its five
 * capability sets, no_new_privs, the number of its filters and its label; of each process its
 * namespaces, its root, its working directory and what it has open; the mounts, one by one. What is
 * in the filters only the images tell (images_check.h).
 */
#ifndef RT_LIFECYCLE_RESTORED_H
#define RT_LIFECYCLE_RESTORED_H

#include "base/error.h"
#include "kernel/procdir.h"
#include "lifecycle/external.h"
#include "oci-spec/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A thread, as the images or the kernel have it. Ids are those of the container's user namespace.
 */
struct restored_rights {
    uint32_t uids[4]; /* real, effective, saved, of files */
    uint32_t gids[4];
    const uint32_t *groups;
    size_t group_count;
    uint64_t inheritable;
    uint64_t permitted;
    uint64_t effective;
    uint64_t bounding;
    uint64_t ambient;
    bool no_new_privs;
};

/* Could a process of this document have come to these rights? Its ids change only by CAP_SETUID and
 * CAP_SETGID, or by programs that have set-user-ID, which noNewPrivileges forbids; its capabilities
 * then are those it began with, and those of its bounding set otherwise. A document without
 * capabilities allows none. Pure. RT-RESTORE-RIGHTS. */
int restored_check_rights (const struct oci_config *config, const struct restored_rights *rights,
                           struct error *err);

/* May a process of this document mount, and change its root? Pure. */
bool restored_may_mount (const struct oci_config *config);
bool restored_may_chroot (const struct oci_config *config);

/* What is asked for at a restore. */
struct restored {
    const struct oci_config *config;
    const struct external *external;
    const char *apparmor; /* NULL = none */
    const char *selinux;
    uint32_t filters; /* that this process itself has */
};

/* outside: `init` and all that descend from it, when nothing of them runs. *root: that of the mount
 * namespace, where it is the container's own. RT-RESTORE-RIGHTS and RT-RESTORE-MOUNT, at the
 * property that is not kept to. */
int restored_check (const struct restored *restored, pid_t init, struct procdir_root *root,
                    struct error *err);

/* The same of the text of /proc/PID/status. Pure. RESTORED_DEAD: it is dead already, and has no
 * rights. -1: RT-RESTORE-RIGHTS, or RT-PROC-STATUS for a text that is not understood. */
#define RESTORED_DEAD 1
int restored_check_status (const struct oci_config *config, const char *text, uint32_t filters,
                           struct error *err);

/* The same of what /proc/PID/attr/current says. Pure. */
int restored_check_label (const char *asked, const char *current, const char *pointer,
                          struct error *err);

#endif
