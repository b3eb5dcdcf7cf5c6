/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_library: the part of a filter that answers for one architecture, as libseccomp compiles
 * it. It knows which calls of which architecture come through others, and takes some milliseconds.
 */
#ifndef RT_CONTAINER_SECCOMP_LIBRARY_H
#define RT_CONTAINER_SECCOMP_LIBRARY_H

#include "base/error.h"
#include "container/seccomp_calls.h"

/* Writes it; the place where it begins, 0 on failure. */
size_t seccomp_library_write (struct code *code, const struct seccomp_profile *profile,
                              uint32_t arch, struct error *err);

#endif
