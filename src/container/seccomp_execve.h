/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_execve: does a filter ever allow execve, the last call of rt, with which the container's
 * program begins? All other calls that rt makes below the filter pass by kernel/door.h.
 */
#ifndef RT_CONTAINER_SECCOMP_EXECVE_H
#define RT_CONTAINER_SECCOMP_EXECVE_H

#include "base/error.h"
#include "oci-spec/seccomp.h"

/* Pure apart from memory. RT-SECCOMP-EXECVE at the entry, default action or annotation that refuses
 * it. A profile says so almost always at a glance; where conditions on arguments decide, its
 * program is made and judged (seccomp_judge.h), and is wrong only where it can be allowed in no way
 * at all. A tracer or an agent may allow it. */
int seccomp_execve_check (const struct oci_seccomp *seccomp, struct error *err);

#endif
