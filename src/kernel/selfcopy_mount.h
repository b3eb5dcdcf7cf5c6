/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selfcopy_mount: the quick way of selfcopy: rt executes itself from a detached read-only clone of
 * the mount that it lies on (open_tree, mount_setattr; Linux 5.12).
 *
 * It also runs before libc does. Starting a C library is the dearest part of a small program: glibc
 * asks the processor some 70 questions (CPUID), each of which leaves a virtual machine for 1 to 10
 * microseconds. A static rt therefore begins at selfcopy_entry, which executes the copy first and
 * only then lets libc start: once, and not twice. So nothing here may need libc: no errno, no
 * thread-local storage (the stack protector's canary lies there), no relocated pointer.
 */
#ifndef RT_KERNEL_SELFCOPY_MOUNT_H
#define RT_KERNEL_SELFCOPY_MOUNT_H

/* Does not return where the copy was executed. Else it returns a negative errno, with nothing left
 * open; 0: this process runs from a read-only mount already. */
int selfcopy_by_mount (char *const argv[], char *const envp[]);

/* The program's entry point of static builds on x86-64 and aarch64 (RT_EARLY_COPY): the kernel
 * calls it with the initial stack of the ABI. It copies for the verbs that make processes of a
 * container, is silent about failures, and goes on to libc's _start. main () asks selfcopy_protect
 * () in any case, so what is missed here only costs time. */
void selfcopy_entry (void);

#endif
