/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v2: directories of the unified hierarchy, with the controllers enabled on the way down
 * (FEATURES CGM-09 to CGM-11).
 *
 * All controllers that a parent has are enabled for its children, not only those with a limit:
 * `unified`, update and stats may want any of them later. A parent that refuses (it holds processes
 * itself, or is not ours) is no error here; the limit that then has no file is one, and says why.
 */
#include "cgroup/hierarchy.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define SPACE " \t\n"

bool word_in_list (const char *list, const char *word)
{
    size_t length = strlen (word);

    for (list += strspn (list, SPACE); *list; list += strspn (list, SPACE)) {
        size_t next = strcspn (list, SPACE);
        if (next == length && memcmp (list, word, length) == 0)
            return true;
        list += next;
    }
    return false;
}

static void enable_one_by_one (int dir, const char *wanted, const char *path)
{
    char word[NAME_MAX + 1];

    for (wanted += strspn (wanted, SPACE); *wanted; wanted += strspn (wanted, SPACE)) {
        size_t length = strcspn (wanted, SPACE);
        (void)snprintf (word, sizeof word, "%.*s", (int)length, wanted);
        if (fd_write_file_at (dir, "cgroup.subtree_control", word) < 0)
            log_debug ("%s: cannot enable %s for children: %s", path, word, error_words (errno));
        wanted += length;
    }
}

static bool has_type (int dir, const char *type)
{
    char text[64];
    size_t length = strlen (type);

    return fd_read_file_at (dir, "cgroup.type", text, sizeof text) > 0 &&
           text_starts_with (text, type) && text[length] == '\n';
}

/* Those that a cgroup with processes of its own can enable for its children, too: and then it is
 * the root of a threaded subtree, which is not what anybody asked for. */
static bool would_become_threaded (int dir, const char *wanted)
{
    char procs[32];

    for (wanted += strspn (wanted, SPACE); *wanted; wanted += strspn (wanted, SPACE)) {
        size_t length = strcspn (wanted, SPACE);
        char word[NAME_MAX + 1];

        (void)snprintf (word, sizeof word, "%.*s", (int)length, wanted);
        if (!word_in_list ("+cpu +cpuset +perf_event +pids", word))
            return false; /* the kernel refuses them all */
        wanted += length;
    }
    return has_type (dir, "domain") &&
           fd_read_file_at (dir, "cgroup.procs", procs, sizeof procs) > 0;
}

static void enable_controllers (int dir, const char *path)
{
    char available[1024], enabled[1024];
    AUTO_TEXT struct text wanted = {0};

    if (fd_read_file_at (dir, "cgroup.controllers", available, sizeof available) <= 0 ||
        fd_read_file_at (dir, "cgroup.subtree_control", enabled, sizeof enabled) < 0)
        return;
    const char *list = available;
    for (list += strspn (list, SPACE); *list; list += strspn (list, SPACE)) {
        size_t length = strcspn (list, SPACE);
        char word[NAME_MAX + 1];

        (void)snprintf (word, sizeof word, "%.*s", (int)length, list);
        if (!word_in_list (enabled, word))
            text_printf (&wanted, "%s+%s", wanted.length ? " " : "", word);
        list += length;
    }
    if (wanted.length == 0)
        return;
    if (would_become_threaded (dir, text_string (&wanted)))
        errno = EBUSY;
    else if (fd_write_file_at (dir, "cgroup.subtree_control", text_string (&wanted)) == 0)
        return;
    int refused = errno; /* which the questions that follow change */
    if (refused == EBUSY && v2_is_delegated (path) && v2_vacate (dir) == 0 &&
        fd_write_file_at (dir, "cgroup.subtree_control", text_string (&wanted)) == 0)
        return;
    if (refused == EBUSY) /* it has processes of its own (CGM-11) */
        log_debug ("%s: cannot enable %s for children: %s", path, text_string (&wanted),
                   error_words (refused));
    else
        enable_one_by_one (dir, text_string (&wanted), path);
}

/* Below a threaded cgroup a new one is of no use before it is threaded itself (CGM-10). */
static int follow_threaded (int dir, const char *path, struct error *err)
{
    if (!has_type (dir, "domain invalid"))
        return 0;
    if (fd_write_file_at (dir, "cgroup.type", "threaded") < 0)
        return error_set (err, "RT-CGROUP-MAKE", errno, "make cgroup '%s' threaded, as its parent",
                          path);
    log_debug ("%s: threaded, as the cgroup above it is", path);
    return 0;
}

