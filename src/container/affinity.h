/* SPDX-License-Identifier: Apache-2.0 */
/*
 * affinity: process.execCPUAffinity (config.md), and no affinity where there is none.
 *
 * apply   on the process that exec makes: `initial` before it joins the cgroup, `final` after.
 *         NULL = absent. RT-AFFINITY-LIST, RT-AFFINITY-SET; the caller adds which of the two.
 * reset   inside, in the cgroup: all processors that the cpuset allows, instead of those of rt's
 *         caller (PRC-33). It was not asked for, so that a failure is only worth a debug line.
 */
#ifndef RT_CONTAINER_AFFINITY_H
#define RT_CONTAINER_AFFINITY_H

#include "base/error.h"

int affinity_apply (const char *cpulist, struct error *err);
void affinity_reset (void);

#endif
