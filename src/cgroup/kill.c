/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill: the end of a container's processes and of its directories (FEATURES CGM-23, CGM-24,
 * CGM-31).
 */
#include "cgroup/hierarchy.h"
#include "cgroup/signal.h"
#include "cgroup/tree.h"
#include "cgroup/wait.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/straggler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

enum {
    FREEZE_TIMEOUT_MS = 500, /* what does not freeze soon is killed all the same */
};

static bool is_gone (int errnum)
{
    return errnum == ENOENT || errnum == ENODEV;
}

/* Where the processes are looked up: the hierarchy that can stop them, so that a kill sees what the
 * freezer holds; else v2; else any. NULL: there is none. */
static const struct oci_pair *main_item (const struct oci_map *paths)
{
    const struct oci_pair *item = cgroup_item_of (paths, "freezer");

    if (!item)
        item = cgroup_item_of (paths, "");
    return item || paths->count == 0 ? item : &paths->items[0];
}

static int list_processes (struct arena *arena, const char *path, struct tree *tree,
                           struct error *err)
{
    *tree = (struct tree){0};
    AUTO_FD int dir = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 && is_gone (errno))
        return 0;
    if (dir < 0 || tree_list (arena, dir, tree) < 0 || tree_processes (arena, dir, tree) < 0)
        return error_set (err, "RT-CGROUP-PROCESSES", errno, "list the processes of cgroup '%s'",
                          path);
    return 0;
}

int cgroup_processes (struct arena *arena, const struct oci_map *paths, pid_t **pids, size_t *count,
                      struct error *err)
{
    const struct oci_pair *item = main_item (paths);
    struct tree tree = {0};

    if (item && list_processes (arena, item->value, &tree, err) < 0)
        return -1;
    *pids = tree.processes;
    *count = tree.process_count;
    return 0;
}

int cgroup_check_seen (const struct oci_map *paths, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const char *v2 = cgroup_path_of (paths, "");
    struct tree tree = {0};

    if (!v2)
        return 0;
    if (list_processes (&arena, v2, &tree, err) < 0)
        return -1;
    if (tree.unseen == 0)
        return 0;
    error_set (err, "RT-CGROUP-UNSEEN", 0,
               "cgroup '%s' has processes that rt does not see: they are in another pid namespace",
               v2);
    return error_hint (err, "call rt in the pid namespace in which the container was created");
}

static bool has_freezer (const struct oci_map *paths)
{
    return cgroup_path_of (paths, "freezer") || cgroup_path_of (paths, "");
}

/* Who is left, for a hint: nothing where nobody is. */
static int hint_left (const struct tree *tree, struct error *err)
{
    AUTO_TEXT struct text left = {0};

    stragglers_describe (tree->processes, tree->process_count, &left);
    return left.length ? error_hint (err, "left: %s", text_string (&left)) : -1;
}

/* Only the v1 freezer keeps them from dying, too. */
static bool is_held (const struct oci_map *paths, bool frozen)
{
    return frozen && cgroup_path_of (paths, "freezer") != NULL;
}

static bool freeze_first (const struct oci_map *paths)
{
    struct error failure = {0};

    if (!has_freezer (paths))
        return false;
    if (freeze_within (paths, true, FREEZE_TIMEOUT_MS, &failure) == 0)
        return true;
    log_debug ("%s: going on without the freezer", failure.text);
    return false;
}

/* One pass over the list. Frozen processes can neither fork nor die: then it reaches everybody, and
 * they die when they are thawed; which they are also where the pass failed. 1 everybody, 0 *met
 * were listed, and some may be left. */
static int kill_pass (const struct oci_map *paths, size_t *met, struct error *err)
{
    bool frozen = freeze_first (paths);
    struct error ignored;
    int result = signal_processes (main_item (paths), SIGKILL, is_held (paths, frozen), met, err);

    if (frozen && thaw_killed (paths, result < 0 ? &ignored : err) < 0)
        return -1;
    return result < 0 ? -1 : frozen || *met == 0;
}

/* Where the freezer does not take (or is not there), passes are repeated until nobody is left. */
static int kill_in_rounds (const struct oci_map *paths, struct error *err)
{
    struct wait wait = wait_begin (patience_ms ());
    const char *path = main_item (paths)->value;

    for (;;) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct error ignored = {0};
        struct tree tree;
        size_t met;
        int done = kill_pass (paths, &met, err);

        if (done != 0)
            return done < 0 ? -1 : 0;
        if (!wait_more (&wait)) {
            error_set (err, "RT-CGROUP-KILL", ETIMEDOUT, "%zu processes of cgroup '%s' do not die",
                       met, path);
            return list_processes (&arena, path, &tree, &ignored) < 0 ? -1 : hint_left (&tree, err);
        }
    }
}

