/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree: walks depth first, with one descriptor: down by a name, up by "..", which leads to where it
 * came from, as the kernel moves no cgroup to another parent.
 */
#include "cgroup/tree.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/patience.h"
#include "base/text.h"
#include "kernel/procfd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define TGID "\nTgid:\t"

enum { PROCS_SIZE_MAX = 64 * 1024 * 1024 };

/* What is done at each directory. 0, or -1 with errno. */
struct visit {
    struct arena *arena;
    bool threads; /* tree_processes: the tree is threaded, and tells its threads only */
    /* on the way down, in the directory itself; NULL = nothing */
    int (*enter) (struct visit *visit, struct tree *tree, size_t node, int dir);
    /* on the way up, in its parent; NULL = nothing. Not for the root. */
    int (*leave) (const char *name, int parent);
    /* of tree_visit () */
    int (*caller) (void *context, size_t node, int dir);
    void *context;
};

static bool is_gone (int errnum)
{
    return errnum == ENOENT || errnum == ENODEV;
}

static int open_directory_at (int dir, const char *name)
{
    return openat (dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* To the next child that is still there: 1 with *at and *dir changed, 0 there is none, or -1. */
static int go_down (struct tree *tree, size_t *at, int *dir)
{
    while (tree->nodes[*at].visited < tree->nodes[*at].count) {
        size_t child = tree->nodes[*at].first + tree->nodes[*at].visited++;
        int next = open_directory_at (*dir, tree->nodes[child].name);
        if (next < 0 && is_gone (errno))
            continue;
        if (next < 0)
            return -1;
        drop_fd (dir);
        *dir = next;
        *at = child;
        tree->nodes[child].visited = 0;
        return 1;
    }
    return 0;
}

static int go_up (const struct visit *visit, const struct tree *tree, size_t *at, int *dir)
{
    int parent = open_directory_at (*dir, "..");

    if (parent < 0)
        return -1;
    drop_fd (dir);
    *dir = parent;
    const char *name = tree->nodes[*at].name;
    *at = tree->nodes[*at].parent;
    return visit->leave ? visit->leave (name, parent) : 0;
}

enum { WALK_MS_MIN = 1000 }; /* after a timeout: the list is for the text of its error */

/* The container makes the tree as large as it likes: it takes no longer than any other wait. */
static int walk (struct visit *visit, struct tree *tree, int root)
{
    int left = patience_ms ();
    const struct wait wait = wait_begin (left < WALK_MS_MIN ? WALK_MS_MIN : left);
    AUTO_FD int dir = open_directory_at (root, ".");
    size_t at = 0;

    if (dir < 0)
        return is_gone (errno) ? 0 : -1;
    tree->nodes[0].visited = 0;
    for (bool entered = true;;) {
        if (wait_left (&wait) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (entered && visit->enter && visit->enter (visit, tree, at, dir) < 0)
            return -1;
        int went = go_down (tree, &at, &dir);
        if (went == 0 && at == 0)
            return 0;
        if (went < 0 || (went == 0 && go_up (visit, tree, &at, &dir) < 0))
            return -1;
        entered = went > 0;
    }
}

/* Its children follow each other. */
static void add_node (struct arena *arena, struct tree *tree, size_t parent, const char *name)
{
    if (tree->count == tree->room) {
        size_t room = tree->room ? tree->room * 2 : 16;
        struct tree_node *wider = arena_array (arena, room, sizeof *wider);
        if (tree->count)
            memcpy (wider, tree->nodes, tree->count * sizeof *wider);
        tree->nodes = wider;
        tree->room = room;
    }
    tree->nodes[tree->count++] =
        (struct tree_node){.name = arena_string (arena, name), .parent = parent};
}

static int list_children (struct visit *visit, struct tree *tree, size_t node, int dir)
{
    AUTO_FD int fd = fcntl (dir, F_DUPFD_CLOEXEC, 3);
    AUTO_DIR DIR *list = fd < 0 ? NULL : fdopendir (fd);
    struct dirent *entry;
    size_t first = tree->count;

    if (!list)
        return -1;
    (void)take_fd (&fd);
    for (errno = 0; (entry = readdir (list)) != NULL; errno = 0) {
        if (entry->d_type != DT_DIR || text_equal (entry->d_name, ".") ||
            text_equal (entry->d_name, ".."))
            continue;
        add_node (visit->arena, tree, node, entry->d_name);
    }
    tree->nodes[node].first = first;
    tree->nodes[node].count = tree->count - first;
    return errno && !is_gone (errno) ? -1 : 0;
}

int tree_list (struct arena *arena, int root, struct tree *tree)
{
    struct visit visit = {.arena = arena, .enter = list_children};
    struct tree found = {0};

    add_node (arena, &found, 0, "");
    if (walk (&visit, &found, root) < 0)
        return -1;
    *tree = found;
    return 0;
}

static pid_t *add_number (struct arena *arena, pid_t *list, size_t count, pid_t number)
{
    if ((count & (count - 1)) == 0) {
        pid_t *wider = arena_array (arena, count ? count * 2 : 1, sizeof *wider);
        if (count)
            memcpy (wider, list, count * sizeof *wider);
        list = wider;
    }
    list[count] = number;
    return list;
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

    if (text_to_uint64 (line, INT32_MAX, &number) < 0)
        return;
    if (number == 0) {
        tree->unseen++;
        return;
    }
    pid_t pid = threads ? process_of ((pid_t)number) : (pid_t)number;
    if (pid <= 0 || (threads && has_process (tree, pid)))
        return;
    tree->processes = add_number (arena, tree->processes, tree->process_count, pid);
    if (threads)
        tree->threads = add_number (arena, tree->threads, tree->process_count, (pid_t)number);
    tree->process_count++;
}

int tree_processes_at (struct arena *arena, int dir, bool threads, struct tree *tree)
{
    const char *name = threads ? "cgroup.threads" : "cgroup.procs";
    struct error ignored = {0};
    AUTO_FD int fd = openat (dir, name, O_RDONLY | O_CLOEXEC);
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
static int visit_processes (struct visit *visit, struct tree *tree, size_t node, int dir)
{
    int result = tree_processes_at (visit->arena, dir, visit->threads, tree);

    if (result < 0 && errno == EOPNOTSUPP && node == 0) {
        visit->threads = true;
        result = tree_processes_at (visit->arena, dir, true, tree);
    }
    return result < 0 && errno != EOPNOTSUPP ? -1 : 0;
}

int tree_processes (struct arena *arena, int root, struct tree *tree)
{
    struct visit visit = {.arena = arena, .enter = visit_processes};

    tree->process_count = 0;
    tree->unseen = 0;
    return walk (&visit, tree, root);
}

static int call_caller (struct visit *visit, struct tree *tree, size_t node, int dir)
{
    (void)tree;
    return visit->caller (visit->context, node, dir);
}

int tree_visit (int root, struct tree *tree, int (*enter) (void *context, size_t node, int dir),
                void *context)
{
    struct visit visit = {.enter = call_caller, .caller = enter, .context = context};

    return walk (&visit, tree, root);
}

static int remove_child (const char *name, int parent)
{
    return unlinkat (parent, name, AT_REMOVEDIR) < 0 && !is_gone (errno) ? -1 : 0;
}

int tree_prune (int root, struct tree *tree)
{
    struct visit visit = {.leave = remove_child};

    return walk (&visit, tree, root);
}
