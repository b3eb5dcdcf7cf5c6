/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v1: directories of the older hierarchies (FEATURES CGM-14, CGM-15).
 */
#include "cgroup/hierarchy.h"
#include "cgroup/tree.h"
#include "cgroup/wait.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

enum { CPUSET_TIMEOUT_MS = 200 };

/* A new cpuset is empty and takes no process. It gets what its parent has, which may have to be
 * filled in the same way. `path` has room to be cut. */
static int fill_cpuset (char *path, size_t mount_length, const char *file, char *value, size_t size)
{
    char name[PATH_MAX + 32];

    (void)snprintf (name, sizeof name, "%s/%s", path, file);
    ssize_t length = fd_read_file_at (AT_FDCWD, name, value, size);
    if (length < 0)
        return -1;
    if (value[0] != '\n' && value[0] != '\0')
        return 0;
    char *slash = strrchr (path, '/');
    if ((size_t)(slash - path) < mount_length) {
        errno = EINVAL; /* the root of all has none */
        return -1;
    }
    *slash = '\0';
    int filled = fill_cpuset (path, mount_length, file, value, size);
    *slash = '/';
    if (filled < 0)
        return -1;
    return fd_write_file_at (AT_FDCWD, name, value);
}

/* Somebody else changes a set above at this moment: what was read there is not what the kernel
 * compares with, or it is empty. */
static bool is_race (int errnum)
{
    return errnum == EACCES || errnum == EBUSY || errnum == EAGAIN || errnum == EINVAL;
}

static int prepare_cpuset (const char *path, size_t mount_length, struct error *err)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    struct wait wait = wait_begin (CPUSET_TIMEOUT_MS);
    char copy[PATH_MAX], value[4096];
    size_t prefix = 0;

    for (size_t i = 0; i < sizeof files / sizeof files[0];) {
        (void)snprintf (copy, sizeof copy, "%s", path);
        if (fill_cpuset (copy, mount_length, files[i] + prefix, value, sizeof value) == 0)
            i++;
        else if (errno == ENOENT && prefix == 0)
            prefix = strlen ("cpuset."); /* mounted with `noprefix`, as Android does */
        else if (!is_race (errno) || !wait_more (&wait))
            return error_set (err, "RT-CGROUP-MAKE", errno, "copy the parent's %s to '%s'",
                              files[i] + prefix, path);
    }
    return 0;
}

static int make_all (const char *path, size_t mount_length, struct made *made, struct error *err)
{
    char prefix[PATH_MAX];

    for (size_t at = mount_length; path[at] == '/';) {
        at += 1 + strcspn (path + at + 1, "/");
        (void)snprintf (prefix, sizeof prefix, "%.*s", (int)at, path);
        if (fd_mkdir_at (AT_FDCWD, prefix, 0755) == 0)
            *made = (struct made){made->count + 1, at};
        else if (errno != EEXIST)
            return error_set (err, "RT-CGROUP-MAKE", errno, "make cgroup '%s'", prefix);
    }
    return 0;
}

int v1_make (const char *key, const char *path, struct made *made, struct error *err)
{
    size_t mount_length = hierarchy_mount_length (key, path);

    *made = (struct made){0};
    if (strlen (path) >= PATH_MAX)
        return error_set (err, "RT-CGROUP-MAKE", ENAMETOOLONG, "make cgroup '%s'", path);
    if (fd_mkdir_at (AT_FDCWD, path, 0755) == 0)
        *made = (struct made){1, strlen (path)};
    else if (errno == ENOENT && make_all (path, mount_length, made, err) < 0)
        return -1;
    else if (errno != ENOENT && errno != EEXIST)
        return error_set (err, "RT-CGROUP-MAKE", errno, "make cgroup '%s'", path);
    return hierarchy_has (key, "cpuset") ? prepare_cpuset (path, mount_length, err) : 0;
}

int v1_check_fit (const char *key, const char *path, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    char state[64];
    struct tree tree;
    AUTO_FD int dir = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0 || tree_list (&arena, dir, &tree) < 0 || tree_processes (&arena, dir, &tree) < 0)
        return error_set (err, "RT-CGROUP-MAKE", errno, "read the processes of cgroup '%s'", path);
    if (tree.process_count > 0)
        return error_set (err, "RT-CGROUP-BUSY", 0,
                          "cgroup '%s' already exists and is not empty: %zu processes", path,
                          tree.process_count);
    if (hierarchy_has (key, "freezer") &&
        fd_read_file_at (dir, "freezer.state", state, sizeof state) > 0 &&
        !text_starts_with (state, "THAWED"))
        return error_set (err, "RT-CGROUP-FROZEN", 0, "cgroup '%s' already exists and is frozen",
                          path);
    return 0;
}
