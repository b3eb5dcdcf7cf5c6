/* SPDX-License-Identifier: Apache-2.0 */
/* stats: see stats.h. */
#include "cgroup/stats.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "cgroup/hierarchy.h"
#include "cgroup/stats_parse.h"

#include <dirent.h>
#include <fcntl.h>

#define STATS_FILE_MAX (1u << 20)

/* A cgroup or a file that is not there, goes away just now, or that this kernel has but does not
 * serve (pressure with psi=0). */
static bool is_absent (int errnum)
{
    return errnum == ENOENT || errnum == ENODEV || errnum == EOPNOTSUPP;
}

/* 1 and the text (to be freed), 0 absent, -1. */
static int read_file (int dir, const char *path, const char *name, char **text, struct error *err)
{
    AUTO_FD int fd = openat (dir, name, O_RDONLY | O_CLOEXEC);
    struct error failure = {0};

    if (fd < 0 && is_absent (errno))
        return 0;
    if (fd < 0)
        return error_set (err, "RT-CGROUP-STATS", errno, "open '%s/%s'", path, name);
    *text = fd_read_all (fd, STATS_FILE_MAX, NULL, name, &failure);
    if (*text)
        return 1;
    if (is_absent (failure.errnum))
        return 0;
    return error_set (err, "RT-CGROUP-STATS", failure.errnum, "read '%s/%s'", path, name);
}

static int open_directory (const char *path, struct error *err)
{
    int dir = path ? open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (path && dir < 0 && !is_absent (errno))
        return error_set (err, "RT-CGROUP-STATS", errno, "open cgroup '%s'", path);
    return dir;
}

static int read_files (struct arena *arena, const struct stats_files *files,
                       const struct oci_map *paths, struct cgroup_stats *stats, struct error *err)
{
    AUTO_FD int dir = -1;
    const char *controller = NULL, *path = NULL;

    for (size_t i = 0; i < files->count; i++) {
        const struct stats_file *file = &files->items[i];
        if (!controller || !text_equal (controller, file->controller)) {
            controller = file->controller;
            path = cgroup_path_of (paths, controller);
            drop_fd (&dir);
            struct error failure = {0};
            dir = open_directory (path, &failure);
            if (error_is_set (&failure)) {
                *err = failure;
                return -1;
            }
        }
        if (dir < 0)
            continue;
        AUTO_FREE char *text = NULL;
        int found = read_file (dir, path, file->name, &text, err);
        if (found < 0 || (found > 0 && stats_parse_file (arena, file, path, text, stats, err) < 0))
            return -1;
        if (found > 0 && text_equal (file->name, "pids.current"))
            stats->pids_counted = true;
    }
    return 0;
}

/* One number of a page size: of its reservations (Linux 5.7), which are what the limit is about
 * where there are any, else of its pages. */
static int read_hugetlb (struct arena *arena, int dir, const char *path, const char *size,
                         const char *what, uint64_t *value, struct error *err)
{
    static const char *const parts[] = {".rsvd", ""};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        AUTO_FREE char *text = NULL;
        const char *name = arena_printf (arena, "hugetlb.%s%s%s", size, parts[i], what);
        int found = read_file (dir, path, name, &text, err);
        if (found < 0)
            return -1;
        if (found == 0)
            continue;
        if ((text_equal (what, ".events") ? stats_find (text, "max", value)
                                          : stats_parse_number (arena, text, value)) < 0)
            return error_set (err, "RT-CGROUP-STATS", 0, "'%s/%s' has no number", path, name);
        return 0;
    }
    return 0;
}

/* The page size of "hugetlb.2MB.current"; NULL: another file. */
static const char *page_size (struct arena *arena, const char *name, const char *usage)
{
    size_t start = strlen ("hugetlb.");

    if (!text_starts_with (name, "hugetlb."))
        return NULL;
    size_t length = strcspn (name + start, ".");
    return length > 0 && text_equal (name + start + length, usage)
               ? arena_copy (arena, name + start, length)
               : NULL;
}

static int by_size (const void *a, const void *b)
{
    return strcmp (((const struct stats_hugetlb *)a)->size,
                   ((const struct stats_hugetlb *)b)->size);
}

static int read_hugetlbs (struct arena *arena, const struct stats_files *files,
                          const struct oci_map *paths, struct stats_hugetlbs *list,
                          struct error *err)
{
    const char *path = cgroup_path_of (paths, files->hugetlb);
    AUTO_DIR DIR *stream = path ? opendir (path) : NULL;
    struct stats_hugetlb *items = arena_array (arena, 16, sizeof *items);
    size_t count = 0;
    struct dirent *entry;

    while (stream && (entry = readdir (stream)) && count < 16) {
        const char *size = page_size (arena, entry->d_name, files->usage);
        struct stats_hugetlb *item = &items[count];
        int dir = dirfd (stream);
        if (!size)
            continue;
        item->size = size;
        if (read_hugetlb (arena, dir, path, size, files->usage, &item->usage, err) < 0 ||
            (*files->max &&
             read_hugetlb (arena, dir, path, size, files->max, &item->max, err) < 0) ||
            read_hugetlb (arena, dir, path, size, files->failures, &item->failcnt, err) < 0)
            return -1;
        count++;
    }
    if (count == 0)
        return 0;
    qsort (items, count, sizeof *items, by_size);
    *list = (struct stats_hugetlbs){items, count};
    return 0;
}

int cgroup_stats_read (struct arena *arena, const struct oci_map *paths, struct cgroup_stats *stats,
                       struct error *err)
{
    struct cgroup_stats found = {0};
    pid_t *pids;
    size_t count;

    /* What both know on a hybrid host, v1 knows in more detail. */
    if (read_files (arena, &stats_files_v2, paths, &found, err) < 0 ||
        read_files (arena, &stats_files_v1, paths, &found, err) < 0 ||
        read_hugetlbs (arena, &stats_files_v2, paths, &found.hugetlb, err) < 0 ||
        read_hugetlbs (arena, &stats_files_v1, paths, &found.hugetlb, err) < 0)
        return -1;
    stats_complete (&found, !cgroup_path_of (paths, "memory"));
    if (!found.pids_counted) {
        if (cgroup_processes (arena, paths, &pids, &count, err) < 0)
            return -1;
        found.pids_current = count;
    }
    *stats = found;
    return 0;
}
