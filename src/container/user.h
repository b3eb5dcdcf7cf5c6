/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user: process.user (config.md, "POSIX-platform User") and the home directory of a uid.
 *
 * All inside, with CAP_SETGID and CAP_SETUID, after caps_apply_bounding and before caps_apply.
 *
 *   user_apply_groups   setgroups with exactly the list, also where it is empty (CVE-2022-36109).
 *                       Where the user namespace denies setgroups, a list that is asked for is an
 *                       error, and the caller's groups stay otherwise (PRC-13)
 *   user_apply_ids      setresgid, then setresuid; the permitted capabilities stay, the effective
 *                       ones are gone where uid is not 0. The umask is the caller's affair
 *   user_home           any time after the mounts; reads the container's /etc/passwd below `root`
 *
 * apply makes no system calls but setgroups, setres[ug]id and prctl, so that a filter may be
 * loaded before. RT-USER-GROUPS, RT-USER-IDS at /process/user/...
 */
#ifndef RT_CONTAINER_USER_H
#define RT_CONTAINER_USER_H

#include "base/error.h"
#include "oci-spec/process.h"

#include <stdbool.h>
#include <stddef.h>

int user_apply_groups (const struct oci_user *user, bool setgroups_denied, struct error *err);
int user_apply_ids (const struct oci_user *user, struct error *err);

/* The home directory of `uid`, or "/" where there is none to be found. /etc/passwd is the image's,
 * so nothing of it is believed but that one word: no NSS, no libc parser, any size, any rubbish;
 * the id is compared as a number with the third field and nothing else (CVE-2016-3697, PRC-07,
 * PRC-08).
 */
/* -1, RT-USER-HOME: the file could not be looked at, which says nothing of the image (descriptors,
 * memory, a disk that fails). */
int user_home (int root, uid_t uid, char *home, size_t size, struct error *err);

/* The part of it that reads: 1; 0 where uid has no usable line; -1 with errno. */
int user_home_in_passwd (int passwd, uid_t uid, char *home, size_t size);

#endif
