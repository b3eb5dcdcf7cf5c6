/* SPDX-License-Identifier: Apache-2.0 */
/*
 * freeze: stops and continues all processes of a container (FEATURES CGM-25, CGM-26).
 */
#include "cgroup/hierarchy.h"
#include "cgroup/wait.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "cgroup/tree.h"
#include "kernel/straggler.h"

#include <errno.h>
#include <fcntl.h>

static bool is_gone (int errnum)
{
    return errnum == ENOENT || errnum == ENODEV;
}

static int open_directory (const char *path)
{
    return openat (AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The text of a file of the cgroup: 1, or 0 where the cgroup has no such file or is gone. */
static int read_state (const char *path, const char *file, char *text, size_t size,
                       struct error *err)
{
    AUTO_FD int dir = open_directory (path);

    errno = dir < 0 ? errno : EIO; /* what an empty file leaves */
    if (dir >= 0 && fd_read_file_at (dir, file, text, size) > 0)
        return 1;
    if (errno == ENOENT || errno == ENODEV)
        return 0;
    return error_set (err, "RT-CGROUP-FROZEN", errno, "read '%s/%s'", path, file);
}

int cgroup_frozen (const struct oci_map *paths, struct error *err)
{
    char text[256];
    const char *v1 = cgroup_path_of (paths, "freezer");
    const char *v2 = cgroup_path_of (paths, "");

    if (!v1 && !v2)
        return 0;
    int known = v1 ? read_state (v1, "freezer.state", text, sizeof text, err)
                   : read_state (v2, "cgroup.events", text, sizeof text, err);
    if (known != 1)
        return known;
    return v1 ? !text_starts_with (text, "THAWED") : strstr (text, "frozen 1") != NULL;
}

/* A frozen process sleeps where the freezer has put it. */
static bool is_held_by_freezer (pid_t pid)
{
    AUTO_TEXT struct text words = {0};

    return straggler_describe (pid, &words) && (strstr (text_string (&words), "do_freezer_trap") ||
                                                strstr (text_string (&words), "__refrigerator"));
}

/* errnum: ETIMEDOUT, or what the kernel said. To be called before what was begun is undone. */
static int explain_timeout (const char *path, bool freeze, int timeout_ms, int errnum,
                            struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_FD int dir = open_directory (path);
    AUTO_TEXT struct text left = {0};
    struct tree tree = {0};
    size_t count = 0;

    error_set (err, "RT-CGROUP-FREEZE", errnum, "%s cgroup '%s': waited %g s",
               freeze ? "freeze" : "thaw", path, timeout_ms / 1000.0);
    if (dir < 0 || tree_list (&arena, dir, &tree) < 0 || tree_processes (&arena, dir, &tree) < 0)
        return -1;
    for (size_t i = 0; i < tree.process_count; i++)
        if (is_held_by_freezer (tree.processes[i]) != freeze)
            tree.processes[count++] = tree.processes[i];
    stragglers_describe (tree.processes, count, &left);
    return left.length
               ? error_hint (err, "not %s: %s", freeze ? "frozen" : "thawed", text_string (&left))
               : -1;
}

static int explain_above (const char *path, struct error *err)
{
    error_set (err, "RT-CGROUP-FREEZE", EBUSY, "thaw cgroup '%s'", path);
    return error_hint (err, "a cgroup above it is frozen: thaw that one first");
}

/* 1 yes, 0 no, -1 with errno. */
static int file_says (int dir, const char *file, const char *word)
{
    char text[64];

    return fd_read_file_at (dir, file, text, sizeof text) < 0 ? -1 : text_starts_with (text, word);
}

/* Above the root of the mount there is no such file, nor is there in the root of all. */
static bool v2_is_frozen_above (int dir)
{
    AUTO_FD int above = openat (dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    while (above >= 0 && faccessat (above, "cgroup.freeze", F_OK, 0) == 0) {
        if (file_says (above, "cgroup.freeze", "1") == 1)
            return true;
        int next = openat (above, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        drop_fd (&above);
        above = next;
    }
    return false;
}

/* Its own state in `file`: 1 frozen, 0 not, -1 could not look. A path that is not made yet is not
 * frozen. */
static int is_frozen_itself (const char *path, const char *file)
{
    char text[64];
    AUTO_FD int dir = open_directory (path);

    if (dir < 0)
        return errno == ENOENT ? 0 : -1;
    if (fd_read_file_at (dir, file, text, sizeof text) < 0)
        return errno == ENOENT || errno == ENODEV ? 0 : -1;
    return text[0] == '1';
}

int freeze_check_above (const struct oci_pair *item, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    size_t mount_length = hierarchy_mount_length (item->key, item->value);
    bool v2 = item->key[0] == '\0';
    const char *file = v2 ? "cgroup.freeze" : "freezer.self_freezing";
    char *at = arena_string (&arena, item->value);

    if (!v2 && !hierarchy_has (item->key, "freezer"))
        return 0;
    for (;;) {
        char *slash = strrchr (at, '/');
        if (!slash || (size_t)(slash - at) <= mount_length)
            return 0;
        *slash = '\0';
        int frozen = is_frozen_itself (at, file);
        if (frozen < 0)
            return error_set (err, "RT-CGROUP-FREEZE", errno, "read '%s/%s'", at, file);
        if (frozen == 0)
            continue;
        error_set (err, "RT-CGROUP-FROZEN", 0, "cgroup '%s' is frozen", at);
        return error_hint (err, "the container would be born frozen below it: thaw that one first");
    }
}

static int v2_freeze (const char *path, bool freeze, int timeout_ms, struct error *err)
{
    AUTO_FD int dir = open_directory (path);

    if (dir < 0 || fd_write_file_at (dir, "cgroup.freeze", freeze ? "1" : "0") < 0)
        return error_set (err, "RT-CGROUP-FREEZE", errno, "write '%s/cgroup.freeze'", path);
    if (!freeze && v2_is_frozen_above (dir))
        return explain_above (path, err);
    int reached = wait_events (dir, freeze ? "frozen 1" : "frozen 0", timeout_ms);
    if (reached == 1)
        return 0;
    explain_timeout (path, freeze, timeout_ms, reached < 0 ? errno : ETIMEDOUT, err);
    if (freeze)
        (void)fd_write_file_at (dir, "cgroup.freeze", "0");
    return -1;
}

/* The v1 freezer can hang half way: a process that waits for a frozen one (vfork, ptrace) does not
 * reach the place where it would freeze. Thawing for a moment lets it go on. */
static int v1_freeze (const char *path, bool freeze, int timeout_ms, struct error *err)
{
    const char *wanted = freeze ? "FROZEN" : "THAWED";
    AUTO_FD int dir = open_directory (path);
    struct wait wait = wait_begin (timeout_ms);

    if (dir < 0)
        return error_set (err, "RT-CGROUP-FREEZE", errno, "open cgroup '%s'", path);
    for (unsigned round = 1;; round++) {
        int there = fd_write_file_at (dir, "freezer.state", wanted) < 0
                        ? -1
                        : file_says (dir, "freezer.state", wanted);
        if (there > 0)
            return 0;
        if (there < 0) {
            error_set (err, "RT-CGROUP-FREEZE", errno, "write '%s/freezer.state'", path);
            break;
        }
        if (!freeze && file_says (dir, "freezer.parent_freezing", "1") == 1)
            return explain_above (path, err);
        if (freeze && round % 32 == 0)
            (void)fd_write_file_at (dir, "freezer.state", "THAWED");
        if (!wait_more (&wait)) {
            explain_timeout (path, freeze, timeout_ms, ETIMEDOUT, err);
            break;
        }
    }
    if (freeze)
        (void)fd_write_file_at (dir, "freezer.state", "THAWED");
    return -1;
}

int freeze_within (const struct oci_map *paths, bool freeze, int timeout_ms, struct error *err)
{
    const char *v1 = cgroup_path_of (paths, "freezer");
    const char *v2 = cgroup_path_of (paths, "");

    if (freeze && cgroup_check_freezable (paths, err) < 0)
        return -1;
    if (v1)
        return v1_freeze (v1, freeze, timeout_ms, err);
    if (v2)
        return v2_freeze (v2, freeze, timeout_ms, err);
    return error_set (err, "RT-CGROUP-FREEZE", 0,
                      "the container has no cgroup with a freezer, so it cannot be paused");
}

int cgroup_freeze (const struct oci_map *paths, bool freeze, struct error *err)
{
    return freeze_within (paths, freeze, patience_ms (), err);
}

int thaw_again (const struct oci_map *paths, struct error *err)
{
    struct error failure = {0};
    int failed = freeze_within (paths, false, patience_ms (), &failure);

    /* What rt has frozen must not stay so for an error that passes. */
    if (failed && !is_gone (failure.errnum) && failure.errnum != ETIMEDOUT)
        failed = freeze_within (paths, false, patience_ms (), &failure);
    if (!failed || is_gone (failure.errnum))
        return 0;
    *err = failure;
    return -1;
}

int thaw_killed (const struct oci_map *paths, struct error *err)
{
    const char *v2 = cgroup_path_of (paths, "");

    if (!cgroup_path_of (paths, "freezer")) {
        AUTO_FD int dir = v2 ? open_directory (v2) : -1;
        if (dir >= 0) /* they die anyway, but who comes next would find itself frozen */
            (void)fd_write_file_at (dir, "cgroup.freeze", "0");
        return 0;
    }
    return thaw_again (paths, err);
}

int cgroup_let_die (const struct oci_map *paths, struct error *err)
{
    int frozen = cgroup_frozen (paths, err);

    return frozen == 1 ? thaw_killed (paths, err) : frozen;
}
