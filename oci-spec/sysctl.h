/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysctl: the names in config.json's `linux.sysctl`.
 */
#ifndef OCI_SPEC_SYSCTL_H
#define OCI_SPEC_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

#define SYSCTL_PATH_SIZE 256

/* The path below /proc/sys that a name means. As in sysctl (8), the first separator decides: with
 * '.' first, '.' and '/' trade places ("net.ipv4.conf.eth0/100.forwarding" and
 * "net/ipv4/conf/eth0.100/forwarding" are the same). False where the name is too long or could lead
 * anywhere else: empty steps, "." and "..", blanks, control characters. */
bool oci_sysctl_path (const char *name, char path[SYSCTL_PATH_SIZE]);

#endif
