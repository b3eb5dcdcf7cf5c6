/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timens: a new time namespace and linux.timeOffsets (config-linux.md, "Offset for Time Namespace";
 * time_namespaces(7), Linux 5.6).
 */
#ifndef RT_CONTAINER_TIMENS_H
#define RT_CONTAINER_TIMENS_H

#include "base/error.h"
#include "oci-spec/linux.h"

/* inside the first leg: children are born in the new namespace. The offsets can only be written
 * before the first of them, and only with CAP_SYS_TIME over the user namespace that owns it, so
 * before C's own one is made. */
int timens_apply (const struct oci_linux *linux, struct error *err);

#endif
