/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procfd: the one door to /proc.
 *
 * Rule 2 of the security model: rt reads and writes a procfs that it mounted itself, detached, where
 * nobody can lay anything over its files; each file is checked to be on procfs (statfs magic) and
 * opened without following links or crossing mounts. (CVE-2019-16884, CVE-2019-19921,
 * CVE-2025-52881.) Where mounting is not allowed (rootless, nested) the process's /proc is used, with
 * the same checks (openat2 RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS).
 *
 * All functions: -1 with errno on failure.
 */
#ifndef RT_KERNEL_PROCFD_H
#define RT_KERNEL_PROCFD_H

#include <sys/types.h>

/* Opens the directory descriptor once for this process and its pid namespace; later calls reuse it.
 * Inside a fresh pid namespace call procfd_reset () first: the parent's procfs shows other pids. */
int procfd_root (void);
void procfd_reset (void);

/* Opens a file below /proc: "self/attr/exec", "sys/kernel/domainname", "123/ns/net" is refused
 * (magic link). flags: O_RDONLY, O_WRONLY, O_RDWR, O_PATH, O_DIRECTORY. */
int procfd_open (const char *path, int flags);

/* Writes `length` bytes with one write(2). */
int procfd_write (const char *path, const void *bytes, size_t length);

/* Reads a small file in one go, terminated; the length. */
ssize_t procfd_read (const char *path, char *buffer, size_t size);

#endif
