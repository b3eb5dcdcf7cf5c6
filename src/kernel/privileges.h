/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileges: what a process may do, where libc has no call for it: capability sets, the session
 * keyring, the system call filter.
 *
 * All functions act on the calling process: -1 with errno on failure. Sets of capabilities are bit
 * masks: bit CAP_X is set.
 */
#ifndef RT_KERNEL_PRIVILEGES_H
#define RT_KERNEL_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The highest capability of the running kernel. */
int capabilities_last (void);

int capabilities_set (uint64_t effective, uint64_t permitted, uint64_t inheritable);
int capabilities_get (uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);

/* Takes all that are not in `keep` out of the bounding set. EPERM only where something had to be
 * taken out and may not be. */
int capabilities_bound (uint64_t keep);

/* Empties the ambient set (-1: kernel without it) and raises one. */
int capabilities_ambient_clear (void);
int capabilities_ambient_raise (int capability);

/* As the calls of these names, of this thread alone, which is the only one: libc's own block all
 * signals first, to tell its other threads. */
int ids_set_groups (size_t count, const gid_t *groups);
int ids_set_gid (gid_t gid); /* real, effective and saved */
int ids_set_uid (uid_t uid);

/* Joins the session keyring of this name, made where there is none, and lets its owner find it by
 * name (a keyring is born without that). Every user can have made a keyring of any name before, and
 * the kernel joins that one: 1: it belongs to this process' real user, and no other user has a
 * right to it. 0: it does not; the process has it still, and joins another one or leaves it. -1
 * with errno. */
int keyring_join_session (const char *name);

/* A new session keyring without a name, which no other process can join. 0 or -1. */
int keyring_leave_session (void);

/* Is this descriptor the listener of a filter? By the kernel's own name for it. */
bool filter_is_listener (int fd);

#endif
