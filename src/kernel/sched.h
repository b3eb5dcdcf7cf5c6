/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched: how the kernel treats a process among others: processor, disk and memory placement. The
 * calls for this have no wrapper in libc.
 *
 * 0, or -1 with errno. All but sched_set act on the calling process.
 */
#ifndef RT_KERNEL_SCHED_H
#define RT_KERNEL_SCHED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The kernel's struct sched_attr of Linux 5.3 (SCHED_ATTR_SIZE_VER1), under a name of our own: libc
 * 2.41 and the kernel's headers each define theirs. */
struct sched_parameters {
    uint32_t size; /* filled by sched_set */
    uint32_t policy;
    uint64_t flags;
    int32_t nice;      /* SCHED_OTHER, SCHED_BATCH */
    uint32_t priority; /* SCHED_FIFO, SCHED_RR */
    uint64_t runtime;  /* SCHED_DEADLINE, nanoseconds */
    uint64_t deadline;
    uint64_t period;
    uint32_t util_min; /* SCHED_FLAG_UTIL_CLAMP_* */
    uint32_t util_max;
};

/* pid 0: the calling process. */
int sched_set (pid_t pid, struct sched_parameters *parameters);

/* io_class: 1 realtime, 2 best effort, 3 idle; priority: 0..7. */
int sched_set_io (int io_class, int priority);

/* mode: MPOL_* with MPOL_F_*. nodes: a mask of `bits` bits, or NULL and 0. */
int sched_set_memory (int mode, const unsigned long *nodes, size_t bits);

#endif
