/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rlimits: process.rlimits (config.md, "POSIX process").
 *
 * grant   outside, the child waits: the only way to raise a hard limit where the container has a
 *         user namespace, as the kernel asks for CAP_SYS_RESOURCE in the first one (PRC-20).
 * apply   inside, for exec and without user namespace: before capabilities are dropped, and late:
 *         a small RLIMIT_NOFILE or RLIMIT_FSIZE holds for rt, too (PRC-21).
 *
 * RT-RLIMIT-SET names the limit, both numbers and /process/rlimits/N.
 */
#ifndef RT_CONTAINER_RLIMITS_H
#define RT_CONTAINER_RLIMITS_H

#include "base/error.h"
#include "oci-spec/process.h"

int rlimits_grant (pid_t pid, const struct oci_process *process, struct error *err);
int rlimits_apply (const struct oci_process *process, struct error *err);

#endif
