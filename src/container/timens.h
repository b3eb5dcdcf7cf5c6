/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timens: a new time namespace and linux.timeOffsets (config-linux.md, "Offset for Time Namespace";
 * time_namespaces(7), Linux 5.6).
 */
#ifndef RT_CONTAINER_TIMENS_H
#define RT_CONTAINER_TIMENS_H

#include "base/error.h"
#include "oci-spec/linux.h"

/* inside, in the user namespace that shall own it, and still with the ids of rt, whose the files of
 * a process are in /proc. An unshare holds for children alone, and the offsets can be written until
 * the first process is in it; so it is made, set, and entered by its file. */
int timens_apply (const struct oci_linux *linux, struct error *err);

#endif
