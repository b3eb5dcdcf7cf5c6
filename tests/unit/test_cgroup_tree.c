/* SPDX-License-Identifier: Apache-2.0 */
/* tree: cgroups to any depth and width, as a container may have made them; on plain directories. */
#include "cgroup/tree.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_SIZE = 64, NAME_LENGTH = 250, MEMORY_MAX = 64 << 20, DESCRIPTORS_MAX = 32 };

/* `path` has PATH_SIZE bytes. In memory where there is such a place: on a disk each of thousands of
 * directories is put far from the one before, and that takes minutes. */
static int make_root (char *path)
{
    bool memory = access ("/dev/shm", W_OK) == 0;

    (void)snprintf (path, PATH_SIZE, "%s/rt-tree.XXXXXX", memory ? "/dev/shm" : "/tmp");
    assert_non_null (mkdtemp (path));
    int root = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true (root >= 0);
    return root;
}

static void put_process (int dir, const char *text)
{
    AUTO_FD int file = openat (dir, "cgroup.procs", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true (file >= 0);
    assert_int_equal (write (file, text, strlen (text)), strlen (text));
}

static void make_deep (int root, size_t depth)
{
    char name[NAME_LENGTH + 1];
    AUTO_FD int dir = dup (root);

    memset (name, 'a', NAME_LENGTH);
    name[NAME_LENGTH] = '\0';
    for (size_t i = 0; i < depth; i++) {
        assert_int_equal (mkdirat (dir, name, 0700), 0);
        int next = openat (dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true (next >= 0);
        drop_fd (&dir);
        dir = next;
    }
}

/* Paths of 3000 levels would be 1.1 GB; a descriptor for each would be too many. */
static void depth_costs_little (void **state)
{
    enum { DEPTH = 3000 };
    char path[PATH_SIZE];
    struct rlimit memory, files;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct tree tree;

    (void)state;
    AUTO_FD int root = make_root (path);
    make_deep (root, DEPTH);
    assert_int_equal (getrlimit (RLIMIT_DATA, &memory), 0);
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &files), 0);
#if defined __SANITIZE_ADDRESS__
    const struct rlimit little = memory; /* its own memory is far more */
#else
    const struct rlimit little = {MEMORY_MAX, memory.rlim_max};
#endif
    const struct rlimit few = {DESCRIPTORS_MAX, files.rlim_max};
    assert_int_equal (setrlimit (RLIMIT_DATA, &little), 0);
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &few), 0);
    int listed = tree_list (&arena, root, &tree);
    int pruned = listed == 0 ? tree_prune (root, &tree) : -1;
    assert_int_equal (setrlimit (RLIMIT_DATA, &memory), 0);
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &files), 0);
    assert_int_equal (listed, 0);
    assert_int_equal (tree.count, DEPTH + 1);
    assert_int_equal (pruned, 0);
    assert_int_equal (rmdir (path), 0);
}

static int compare_pids (const void *a, const void *b)
{
    return *(const pid_t *)a - *(const pid_t *)b;
}

static void every_directory_is_seen_once (void **state)
{
    static const char *const names[] = {"a", "a/x", "a/x/y", "a/z", "b", "c", "c/d"};
    enum { COUNT = sizeof names / sizeof names[0] };
    char path[PATH_SIZE], text[16];
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct tree tree;

    (void)state;
    AUTO_FD int root = make_root (path);
    put_process (root, "1\n");
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal (mkdirat (root, names[i], 0700), 0);
        AUTO_FD int dir = openat (root, names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        (void)snprintf (text, sizeof text, "%d\n", i + 2);
        put_process (dir, text);
    }
    assert_int_equal (tree_list (&arena, root, &tree), 0);
    assert_int_equal (tree.count, COUNT + 1);
    assert_int_equal (tree_processes (&arena, root, &tree), 0);
    assert_int_equal (tree.process_count, COUNT + 1);
    qsort (tree.processes, tree.process_count, sizeof *tree.processes, compare_pids);
    for (int i = 0; i <= COUNT; i++)
        assert_int_equal (tree.processes[i], i + 1);

    /* What is gone meanwhile is left out, with all below it. */
    assert_int_equal (unlinkat (root, "a/x/y/cgroup.procs", 0), 0);
    assert_int_equal (unlinkat (root, "a/x/y", AT_REMOVEDIR), 0);
    assert_int_equal (unlinkat (root, "b/cgroup.procs", 0), 0);
    assert_int_equal (unlinkat (root, "b", AT_REMOVEDIR), 0);
    assert_int_equal (tree_processes (&arena, root, &tree), 0);
    assert_int_equal (tree.process_count, COUNT - 1);

    /* A directory that is not empty stays, and is told. */
    assert_int_equal (tree_prune (root, &tree), -1);
    assert_int_equal (errno, ENOTEMPTY);
    for (int i = COUNT; i-- > 0;) {
        (void)snprintf (text, sizeof text, "%s", names[i]);
        AUTO_FD int dir = openat (root, text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir >= 0)
            assert_int_equal (unlinkat (dir, "cgroup.procs", 0), 0);
    }
    assert_int_equal (unlinkat (root, "cgroup.procs", 0), 0);
    assert_int_equal (tree_prune (root, &tree), 0);
    assert_int_equal (rmdir (path), 0);
}

/* A link to elsewhere is no directory of the tree. */
static void links_are_not_followed (void **state)
{
    char path[PATH_SIZE];
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct tree tree;

    (void)state;
    AUTO_FD int root = make_root (path);
    assert_int_equal (mkdirat (root, "a", 0700), 0);
    assert_int_equal (tree_list (&arena, root, &tree), 0);
    assert_int_equal (unlinkat (root, "a", AT_REMOVEDIR), 0);
    assert_int_equal (symlinkat ("/etc", root, "a"), 0);
    assert_int_equal (tree_processes (&arena, root, &tree), -1);
    assert_int_equal (errno, ENOTDIR);
    assert_int_equal (unlinkat (root, "a", 0), 0);
    assert_int_equal (rmdir (path), 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (depth_costs_little),
        cmocka_unit_test (every_directory_is_seen_once),
        cmocka_unit_test (links_are_not_followed),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
