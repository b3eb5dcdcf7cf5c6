/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path: paths of the command line mean the caller's directory, and are made absolute before rt
 * goes anywhere else.
 */
#ifndef RT_COMMANDS_PATH_H
#define RT_COMMANDS_PATH_H

#include "base/arena.h"
#include "base/error.h"

/* Puts the current directory in front of a relative path. `option` is for the message about an
 * empty one. NULL with err. */
const char *path_absolute (struct arena *arena, const char *path, const char *option,
                           struct error *err);

/* Absolute and without symbolic links: for what must exist. `what`: "bundle". NULL with err. */
const char *path_resolve (struct arena *arena, const char *path, const char *what,
                          struct error *err);

#endif
