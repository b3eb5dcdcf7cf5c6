/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_compile: the profile of the document becomes a BPF program.
 */
#ifndef RT_CONTAINER_SECCOMP_COMPILE_H
#define RT_CONTAINER_SECCOMP_COMPILE_H

#include "container/seccomp.h"

/* Pure apart from memory and chance. Fills instructions, count and the door. 1: calls are notified,
 * else 0. A build without libseccomp (seccomp_without.c) does not know the numbers of
 * the names: an error. */
int seccomp_compile (const struct oci_seccomp *seccomp, struct seccomp_program *program,
                     struct error *err);

#endif
