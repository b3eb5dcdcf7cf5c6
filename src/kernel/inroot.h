/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inroot: the one door to what lies below a directory that another user controls.
 *
 * Rule 1 of the security model: nothing below the container's root is named by a string path to the
 * kernel, but through these functions, which resolve with openat2 RESOLVE_IN_ROOT |
 * RESOLVE_NO_MAGICLINKS (Linux 5.6), or without openat2 component by component with O_NOFOLLOW.
 * Symbolic links are followed as the container would see them; ".." stops at `root`.
 * (CVE-2019-18837, CVE-2021-30465, CVE-2024-45310, CVE-2026-41579.)
 *
 * `root` is a directory descriptor (O_PATH is enough). Paths may be absolute or relative; both are
 * below root. All descriptors are close-on-exec. Failures are -1 with errno.
 */
#ifndef RT_KERNEL_INROOT_H
#define RT_KERNEL_INROOT_H

#include <stdbool.h>
#include <sys/types.h>

/* Opens what exists. flags as of open(2) (O_PATH, O_RDONLY, O_DIRECTORY, O_NOFOLLOW for the last
 * component ...); O_CREAT is refused with EINVAL. */
int inroot_open (int root, const char *path, int flags);

/* The same, but any symbolic link on the way is ELOOP: for places that must be what they are called
 * (/proc, /sys; CVE-2019-19921). */
int inroot_open_plain (int root, const char *path, int flags);

/* Opens the directory `path` (O_PATH), making missing components with `mode` (exact, whatever the
 * umask). Dangling symbolic links are made at the place they point to. *made tells whether the last
 * component is new (may be NULL). */
int inroot_make_dir (int root, const char *path, mode_t mode, bool *made);

/* Opens the file `path` (O_PATH), making it (regular, empty, `mode`) and missing parents (0755).
 * An existing thing of any kind but a directory is fine; a directory is EISDIR. */
int inroot_make_file (int root, const char *path, mode_t mode);

/* Opens the parent directory of `path` (O_PATH), made with 0755 where missing, and copies the last
 * component to `name` (size NAME_MAX + 1). For mknodat, symlinkat, unlinkat on that pair: the name
 * has no slash, so these cannot leave the directory. */
int inroot_make_parent (int root, const char *path, char *name);

/* What an O_PATH descriptor stands for, opened with other flags (O_RDONLY ...): never looked up
 * again by a name. */
int inroot_reopen (int fd, int flags);

#endif