/* cgroup.kill: the kernel does it at once, forks included. 0 done, 1 not there (before Linux 5.14),
 * or rt itself would be killed before it is known whether the others are. */
static int kill_by_kernel (const struct oci_pair *item, struct error *err)
{
    const char *path = item->value;
    AUTO_FD int dir = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    int inside = dir < 0 ? 0 : self_is_in (item, err);
    if (inside != 0)
        return inside;
    if (dir < 0)
        return is_gone (errno) ? 0
                               : error_set (err, "RT-CGROUP-KILL", errno, "open cgroup '%s'", path);
    if (fd_write_file_at (dir, "cgroup.kill", "1") == 0) {
        /* The frozen die too, but the next process would find itself frozen. */
        (void)fd_write_file_at (dir, "cgroup.freeze", "0");
        return 0;
    }
    if (errno == ENODEV)
        return 0;
    if (errno == ENOENT || errno == EOPNOTSUPP || errno == EACCES)
        return 1;
    return error_set (err, "RT-CGROUP-KILL", errno, "write '%s/cgroup.kill'", path);
}

int cgroup_kill (const struct oci_map *paths, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_pair *v2 = cgroup_item_of (paths, "");
    struct tree tree;

    if (paths->count == 0)
        return 0;
    int left = v2 ? kill_by_kernel (v2, err) : 1;
    if (left < 0)
        return -1;
    /* On a hybrid host the v1 side may hold a process that has left the v2 side, or be frozen. */
    if (left == 0 && !cgroup_path_of (paths, "freezer"))
        return 0;
    if (list_processes (&arena, main_item (paths)->value, &tree, err) < 0)
        return -1;
    if (tree.process_count == 0)
        return 0;
    return kill_in_rounds (paths, err);
}

int cgroup_signal (const struct oci_map *paths, int signal, bool freeze, struct error *err)
{
    struct error ignored;
    bool stopped = false;
    size_t met;

    if (paths->count == 0)
        return 0;
    int frozen = cgroup_frozen (paths, err);
    if (frozen < 0)
        return -1;
    if (!frozen && freeze && signal != 0)
        stopped = freeze_first (paths);
    int result =
        signal_processes (main_item (paths), signal, is_held (paths, frozen || stopped), &met, err);
    if (stopped && thaw_again (paths, result < 0 ? &ignored : err) < 0)
        return -1;
    return result;
}

static int remove_below (const char *path)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct tree tree;
    AUTO_FD int dir = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0 || tree_list (&arena, dir, &tree) < 0)
        return -1;
    return tree_prune (dir, &tree);
}

/* Processes that are just exiting keep it busy for a moment. */
static int wait_until_empty (const struct oci_pair *item, struct wait *wait)
{
    if (item->key[0])
        return wait_more (wait) ? 0 : -1;
    int left = wait_left (wait);
    AUTO_FD int dir = open (item->value, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Empty, but busy: the last process is on its way through the kernel. */
    if (left > 0 && dir >= 0 && wait_events (dir, "populated 0", left) == 1)
        return wait_more (wait) ? 0 : -1;
    return left > 0 && dir < 0 ? 0 : -1;
}

/* Where the mount is read-only, rmdir says so also of what was never made (VRB-29). */
static int remove_directory (const char *path)
{
    if (rmdir (path) == 0 || is_gone (errno))
        return 0;
    return errno == EROFS && access (path, F_OK) < 0 && errno == ENOENT ? 0 : -1;
}

static int explain_remove (const struct oci_pair *item, int errnum, bool inside, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const char *path = item->value;
    struct error ignored = {0};
    struct tree tree;

    error_set (err, "RT-CGROUP-REMOVE", errnum, "remove cgroup '%s'", path);
    if (inside)
        return self_hint (err);
    return list_processes (&arena, path, &tree, &ignored) < 0 ? -1 : hint_left (&tree, err);
}

static int remove_one (const struct oci_pair *item, struct wait *wait, struct error *err)
{
    struct error ignored = {0};

    for (;;) {
        if (remove_directory (item->value) == 0)
            return 0;
        int errnum = errno;
        if (errnum == EBUSY && remove_below (item->value) == 0 &&
            remove_directory (item->value) == 0)
            return 0;
        /* Could that not be looked at, it is waited for as for any other. */
        bool inside = errnum == EBUSY && self_is_in (item, &ignored) == 1;
        if (errnum != EBUSY || inside || wait_until_empty (item, wait) < 0)
            return explain_remove (item, errnum, inside, err);
    }
}

int cgroup_remove (const struct oci_map *paths, int timeout_ms, struct error *err)
{
    struct wait wait = wait_begin (timeout_ms);
    struct error first = {0}, later;

    for (size_t i = 0; i < paths->count; i++)
        (void)remove_one (&paths->items[i], &wait, error_is_set (&first) ? &later : &first);
    if (!error_is_set (&first))
        return 0;
    *err = first;
    return -1;
}
