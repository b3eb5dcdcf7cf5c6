/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysctl: linux.sysctl (config-linux.md).
 *
 * apply   inside, in the container's namespaces, through kernel/procfd, before /proc/sys becomes
 *         read-only and before capabilities are dropped. Which names belong to a namespace of the
 *         container's own was checked when the document was read (NET-06); what path a name means
 *         is oci-spec/sysctl's knowledge.
 *
 * RT-SYSCTL-NAME, RT-SYSCTL-WRITE at /linux/sysctl/KEY. One key is one write to one file
 * (CVE-2022-0811).
 */
#ifndef RT_CONTAINER_SYSCTL_H
#define RT_CONTAINER_SYSCTL_H

#include "base/error.h"
#include "oci-spec/types.h"

int sysctl_apply (const struct oci_map *sysctl, struct error *err);

#endif
