/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree: walks breadth first over a list of paths, so that depth costs memory only.
 */
#include "cgroup/tree.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/procfd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#define TGID "\nTgid:\t"

enum { PROCS_SIZE_MAX = 64 * 1024 * 1024 };

static bool is_gone (int errnum)
{
    return errnum == ENOENT || errnum == ENODEV;
}

/* Opens a directory below `root` whose path may be longer than PATH_MAX. */
static int open_below (int root, const char *path)
{
    AUTO_FD int dir = openat (root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char part[PATH_MAX];

    while (dir >= 0 && *path) {
        size_t length = strlen (path);
        if (length >= sizeof part)
            for (length = sizeof part - 1; path[length] != '/'; length--)
                ;
        (void)snprintf (part, sizeof part, "%.*s", (int)length, path);
        int next = openat (dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        drop_fd (&dir);
        dir = next;
        path += length + (path[length] == '/');
    }
    return take_fd (&dir);
}

static void add_path (struct arena *arena, struct tree *tree, char *path)
{
    /* Room doubles whenever the number is a power of two. */
    if ((tree->count & (tree->count - 1)) == 0) {
        size_t room = tree->count ? tree->count * 2 : 1;
        char **wider = arena_array (arena, room, sizeof *wider);
        if (tree->count)
            memcpy (wider, tree->paths, tree->count * sizeof *wider);
        tree->paths = wider;
    }
    tree->paths[tree->count++] = path;
}

static int list_children (struct arena *arena, int root, struct tree *tree, const char *path)
{
    AUTO_FD int fd = open_below (root, path);
    AUTO_DIR DIR *dir = fd < 0 ? NULL : fdopendir (fd);
    struct dirent *entry;

    if (!dir)
        return -1;
    (void)take_fd (&fd);
    for (errno = 0; (entry = readdir (dir)) != NULL; errno = 0) {
        if (entry->d_type != DT_DIR || text_equal (entry->d_name, ".") ||
            text_equal (entry->d_name, ".."))
            continue;
        add_path (arena, tree,
                  arena_printf (arena, "%s%s%s", path, *path ? "/" : "", entry->d_name));
    }
    return errno ? -1 : 0;
}

int tree_list (struct arena *arena, int root, struct tree *tree)
{
    struct tree found = {0};

    add_path (arena, &found, arena_string (arena, ""));
    for (size_t i = 0; i < found.count; i++)
        if (list_children (arena, root, &found, found.paths[i]) < 0 && !is_gone (errno))
            return -1;
    *tree = found;
    return 0;
}

static void add_process (struct arena *arena, struct tree *tree, pid_t pid)
{
    if ((tree->process_count & (tree->process_count - 1)) == 0) {
        size_t room = tree->process_count ? tree->process_count * 2 : 1;
        pid_t *wider = arena_array (arena, room, sizeof *wider);
        if (tree->process_count)
            memcpy (wider, tree->processes, tree->process_count * sizeof *wider);
        tree->processes = wider;
    }
    tree->processes[tree->process_count++] = pid;
}

/* The process of a thread; -1 where it is gone. */
static pid_t process_of (pid_t thread)
{
    char name[32], status[512];
    uint64_t pid;

    (void)snprintf (name, sizeof name, "%d/status", (int)thread);
    const char *line = procfd_read (name, status, sizeof status) < 0 ? NULL : strstr (status, TGID);
    if (!line)
        return -1;
    char *number = (char *)(uintptr_t)line + strlen (TGID);
    number[strcspn (number, "\n")] = '\0';
    return text_to_uint64 (number, INT32_MAX, &pid) < 0 ? -1 : (pid_t)pid;
}

static bool has_process (const struct tree *tree, pid_t pid)
{
    for (size_t i = tree->process_count; i-- > 0;)
        if (tree->processes[i] == pid)
            return true;
    return false;
}

/* What a line says; 0 stands for a process that this pid namespace does not see. */
static void add_line (struct arena *arena, struct tree *tree, const char *line, bool threads)
{
    uint64_t number;

    if (text_to_uint64 (line, INT32_MAX, &number) < 0 || number == 0)
        return;
    pid_t pid = threads ? process_of ((pid_t)number) : (pid_t)number;
    if (pid > 0 && !(threads && has_process (tree, pid)))
        add_process (arena, tree, pid);
}

/* One directory's processes. 0, or -1 with errno; EOPNOTSUPP: it is threaded. */
static int read_processes (struct arena *arena, int root, struct tree *tree, const char *path,
                           bool threads)
{
    const char *name = threads ? "cgroup.threads" : "cgroup.procs";
    struct error ignored = {0};
    AUTO_FD int dir = open_below (root, path);
    AUTO_FD int fd = dir < 0 ? -1 : openat (dir, name, O_RDONLY | O_CLOEXEC);
    size_t length;

    if (fd < 0)
        return is_gone (errno) ? 0 : -1;
    AUTO_FREE char *list = fd_read_all (fd, PROCS_SIZE_MAX, &length, name, &ignored);
    if (!list) {
        errno = ignored.errnum ? ignored.errnum : EFBIG;
        return is_gone (errno) ? 0 : -1;
    }
    for (char *line = list; *line;) {
        size_t end = strcspn (line, "\n");
        bool more = line[end] == '\n';

        line[end] = '\0';
        add_line (arena, tree, line, threads);
        line += end + more;
    }
    return 0;
}

/* Threaded cgroups do not tell their processes. The nearest domain above them does; where that is
 * not the container's own cgroup, it is found by its threads. */
int tree_processes (struct arena *arena, int root, struct tree *tree)
{
    bool threads = false;

    tree->process_count = 0;
    for (size_t i = 0; i < tree->count; i++) {
        const char *path = tree->paths[i];
        int result = read_processes (arena, root, tree, path, threads);
        if (result < 0 && errno == EOPNOTSUPP && *path == '\0') {
            threads = true;
            result = read_processes (arena, root, tree, path, threads);
        }
        if (result < 0 && errno != EOPNOTSUPP)
            return -1;
    }
    return 0;
}

static int remove_one (int root, const char *path)
{
    const char *slash = strrchr (path, '/');
    AUTO_FREE char *parent_path = strndup (path, slash ? (size_t)(slash - path) : 0);
    AUTO_FD int parent = parent_path ? open_below (root, parent_path) : -1;

    return parent < 0 ? -1 : unlinkat (parent, slash ? slash + 1 : path, AT_REMOVEDIR);
}

int tree_prune (int root, const struct tree *tree)
{
    for (size_t i = tree->count; i-- > 1;)
        if (remove_one (root, tree->paths[i]) < 0 && !is_gone (errno))
            return -1;
    return 0;
}
