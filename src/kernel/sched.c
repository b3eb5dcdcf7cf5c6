/* SPDX-License-Identifier: Apache-2.0 */
/* sched: see sched.h. */
#include "kernel/sched.h"

#include <sys/syscall.h>
#include <unistd.h>

#define IO_WHO_PROCESS 1
#define IO_CLASS_SHIFT 13

_Static_assert(sizeof (struct sched_parameters) == 56, "the size that the kernel calls VER1");

int sched_set (pid_t pid, struct sched_parameters *parameters)
{
    parameters->size = sizeof (*parameters);
    return (int)syscall (SYS_sched_setattr, pid, parameters, 0);
}

int sched_set_io (int io_class, int priority)
{
    return (int)syscall (SYS_ioprio_set, IO_WHO_PROCESS, 0, io_class << IO_CLASS_SHIFT | priority);
}

int sched_set_memory (int mode, const unsigned long *nodes, size_t bits)
{
    /* The kernel reads one bit less than it is told. */
    return (int)syscall (SYS_set_mempolicy, mode, nodes, nodes ? bits + 1 : 0);
}
