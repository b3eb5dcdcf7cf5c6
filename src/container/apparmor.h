/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apparmor: process.apparmorProfile (config.md).
 *
 * prepare   outside, before the clone: is AppArmor there at all? Asked of the host's /sys, as that
 *           of the container may be anything. "unconfined" is what a host without AppArmor does
 *           anyway.
 * apply     inside, through kernel/procfd (LSM-08; CVE-2019-16884, CVE-2025-52881), before
 *           no_new_privs is set where the profile is wider than the caller's own, right before exec
 *           and before a filter that could deny the write: the profile is for the next exec.
 *
 * NULL or "" = absent. RT-APPARMOR-OFF, RT-APPARMOR-PROFILE at /process/apparmorProfile.
 */
#ifndef RT_CONTAINER_APPARMOR_H
#define RT_CONTAINER_APPARMOR_H

#include "base/error.h"

#include <stdbool.h>

int apparmor_prepare (const char *profile, struct error *err);
int apparmor_apply (const char *profile, bool no_new_privs, struct error *err);

#endif
