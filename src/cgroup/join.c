/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join: processes into the container's directories.
 *
 * Moving another process costs an RCU grace period (10 ms and more): the kernel must stop all forks
 * for it. A process with one thread that moves itself does not pay that in v1 ("0" to `tasks`), and
 * one that is born in its cgroup does not pay it in v2 (CLONE_INTO_CGROUP).
 */
#include "cgroup/hierarchy.h"
#include "cgroup/wait.h"

#include "base/cleanup.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

enum { YOUNG_TIMEOUT_MS = 150 };

static int explain (const char *path, int errnum, struct error *err)
{
    error_set (err, "RT-CGROUP-JOIN", errnum, "join cgroup '%s'", path);
    switch (errnum) {
    case EBUSY:
        return error_hint (err, "it has controllers enabled for its children, so it cannot hold "
                                "processes itself");
    case EOPNOTSUPP:
        return error_hint (err, "the cgroup above it is threaded, or this one is invalid");
    case ENOSPC:
        return error_hint (err, "its cpuset has no processors or no memory nodes");
    case EACCES:
    case EPERM:
        return error_hint (err, "the cgroup above both the old and the new place is not delegated "
                                "to the user");
    default:
        return -1;
    }
}

const char *cgroup_path_v2 (const struct oci_map *paths)
{
    return cgroup_path_of (paths, "");
}

const char *cgroup_path_freezer (const struct oci_map *paths)
{
    const char *v1 = cgroup_path_of (paths, "freezer");

    return v1 ? v1 : cgroup_path_v2 (paths);
}

const char *cgroup_path_below_mount (const char *key, const char *path)
{
    return path + hierarchy_mount_length (key, path);
}

int cgroup_open_v2 (const struct oci_map *paths)
{
    const char *path = cgroup_path_v2 (paths);

    if (!path) {
        errno = ENOENT;
        return -1;
    }
    return openat (AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* EINVAL: the process is so young that the scheduler does not know it yet (cpu of v1, until Linux
 * 5.17). */
static int write_pid (int dir, const char *pid)
{
    struct wait wait = wait_begin (YOUNG_TIMEOUT_MS);

    while (fd_write_file_at (dir, "cgroup.procs", pid) < 0)
        if (errno != EINVAL || !wait_more (&wait))
            return -1;
    return 0;
}

int cgroup_join (const struct oci_map *paths, pid_t pid, bool skip_v2, struct error *err)
{
    char text[16];

    (void)snprintf (text, sizeof text, "%d", (int)pid);
    for (size_t i = 0; i < paths->count; i++) {
        const struct oci_pair *item = &paths->items[i];

        if (skip_v2 && item->key[0] == '\0')
            continue;
        AUTO_FD int dir = open (item->value, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0 || write_pid (dir, text) < 0)
            return explain (item->value, errno, err);
    }
    return 0;
}

int cgroup_join_v2 (const struct oci_map *paths, pid_t pid, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        const struct oci_map v2 = {.count = 1, .items = &paths->items[i], .present = true};
        if (paths->items[i].key[0] == '\0')
            return cgroup_join (&v2, pid, false, err);
    }
    return 0;
}

int cgroup_open_doors (const struct oci_map *paths, struct cgroup_doors *doors, struct error *err)
{
    struct cgroup_doors opened = {0};
    char path[PATH_MAX];

    for (size_t i = 0; i < paths->count; i++) {
        const struct oci_pair *item = &paths->items[i];

        if (item->key[0] == '\0')
            continue;
        /* One call for each hierarchy: musl's open () makes two. */
        int written = snprintf (path, sizeof (path), "%s/tasks", item->value);
        if (written < 0 || (size_t)written >= sizeof (path)) {
            cgroup_close_doors (&opened);
            return explain (item->value, ENAMETOOLONG, err);
        }
        int fd = openat (AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || opened.count == CGROUP_DOORS_MAX) {
            int errnum = fd < 0 ? errno : EMFILE;
            cgroup_close_doors (&opened);
            return explain (item->value, errnum, err);
        }
        opened.fds[opened.count++] = fd;
    }
    *doors = opened;
    return 0;
}

int cgroup_enter (const struct cgroup_doors *doors, struct error *err)
{
    for (size_t i = 0; i < doors->count; i++)
        if (fd_write_all (doors->fds[i], "0", 1) < 0)
            return explain ("(v1, of this container)", errno, err);
    return 0;
}

void cgroup_close_doors (struct cgroup_doors *doors)
{
    for (size_t i = 0; i < doors->count; i++)
        cleanup_fd (&doors->fds[i]);
    doors->count = 0;
}
