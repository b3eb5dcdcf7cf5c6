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
 * verify    outside, right before and after the exec.
 *
 * NULL or "" = absent. RT-APPARMOR-OFF, RT-APPARMOR-PROFILE at /process/apparmorProfile.
 */
#ifndef RT_CONTAINER_APPARMOR_H
#define RT_CONTAINER_APPARMOR_H

#include "base/error.h"

#include <stdbool.h>

int apparmor_prepare (const char *profile, struct error *err);
int apparmor_apply (const char *profile, bool no_new_privs, struct error *err);

/*
 * outside, of a process that waits for its execve, by its kernel/procdir: is the profile the one
 * for it? 1; -1 with RT-VERIFY-LABEL: another one is. 0: the kernel does not say. Until 2026
 * (commit 4afc61702bdc, "apparmor: use target task's context in apparmor_getprocattr()") Linux
 * answers with the reader's own instead, which is none. Then that the write of apparmor_apply was
 * accepted, before there was a filter that could have answered for the kernel, is what is known.
 */
int apparmor_verify (int process, const char *profile, struct error *err);

/* outside, when it has executed: -1 with RT-VERIFY-LABEL where it still has the label of this
 * process, which is not the profile. Any other one is right: the profile may have let it change. */
int apparmor_verify_executed (int process, const char *profile, struct error *err);

/* Is a label, as a file of attr/ has it ("PROFILE (enforce)", a line), of that profile? Pure. */
bool apparmor_is_profile (const char *label, const char *profile);

#endif
