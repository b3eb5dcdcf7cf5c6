/* SPDX-License-Identifier: Apache-2.0 */
/* descendants: see descendants.h. */
#include "kernel/descendants.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/pidfd.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Room for 4 million processes. */
#define LIST_MAX (48u << 20)

static void add (struct descendants *found, pid_t pid, struct arena *arena)
{
    if ((found->count & (found->count - 1)) == 0) { /* full: a power of two */
        pid_t *more = arena_array (arena, found->count ? 2 * found->count : 8, sizeof (*more));
        if (found->count > 0)
            memcpy (more, found->pids, found->count * sizeof (*more));
        found->pids = more;
    }
    found->pids[found->count++] = pid;
}

static int unreadable (const char *path, struct error *err)
{
    return error_set (err, "RT-PROC", errno, "cannot read /proc/%s", path);
}

int descendants_threads (pid_t pid, struct arena *arena, struct descendants *found,
                         struct error *err)
{
    struct descendants threads = {0};
    const struct dirent *entry;
    char path[32];

    (void)snprintf (path, sizeof (path), "%d/task", pid);
    int fd = procfd_open (path, O_RDONLY | O_DIRECTORY);
    AUTO_DIR DIR *listing = fd < 0 ? NULL : fdopendir (fd);
    if (!listing)
        return unreadable (path, err);
    while ((entry = readdir (listing)) != NULL) {
        uint64_t thread;
        if (text_to_uint64 (entry->d_name, INT32_MAX, &thread) == 0)
            add (&threads, (pid_t)thread, arena);
    }
    *found = threads;
    return 0;
}

/* "12 13 " */
static int add_children (pid_t pid, pid_t thread, struct arena *arena, struct descendants *found,
                         struct error *err)
{
    char path[64];
    size_t length;

    (void)snprintf (path, sizeof (path), "%d/task/%d/children", pid, thread);
    AUTO_FD int fd = procfd_open (path, O_RDONLY);
    if (fd < 0)
        return unreadable (path, err);
    AUTO_FREE char *list = fd_read_all (fd, LIST_MAX, &length, path, err);
    if (!list)
        return -1;
    pid_t child;
    for (const char *at = list; sscanf (at, "%d", &child) == 1; at += strcspn (at, " ") + 1)
        add (found, child, arena);
    return 0;
}

static bool is_among (const struct descendants *found, pid_t pid)
{
    for (size_t i = 1; i < found->count; i++)
        if (found->pids[i] == pid)
            return true;
    return false;
}

/* Without those of `left_out` (NULL = none) and what descends from them. */
static int find_but (pid_t pid, const struct descendants *left_out, struct arena *arena,
                     struct descendants *found, struct error *err)
{
    struct descendants all = {0};

    add (&all, pid, arena);
    for (size_t i = 0; i < all.count; i++) {
        struct descendants threads;
        if (left_out && is_among (left_out, all.pids[i]))
            continue;
        if (descendants_threads (all.pids[i], arena, &threads, err) < 0)
            return -1;
        for (size_t k = 0; k < threads.count; k++)
            if (add_children (all.pids[i], threads.pids[k], arena, &all, err) < 0)
                return -1;
    }
    *found = all;
    return 0;
}

int descendants_find (pid_t pid, struct arena *arena, struct descendants *found, struct error *err)
{
    return find_but (pid, NULL, arena, found, err);
}

void descendants_before (struct arena *arena, struct descendants_before *before)
{
    struct error ignored = {0};
    siginfo_t info;

    *before = (struct descendants_before){0};
    if (waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 && errno == ECHILD)
        return;
    before->unknown = descendants_find (getpid (), arena, &before->found, &ignored) < 0;
}

static void end (int pidfd, int timeout_ms)
{
    (void)pidfd_signal (pidfd, SIGKILL);
    if (pidfd_wait_dead (pidfd, timeout_ms) == 1)
        (void)waitid (P_PIDFD, (id_t)pidfd, NULL, WEXITED | WNOHANG);
}

int descendants_end (const struct descendants_before *before, int timeout_ms, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct descendants found = {0};
    struct descendants again = {0};

    if (before->unknown)
        return error_set (err, "RT-PROC", 0,
                          "cannot tell which children of rt its caller has left to it");
    if (find_but (getpid (), &before->found, &arena, &found, err) < 0)
        return -1;
    int *pidfds = arena_array (&arena, found.count, sizeof *pidfds);
    for (size_t i = 1; i < found.count; i++)
        pidfds[i] = pidfd_open_number (found.pids[i]);
    /* A number may be another process's since it was found: what was opened and is then still found
     * is ours. */
    int result = find_but (getpid (), &before->found, &arena, &again, err);
    for (size_t i = 1; i < found.count; i++) {
        AUTO_FD int pidfd = pidfds[i];
        if (pidfd >= 0 && !is_among (&before->found, found.pids[i]) &&
            is_among (&again, found.pids[i]))
            end (pidfd, timeout_ms);
    }
    return result;
}
