/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join: into the namespaces of a container that is there: those of its init.
 *
 * By init's pidfd, in one call, all or none (Linux 5.8); else by their files, which were opened
 * while that very init was known to live (EXE-29). The user namespace decides about rights only
 * after all have been asked for, so namespaces of the host's user namespace are joined as well
 * (EXE-28).
 */
#ifndef RT_LIFECYCLE_JOIN_H
#define RT_LIFECYCLE_JOIN_H

#include "base/error.h"
#include "oci-spec/linux.h"

#include <sys/types.h>

struct join {
    pid_t init;
    int pidfd; /* of init; owned */
    int types; /* CLONE_NEW* to be joined: all of init's that are not known to be rt's own anyway */
};

/* outside, with the record's init. RT-NOT-RUNNING where it is gone. */
int join_prepare (struct join *join, pid_t init, uint64_t start_time, const char *id,
                  struct error *err);

/* outside: the root directory of init, for a container that has no mount namespace of its own to
 * bring it. */
int join_open_root (const struct join *join, const char *id, int *root, struct error *err);

/* inside: those of `types` that are to be joined. A mount namespace brings its root and working
 * directory with it. */
int join_enter (const struct join *join, int types, const struct oci_linux *linux,
                struct error *err);

/* outside: is init still there? */
bool join_is_alive (const struct join *join);
/* The same earlier: it ends, and has let go of its namespaces. */
bool join_is_leaving (const struct join *join);

void join_release (struct join *join);

#endif
