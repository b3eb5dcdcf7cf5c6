/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procfd: the one door to /proc.
 *
 * Rule 2 of the security model: rt reads and writes only a procfs that no container can touch. That
 * is the one of the mount namespace in which rt was called, opened before any other mount namespace
 * is entered and held from then on (it stays the caller's also after clone, setns and pivot_root;
 * "self" in it is the process that asks, in any pid namespace below). It is checked to be the root
 * of a procfs, and each file is opened below it without crossing mounts or following magic links,
 * so nothing that lies over one of its files is ever met. (CVE-2019-16884, CVE-2019-19921,
 * CVE-2025-52881.)
 *
 * All functions: -1 with errno on failure. ENOTSUP: /proc is no procfs. EXDEV: something is mounted
 * there.
 */
#ifndef RT_KERNEL_PROCFD_H
#define RT_KERNEL_PROCFD_H

#include <stdint.h>
#include <sys/types.h>

/* Opens the directory once; later calls, also in children, reuse the descriptor. Call it before a
 * mount namespace that the container filled is entered. */
int procfd_root (void);

/* Gives it up for good: from then on all functions fail with ENOTSUP, as the next /proc would be
 * the container's. */
void procfd_close (void);

/* Opens a file below /proc: "self/attr/exec", "sys/kernel/domainname". Magic links ("self/fd/3",
 * "123/ns/net") are ELOOP. flags: O_RDONLY, O_WRONLY, O_RDWR, O_PATH, O_DIRECTORY. */
int procfd_open (const char *path, int flags);

/* Writes `length` bytes with one write(2). */
int procfd_write (const char *path, const void *bytes, size_t length);

/* Reads a small file with one read(2), terminated; the length. */
ssize_t procfd_read (const char *path, char *buffer, size_t size);

/* The number of the mount that an opened file is on, as mountinfo has it: "self/fdinfo/3". EPROTO:
 * the file does not tell it. */
int procfd_mount (const char *fdinfo, uint64_t *id);

/* What a link says, magic or not, without following it: "123/fd/0" is "pipe:[4711]", "123/ns/net"
 * is "net:[4026531840]". Terminated; the length. ENAMETOOLONG where there is no room. */
ssize_t procfd_link (const char *path, char *buffer, size_t size);

/* Is what was opened (O_PATH is enough) on a procfs, be it ours or a container's? Is it the top
 * directory of one? 1 yes, 0 no. */
int procfd_is_procfs (int fd);
int procfd_is_procfs_root (int fd);

#endif
