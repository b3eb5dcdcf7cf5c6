/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree: a cgroup with all below it. Private to cgroup/.
 *
 * What lies below may have been made by the container, to any depth: nothing here needs a
 * descriptor for each level, or a path for each directory. Time and memory go with the number of
 * directories, and no call takes longer than other waits (base/patience.h): ETIMEDOUT.
 */
#ifndef RT_CGROUP_TREE_H
#define RT_CGROUP_TREE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tree_node {
    const char *name;
    size_t parent;
    size_t first, count; /* its children */
    size_t visited;      /* of a walk: how many of them */
};

struct tree {
    struct tree_node *nodes; /* the first is the root */
    size_t count;
    size_t room;
    pid_t *processes;
    pid_t *threads; /* of each process the one by which it was found; NULL: not by threads */
    size_t process_count;
    size_t unseen; /* processes, or threads, that the pid namespace of rt does not see (v2) */
};

/* All directories. Those that vanish meanwhile are left out (FEATURES CGM-17). 0 or -1 with errno.
 */
int tree_list (struct arena *arena, int root, struct tree *tree);

/* All processes in the directories that tree_list () found. 0 or -1 with errno. */
int tree_processes (struct arena *arena, int root, struct tree *tree);

/* The processes of one directory, added to those of `tree`; `threads`: found by its threads, as a
 * threaded cgroup does not tell its processes. 0, also where it is gone, or -1 with errno:
 * EOPNOTSUPP, it is threaded. */
int tree_processes_at (struct arena *arena, int dir, bool threads, struct tree *tree);

/* Calls `enter` for each directory that tree_list () found and that is still there; `node` 0 is the
 * root. It ends where that says -1. 0 or -1 with errno. */
int tree_visit (int root, struct tree *tree, int (*enter) (void *context, size_t node, int dir),
                void *context);

/* Removes all directories below the root, deepest first. 0 or -1 with errno (EBUSY: processes). */
int tree_prune (int root, struct tree *tree);

#endif
