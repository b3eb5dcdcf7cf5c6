/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices: the nodes in /dev: those that every container has, and linux.devices (config-linux.md,
 * "Devices", "Default Devices").
 *
 * mknod where that is allowed; else (a user namespace, a container around rt) the host's node is
 * bound onto an empty file. Whatever the image has at such a path is never followed and never
 * trusted (CVE-2026-47766).
 */
#ifndef RT_CONTAINER_DEVICES_H
#define RT_CONTAINER_DEVICES_H

#include "base/error.h"
#include "kernel/mountfd.h"
#include "oci-spec/linux.h"

#include <stdbool.h>

/* Those that every container has (config-linux.md, "Default Devices"). */
#define DEVICES_DEFAULT_COUNT 6
extern const struct oci_device devices_default[DEVICES_DEFAULT_COUNT];

/* inside, after mounts_apply, before anything becomes read-only. Expects umask 0. `userns`: mknod
 * cannot work. `own`: the mounts that are the container's alone. Where /dev is on none of them it
 * is the host's (a bind, a mount that was below root.path already, a devtmpfs): then the default
 * nodes and links are not made, and nothing in it is changed (DEV-06). */
int devices_apply (const struct oci_linux *linux, int root, bool userns,
                   const struct mountfd_ids *own, struct error *err);

#endif