int v2_make (const char *path, struct made *made, struct error *err)
{
    size_t at = hierarchy_mount_length ("", path);

    *made = (struct made){0};
    if (strlen (path) >= PATH_MAX)
        return error_set (err, "RT-CGROUP-MAKE", ENAMETOOLONG, "make cgroup '%s'", path);
    AUTO_FREE char *so_far = strdup (path); /* ends before path[at] */
    if (!so_far)
        return error_set (err, "RT-MEMORY", ENOMEM, "make cgroup '%s'", path);
    so_far[at] = '\0';
    AUTO_FD int dir = open (so_far, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_set (err, "RT-CGROUP-MAKE", errno, "open '%s'", so_far);
    while (path[at] == '/') {
        const char *name = so_far + at + 1;

        enable_controllers (dir, so_far);
        so_far[at] = '/';
        at += 1 + strcspn (name, "/");
        so_far[at] = '\0';
        if (fd_mkdir_at (dir, name, 0755) == 0)
            *made = (struct made){made->count + 1, at};
        else if (errno != EEXIST)
            return error_set (err, "RT-CGROUP-MAKE", errno, "make cgroup '%s'", so_far);
        int child = openat (dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (child < 0)
            return error_set (err, "RT-CGROUP-MAKE", errno, "open cgroup '%s'", so_far);
        drop_fd (&dir);
        dir = child;
        if (follow_threaded (dir, so_far, err) < 0)
            return -1;
    }
    return 0;
}

int v2_make_last (const char *path, struct made *made, struct error *err)
{
    *made = (struct made){0};
    if (fd_mkdir_at (AT_FDCWD, path, 0755) == 0)
        *made = (struct made){1, strlen (path)};
    else if (errno == ENOENT)
        return v2_make (path, made, err); /* a systemd that leaves this hierarchy alone */
    else if (errno != EEXIST)
        return error_set (err, "RT-CGROUP-MAKE", errno, "make cgroup '%s'", path);
    return 0;
}

void v2_enable (const char *path)
{
    const char *slash = strrchr (path, '/');
    char above[PATH_MAX];

    (void)snprintf (above, sizeof above, "%.*s", (int)(slash - path), path);
    AUTO_FD int dir = open (above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0)
        enable_controllers (dir, above);
}

int v2_check_fit (const char *path, struct error *err)
{
    char events[256];
    AUTO_FD int dir = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0 || fd_read_file_at (dir, "cgroup.events", events, sizeof events) < 0)
        return error_set (err, "RT-CGROUP-MAKE", errno, "read '%s/cgroup.events'", path);
    if (strstr (events, "populated 1"))
        return error_set (err, "RT-CGROUP-BUSY", 0, "cgroup '%s' already exists and is not empty",
                          path);
    if (strstr (events, "frozen 1"))
        return error_set (err, "RT-CGROUP-FROZEN", 0, "cgroup '%s' already exists and is frozen",
                          path);
    return 0;
}

int v2_explain_missing (const char *path, const char *controller, const char *file,
                        struct error *err)
{
    char list[4096];
    AUTO_FD int dir = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir >= 0 && fd_read_file_at (dir, "cgroup.controllers", list, sizeof list) >= 0 &&
        (word_in_list (list, controller) || text_equal (controller, "cgroup")))
        return error_set (err, "RT-CGROUP-LIMIT", ENOENT,
                          "this kernel's cgroup controller '%s' has no file '%s' in '%s'",
                          controller, file, path);
    error_set (err, "RT-CGROUP-CONTROLLER", 0,
               "cgroup controller '%s' is not available in '%s' ('%s' cannot be written)",
               controller, path, file);
    if (dir >= 0 && has_type (dir, "threaded"))
        return error_hint (err, "it is threaded, as the cgroup above it is: there only threads are "
                                "limited, by cpu, cpuset and pids");
    AUTO_FD int parent = dir < 0 ? -1 : openat (dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return -1;
    if (fd_read_file_at (parent, "cgroup.controllers", list, sizeof list) < 0 ||
        !word_in_list (list, controller))
        return error_hint (err,
                           "it is not delegated to the parent, unknown to this kernel, or used "
                           "by cgroup v1");
    if (fd_read_file_at (parent, "cgroup.procs", list, sizeof list) > 0)
        return error_hint (err, "the parent has processes of its own, so it cannot enable "
                                "controllers for its children");
    return error_hint (err, "the parent's cgroup.subtree_control does not take it");
}
