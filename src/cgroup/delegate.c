/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delegate: gives the container's v2 directory to its user, so that it can make cgroups of its own
 * below (FEATURES CGM-19 to CGM-22). Limits stay with rt: only what the kernel lists as safe to
 * delegate changes its owner.
 */
#include "cgroup/hierarchy.h"

#include "base/cleanup.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static const char fallback[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";

/* Each level costs the kernel, and every reader of the hierarchy, something: no honest tree is that
 * deep. A limit of the document stays. Linux 4.14 has it. */
#define DEPTH_MAX "100"

static int limit_depth (int dir)
{
    char held[32];

    if (fd_read_file_at (dir, "cgroup.max.depth", held, sizeof held) < 0)
        return errno == ENOENT ? 0 : -1;
    return strcmp (held, "max\n") == 0 || strcmp (held, "max") == 0
               ? fd_write_file_at (dir, "cgroup.max.depth", DEPTH_MAX)
               : 0;
}

int cgroup_delegate (const struct oci_map *paths, uid_t uid, struct error *err)
{
    const char *path = cgroup_path_of (paths, "");
    char list[4096], name[NAME_MAX + 1];
    const gid_t same_group = (gid_t)-1;

    if (!path)
        return 0; /* v1 cannot be delegated safely */
    AUTO_FD int dir = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fchown (dir, uid, same_group) < 0)
        return error_set (err, "RT-CGROUP-DELEGATE", errno, "give cgroup '%s' to user %u", path,
                          uid);
    if (limit_depth (dir) < 0)
        return error_set (err, "RT-CGROUP-DELEGATE", errno, "write '%s/cgroup.max.depth'", path);
    if (fd_read_file_at (AT_FDCWD, "/sys/kernel/cgroup/delegate", list, sizeof list) <= 0)
        memcpy (list, fallback, sizeof fallback);
    for (const char *line = list; *line;) {
        size_t length = strcspn (line, "\n");

        (void)snprintf (name, sizeof name, "%.*s", (int)length, line);
        if (length > 0 && !strchr (name, '/') &&
            fchownat (dir, name, uid, same_group, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
            return error_set (err, "RT-CGROUP-DELEGATE", errno, "give '%s/%s' to user %u", path,
                              name, uid);
        line += length + (line[length] == '\n');
    }
    return 0;
}

int cgroup_descend (const struct oci_map *below, pid_t pid, struct error *err)
{
    const char *path = cgroup_path_of (below, "");
    struct made made;

    if (cgroup_layout () != CGROUP_V2 || !path)
        return error_set (err, "RT-CGROUP-DELEGATE", 0,
                          "a cgroup below the container's own needs a host with cgroup v2 alone");
    if (v2_make_last (path, &made, err) < 0 || cgroup_join_v2 (below, pid, err) < 0)
        return -1;
    v2_enable (path);
    return 0;
}
