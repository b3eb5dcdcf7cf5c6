/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rlimits: process.rlimits (config.md, "POSIX process").
 *
 * take    inside, late: a small RLIMIT_NOFILE or RLIMIT_FSIZE holds for the rt inside, too (PRC-21)
 * grant   outside, where that was not all, while the process waits: the only way to raise a hard
 * limit where the container has a user namespace, as the kernel asks for CAP_SYS_RESOURCE in the
 *         first one (PRC-20)
 *
 * RT-RLIMIT-SET names the limit, both numbers and /process/rlimits/N.
 */
#ifndef RT_CONTAINER_RLIMITS_H
#define RT_CONTAINER_RLIMITS_H

#include "base/error.h"
#include "oci-spec/process.h"

#include <stdbool.h>

/* False: this process may not set all of them. Some may be set by then. */
bool rlimits_take (const struct oci_process *process);

/* Sets all of them. */
int rlimits_grant (pid_t pid, const struct oci_process *process, struct error *err);

#endif
