/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp: linux.seccomp is looked at before anything is made (check), and becomes a BPF
 * program outside (prepare). kernel/launch.h loads it.
 */
#ifndef RT_CONTAINER_SECCOMP_H
#define RT_CONTAINER_SECCOMP_H

#include "base/error.h"
#include "oci-spec/seccomp.h"

#include "kernel/door.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

struct seccomp_program {
    struct sock_filter *instructions; /* malloc; NULL = no filter asked for */
    uint16_t count;                   /* at most BPF_MAXINSNS, 4096 */
    uint32_t flags;                   /* SECCOMP_FILTER_FLAG_* for the load */
    uint32_t door[DOOR_WORDS];        /* what the calls of kernel/door.h carry below this filter */
};

/* (seccomp_release and seccomp_load are libseccomp's.) */
void seccomp_program_release (struct seccomp_program *program);

/* pure apart from memory, before anything is made: is it one below which the container's program
 * can be executed (RT-SECCOMP-EXECVE, see seccomp_execve.h), and may this process have it? What the
 * calls of hooks are answered is not looked at. `seccomp` NULL: no filter, 0. */
int seccomp_check (const struct oci_seccomp *seccomp, bool no_new_privs, struct error *err);

/* pure apart from memory and chance: compiles, adds the answer ENOSYS for calls that are newer than
 * the profile (SEC-25), and the door (kernel/door.h). */
int seccomp_prepare (const struct oci_seccomp *seccomp, struct seccomp_program *program,
                     struct error *err);

/* Will it make a listener? */
bool seccomp_listens (const struct seccomp_program *program);

/* The words for a filter that the kernel has refused with errnum; -1. */
int seccomp_load_failed (int errnum, struct error *err);

#endif
