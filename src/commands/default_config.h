/* SPDX-License-Identifier: Apache-2.0 */
/*
 * default_config: the config.json that `rt spec` writes: a shell in a container that can do little,
 * to be edited. Pure.
 */
#ifndef RT_COMMANDS_DEFAULT_CONFIG_H
#define RT_COMMANDS_DEFAULT_CONFIG_H

#include "base/text.h"

#include <sys/types.h>

/* For a caller without privileges: a user namespace in which `uid` and `gid` are root, and nothing
 * that such a caller may not have. */
struct rootless_owner {
    uid_t uid;
    gid_t gid;
};

/* `owner` NULL: for root. */
void default_config_write (struct text *out, const struct rootless_owner *owner);

#endif
