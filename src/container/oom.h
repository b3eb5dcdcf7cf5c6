/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oom: process.oomScoreAdj, how gladly the kernel kills this process when memory runs out.
 *
 * grant   outside, the child waits: going below the caller's value needs CAP_SYS_RESOURCE in the
 *         first user namespace, and a child that is not dumpable cannot write its own (NSP-37). An
 *         absent value leaves what was inherited (PRC-24).
 *
 * RT-OOM-RANGE, RT-OOM-SET at /process/oomScoreAdj.
 */
#ifndef RT_CONTAINER_OOM_H
#define RT_CONTAINER_OOM_H

#include "base/error.h"
#include "oci-spec/types.h"

#include <sys/types.h>

int oom_grant (pid_t pid, const struct oci_int64 *score, struct error *err);

#endif
