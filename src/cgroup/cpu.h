/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu: the conversion from v1 shares (2 to 262144) to v2 weight (1 to 10000). Private to cgroup/.
 */
#ifndef RT_CGROUP_CPU_H
#define RT_CGROUP_CPU_H

#include <stdint.h>

uint64_t cpu_shares_to_weight (uint64_t shares);

#endif
