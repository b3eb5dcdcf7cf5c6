/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_ready: a filter that the document brings as a program instead of a profile, in base64
 * (the annotation run.oci.seccomp_bpf_data).
 */
#ifndef RT_CONTAINER_SECCOMP_READY_H
#define RT_CONTAINER_SECCOMP_READY_H

#include "base/error.h"
#include "kernel/door.h"

#include <linux/filter.h>
#include <stdint.h>

/* Pure apart from memory. *instructions: malloc, the caller's. What the kernel would not take as a
 * filter is an error, RT-SECCOMP-READY at the annotation. */
int seccomp_ready_read (const char *base64, struct sock_filter **instructions, uint16_t *count,
                        struct error *err);

/* The same with the door before it (seccomp_door.h), where it does not allow all calls of rt. */
int seccomp_ready_prepare (const char *base64, const uint32_t words[DOOR_WORDS],
                           struct sock_filter **instructions, uint16_t *count, struct error *err);

#endif
