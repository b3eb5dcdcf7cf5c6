/* SPDX-License-Identifier: Apache-2.0 */
/* given: see given.h. */
#include "lifecycle/given.h"

#include "base/cleanup.h"
#include "kernel/opener.h"

#include <errno.h>
#include <sys/stat.h>

int given_resolve (const char *path, const char *what, char resolved[PATH_MAX], struct error *err)
{
    enum opener_outcome outcome = opener_resolve (path, resolved, err);

    if (outcome == OPENER_REFUSED)
        return error_set (err, "RT-PATH", errno, "find the %s `%s`", what, path);
    return outcome == OPENER_DONE ? 0 : -1;
}

int given_open_document (const char *path, size_t limit, const char *hint, struct error *err)
{
    struct opener_look look;
    int opened = -1;
    enum opener_outcome outcome = opener_read (path, limit, &opened, &look, err);
    AUTO_FD int fd = opened;

    if (outcome == OPENER_STALLED)
        return -1;
    if (outcome == OPENER_REFUSED) {
        bool missing = errno == ENOENT;
        error_set (err, "RT-CONFIG-OPEN", errno, "open `%s`", path);
        return missing && hint ? error_hint (err, "%s", hint) : -1;
    }
    if (!S_ISREG (look.mode) && !S_ISFIFO (look.mode))
        return error_set (err, "RT-CONFIG-OPEN", S_ISDIR (look.mode) ? EISDIR : 0,
                          "`%s` is not a regular file", path);
    return take_fd (&fd);
}

int given_ask_places (const char *const paths[], size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (opener_ask_place (paths[i], err) < 0)
            return -1;
    return 0;
}

void given_end (void)
{
    opener_end ();
}
