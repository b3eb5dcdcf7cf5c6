/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selinux: process.selinuxLabel (config.md).
 *
 * prepare   outside, before the clone: is SELinux there at all? Asked of the host's /sys, as that
 * of the container may be anything. apply     inside, through kernel/procfd (LSM-08;
 * CVE-2019-16884, CVE-2025-52881), right before exec and before a filter that could deny the write:
 * the label is for the next exec.
 *
 * NULL or "" = absent. RT-SELINUX-OFF, RT-SELINUX-LABEL at /process/selinuxLabel.
 */
#ifndef RT_CONTAINER_SELINUX_H
#define RT_CONTAINER_SELINUX_H

#include "base/error.h"

int selinux_prepare (const char *label, struct error *err);
int selinux_apply (const char *label, struct error *err);

/* outside, of a process that waits for its execve, by its kernel/procdir: is the label the one for
 * it, as the kernel writes it (categories in their order)? -1 with RT-VERIFY-LABEL. */
int selinux_verify (int process, const char *label, struct error *err);

#endif
