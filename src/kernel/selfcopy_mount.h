/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selfcopy_mount: the quick way of selfcopy: rt executes itself again from the copy that was kept
 * for it (selfcopy_keep.h), through a detached read-only clone of the mount that the copy lies on
 * (open_tree, mount_setattr; Linux 5.12).
 *
 * It also runs before libc does. Starting a C library is the dearest part of a small program: glibc
 * asks the processor some 70 questions (CPUID), each of which leaves a virtual machine for 1 to 10
 * microseconds. A static rt therefore begins at selfcopy_entry, which executes the copy first and
 * only then lets libc start: once, and not twice. So nothing here may need libc: no errno, no
 * thread-local storage (the stack protector's canary lies there), no relocated pointer, and no
 * memcpy that the compiler makes of a loop.
 */
#ifndef RT_KERNEL_SELFCOPY_MOUNT_H
#define RT_KERNEL_SELFCOPY_MOUNT_H

#include <stdbool.h>

#define SELFCOPY_FILE "rt"  /* the name that the kernel gives the process */
#define SELFCOPY_MODE 01555 /* the mark of a copy: no other program is sticky */
#define SELFCOPY_DIRECTORY_MODE 0700
#define SELFCOPY_ID_MAX 32 /* bytes of a build id that count */

/* Where the copy of a program is: `base`/`key`/SELFCOPY_FILE. The key is made of the program's
 * device, inode, size, and times, so an upgrade has another one; and of its build id, where it has
 * one, as builders of images set all times to the same second, and inodes are given again. */
struct selfcopy_place {
    char base[256];
    char key[224];
};

/* The places in their order: 0 /run/rt-program, 1 $XDG_RUNTIME_DIR/rt-program (root of a user
 * namespace only: that of the host's root would not believe what another user has there). 0;
 * -ENOENT: there is no such place; or another negative errno. `exe` is open, and the
 * program that runs: its build id is looked for in memory. */
int selfcopy_place (int exe, char *const envp[], int number, struct selfcopy_place *place);

/* What was opened is a copy of rt's own that cannot be written to: by its mark, its owner and its
 * mount. */
bool selfcopy_is_copy (int fd);

/* Does not return where the copy was executed. 0: this process runs from a copy already. -ENOENT:
 * there is none, or what is there is not to be believed. Another negative errno: it cannot be
 * executed. Nothing is left open. */
int selfcopy_by_mount (char *const argv[], char *const envp[]);

/* Was that seen already, when this program began? False: ask. */
bool selfcopy_was_copy (void);

/* The program's entry point of static builds on x86-64 and aarch64 (RT_EARLY_COPY): the kernel
 * calls it with the initial stack of the ABI. It goes to the copy for the verbs that make processes
 * of a container, is silent about failures, and goes on to libc's _start. main () asks
 * selfcopy_protect () in any case, so what is missed here only costs time. */
void selfcopy_entry (void);

#endif
