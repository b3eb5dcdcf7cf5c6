/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpf: programs that decide about device access in a v2 cgroup (BPF_CGROUP_DEVICE, Linux 4.15).
 */
#ifndef RT_KERNEL_BPF_H
#define RT_KERNEL_BPF_H

#include <linux/bpf.h>
#include <stddef.h>

/* Loads a device program: a descriptor, or -1 with errno. Kernels before 5.11 count its memory
 * against RLIMIT_MEMLOCK, which is lifted for the call where it is too small. */
int bpf_device_load (const struct bpf_insn *program, size_t count);

/* Makes `program` the only one that is attached to the directory itself. At no moment is there
 * less than the old or the new one: one old program is replaced in place, several are detached
 * after the new one is there. 0 or -1 with errno. */
int bpf_device_replace (int cgroup, int program);

/* Detaches whatever is attached to the directory itself. */
int bpf_device_clear (int cgroup);

#endif
