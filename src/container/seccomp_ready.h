/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_ready: a filter that the document brings as a program instead of a profile, in base64
 * (the annotation run.oci.seccomp_bpf_data).
 */
#ifndef RT_CONTAINER_SECCOMP_READY_H
#define RT_CONTAINER_SECCOMP_READY_H

#include "base/error.h"

#include <linux/filter.h>
#include <stdint.h>

/* Pure apart from memory. *instructions: malloc, the caller's. Whether they make sense is the
 * kernel's to say. */
int seccomp_ready_read (const char *base64, struct sock_filter **instructions, uint16_t *count,
                        struct error *err);

#endif
