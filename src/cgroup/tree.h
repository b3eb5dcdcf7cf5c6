/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree: a cgroup with all below it. Private to cgroup/.
 *
 * What lies below may have been made by the container, to any depth: nothing here needs a
 * descriptor for each level, and no path is longer than what one call takes.
 */
#ifndef RT_CGROUP_TREE_H
#define RT_CGROUP_TREE_H

#include "base/arena.h"

#include <stddef.h>
#include <sys/types.h>

struct tree {
    char **paths; /* relative to the root; parents before children; the first is "" */
    size_t count;
    pid_t *processes;
    size_t process_count;
};

/* All directories. Those that vanish meanwhile are left out (FEATURES CGM-17). 0 or -1 with errno.
 */
int tree_list (struct arena *arena, int root, struct tree *tree);

/* All processes in the directories that tree_list () found. 0 or -1 with errno. */
int tree_processes (struct arena *arena, int root, struct tree *tree);

/* Removes all directories below the root, deepest first. 0 or -1 with errno (EBUSY: processes). */
int tree_prune (int root, const struct tree *tree);

#endif
