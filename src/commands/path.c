/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path: see path.h.
 */
#include "path.h"

#include "base/cleanup.h"
#include "lifecycle/given.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

const char *path_absolute (struct arena *arena, const char *path, const char *option,
                           struct error *err)
{
    if (path[0] == '\0') {
        error_set (err, "RT-USAGE", 0, "the path of %s is empty", option);
        return NULL;
    }
    if (path[0] == '/')
        return path;
    AUTO_FREE char *here = getcwd (NULL, 0);
    if (!here) {
        error_set (err, "RT-CWD", errno, "find the current directory for %s `%s`", option, path);
        return NULL;
    }
    return arena_printf (arena, "%s/%s", here, path);
}

const char *path_resolve (struct arena *arena, const char *path, const char *what,
                          struct error *err)
{
    char resolved[PATH_MAX];
    if (given_resolve (path, what, resolved, err) < 0)
        return NULL;
    return arena_string (arena, resolved);
}
