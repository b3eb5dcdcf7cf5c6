/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_calls: the part of a filter that answers for the system calls of one architecture, as a
 * search among their numbers.
 *
 * Only for architectures whose calls are all found by a number of their own, or that are known here
 * to have others (x86: socketcall and ipc). seccomp_library does the rest.
 */
#ifndef RT_CONTAINER_SECCOMP_CALLS_H
#define RT_CONTAINER_SECCOMP_CALLS_H

#include "container/seccomp_code.h"
#include "oci-spec/seccomp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seccomp_profile {
    const struct oci_seccomp *document;
    uint32_t default_action; /* with its data */
    bool newer_is_enosys;    /* numbers above all that are named (SEC-25) */
};

/* Is SCMP_ARCH_* done here? */
bool seccomp_calls_know (uint32_t arch);

/* Writes it; the place where it begins. `x32`: for SCMP_ARCH_X86_64, its numbers with the x32 bit
 * are named by the profile too, else they are killed. 0 with errno on failure. */
size_t seccomp_calls_write (struct code *code, const struct seccomp_profile *profile, uint32_t arch,
                            bool x32);

#endif
