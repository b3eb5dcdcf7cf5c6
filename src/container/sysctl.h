/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysctl: linux.sysctl (config-linux.md).
 *
 * path    pure: "net.ipv4.conf.eth0/100.forwarding" and "net/ipv4/conf/eth0.100/forwarding" are
 *         both sys/net/ipv4/conf/eth0.100/forwarding, since the first separator says which is which
 *         (sysctl(8), NET-05). Refuses what is not a name below /proc/sys (NET-11, CVE-2022-0811).
 * apply   inside, in the container's namespaces, through kernel/procfd, before /proc/sys becomes
 *         read-only and before capabilities are dropped. Which names belong to a namespace of the
 *         container's own was checked when the document was read (NET-06).
 *
 * RT-SYSCTL-NAME, RT-SYSCTL-WRITE at /linux/sysctl/KEY. One key is one write to one file.
 */
#ifndef RT_CONTAINER_SYSCTL_H
#define RT_CONTAINER_SYSCTL_H

#include "base/error.h"
#include "oci-spec/types.h"

#define SYSCTL_PATH_MAX 256

/* The path below /proc; `path` has room for SYSCTL_PATH_MAX bytes. */
int sysctl_path (const char *key, char *path, struct error *err);

int sysctl_apply (const struct oci_map *sysctl, struct error *err);

#endif
