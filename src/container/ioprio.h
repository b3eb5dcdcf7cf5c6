/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioprio: process.ioPriority (config.md; ioprio_set(2)).
 *
 * apply   inside, before capabilities are dropped: the realtime class needs CAP_SYS_ADMIN or
 *         CAP_SYS_NICE. Holds for this process and what it forks. NULL = absent.
 *
 * RT-IOPRIO-SET at /process/ioPriority.
 */
#ifndef RT_CONTAINER_IOPRIO_H
#define RT_CONTAINER_IOPRIO_H

#include "base/error.h"
#include "oci-spec/process.h"

int ioprio_apply (const struct oci_io_priority *priority, struct error *err);

#endif
