/* SPDX-License-Identifier: Apache-2.0 */
/*
 * freeze: stops and continues all processes of a container (FEATURES CGM-25, CGM-26).
 */
#include "cgroup/hierarchy.h"
#include "cgroup/wait.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>

enum { FREEZE_TIMEOUT_MS = 10 * 1000 };

static int open_directory (const char *path)
{
    return open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int cgroup_frozen (const struct oci_map *paths)
{
    char text[256];
    const char *v1 = cgroup_path_of (paths, "freezer");
    const char *v2 = cgroup_path_of (paths, "");

    if (v1) {
        AUTO_FD int dir = open_directory (v1);
        return dir >= 0 && fd_read_file_at (dir, "freezer.state", text, sizeof text) > 0 &&
               !text_starts_with (text, "THAWED");
    }
    AUTO_FD int dir = v2 ? open_directory (v2) : -1;
    return dir >= 0 && fd_read_file_at (dir, "cgroup.events", text, sizeof text) > 0 &&
           strstr (text, "frozen 1");
}

static int v2_freeze (const char *path, bool freeze, struct error *err)
{
    AUTO_FD int dir = open_directory (path);

    if (dir < 0 || fd_write_file_at (dir, "cgroup.freeze", freeze ? "1" : "0") < 0)
        return error_set (err, "RT-CGROUP-FREEZE", errno, "write '%s/cgroup.freeze'", path);
    int reached = wait_events (dir, freeze ? "frozen 1" : "frozen 0", FREEZE_TIMEOUT_MS);
    if (reached == 1)
        return 0;
    int errnum = reached < 0 ? errno : ETIMEDOUT;
    if (freeze)
        (void)fd_write_file_at (dir, "cgroup.freeze", "0");
    error_set (err, "RT-CGROUP-FREEZE", errnum, "%s cgroup '%s'", freeze ? "freeze" : "thaw", path);
    return freeze ? -1 : error_hint (err, "a cgroup above it is frozen");
}

/* The v1 freezer can hang half way: a process that waits for a frozen one (vfork, ptrace) does not
 * reach the place where it would freeze. Thawing for a moment lets it go on. */
static int v1_freeze (const char *path, bool freeze, struct error *err)
{
    const char *wanted = freeze ? "FROZEN" : "THAWED";
    AUTO_FD int dir = open_directory (path);
    char state[64];
    struct wait wait = wait_begin (FREEZE_TIMEOUT_MS);

    if (dir < 0)
        return error_set (err, "RT-CGROUP-FREEZE", errno, "open cgroup '%s'", path);
    for (unsigned round = 1;; round++) {
        if (fd_write_file_at (dir, "freezer.state", wanted) < 0 ||
            fd_read_file_at (dir, "freezer.state", state, sizeof state) < 0)
            return error_set (err, "RT-CGROUP-FREEZE", errno, "write '%s/freezer.state'", path);
        if (text_starts_with (state, wanted))
            return 0;
        if (freeze && round % 32 == 0)
            (void)fd_write_file_at (dir, "freezer.state", "THAWED");
        if (!wait_more (&wait))
            break;
    }
    if (freeze)
        (void)fd_write_file_at (dir, "freezer.state", "THAWED");
    error_set (err, "RT-CGROUP-FREEZE", ETIMEDOUT, "%s cgroup '%s'", freeze ? "freeze" : "thaw",
               path);
    return freeze ? -1 : error_hint (err, "a cgroup above it is frozen");
}

int cgroup_freeze (const struct oci_map *paths, bool freeze, struct error *err)
{
    const char *v1 = cgroup_path_of (paths, "freezer");
    const char *v2 = cgroup_path_of (paths, "");

    if (v1)
        return v1_freeze (v1, freeze, err);
    if (v2)
        return v2_freeze (v2, freeze, err);
    return error_set (err, "RT-CGROUP-FREEZE", 0,
                      "the container has no cgroup with a freezer, so it cannot be paused");
}
