/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rlimits: process.rlimits (config.md, "POSIX process").
 *
 * Set from outside, while the process waits: the only way to raise a hard limit where the container
 * has a user namespace, as the kernel asks for CAP_SYS_RESOURCE in the first one (PRC-20). And
 * late: a small RLIMIT_NOFILE or RLIMIT_FSIZE holds for the rt inside, too (PRC-21).
 *
 * RT-RLIMIT-SET names the limit, both numbers and /process/rlimits/N.
 */
#ifndef RT_CONTAINER_RLIMITS_H
#define RT_CONTAINER_RLIMITS_H

#include "base/error.h"
#include "oci-spec/process.h"

int rlimits_grant (pid_t pid, const struct oci_process *process, struct error *err);

#endif
