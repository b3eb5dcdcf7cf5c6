/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply: writes knobs, and looks whether they hold.
 */
#include "cgroup/apply.h"
#include "cgroup/devices.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>

/* One line for each device of the host, at most. */
#define SHOWN_MAX (1024 * 1024)

void directories_close (struct directories *directories)
{
    for (size_t i = 0; i < CGROUP_HIERARCHIES_MAX; i++)
        cleanup_fd (&directories->fds[i]);
}

void directories_init (struct directories *directories, const struct oci_map *paths)
{
    directories->paths = paths;
    for (size_t i = 0; i < CGROUP_HIERARCHIES_MAX; i++)
        directories->fds[i] = -1;
}

/* The place in the map of the hierarchy that takes the knob: v1's for its controller, else v2's. */
static int directory_for (struct directories *directories, const struct knob *knob,
                          const struct oci_pair **item)
{
    const struct oci_map *paths = directories->paths;
    size_t chosen = paths->count;

    for (size_t i = 0; i < paths->count && i < CGROUP_HIERARCHIES_MAX; i++) {
        if (hierarchy_has (paths->items[i].key, knob->controller)) {
            chosen = i;
            break;
        }
        if (paths->items[i].key[0] == '\0')
            chosen = i;
    }
    if (chosen == paths->count) {
        errno = ENODEV;
        return -1;
    }
    *item = &paths->items[chosen];
    if (directories->fds[chosen] < 0)
        directories->fds[chosen] = open ((*item)->value, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directories->fds[chosen];
}

/* What is behind the first word changes, the first word stays ("max 100000" of cpu.max). */
static int keep_first_word (int fd, const char *rest, char *value, size_t size)
{
    char now[256];
    ssize_t length = pread (fd, now, sizeof now - 1, 0);

    if (length < 0)
        return -1;
    now[length] = '\0';
    (void)snprintf (value, size, "%.*s %s", (int)strcspn (now, " \n"), now, rest);
    return 0;
}

enum written { WRITTEN, ABSENT, OUT_OF_ORDER, FAILED };

static enum written write_knob (struct directories *directories, struct knob *knob,
                                struct error *err)
{
    const struct oci_pair *item = NULL;
    bool reads = knob->check != KNOB_ANY || (knob->flags & KNOB_AFTER_FIRST);
    int dir = directory_for (directories, knob, &item);
    const char *value = knob->value;
    char kept[256];

    if (dir < 0 && !item) {
        error_set (err, "RT-CGROUP-CONTROLLER", 0,
                   "cgroup controller '%s' is not available on this host", knob->controller);
        error_at (err, "%s", knob->pointer);
        return FAILED;
    }
    if (dir < 0) {
        error_set (err, "RT-CGROUP-LIMIT", errno, "open cgroup '%s'", item->value);
        error_at (err, "%s", knob->pointer);
        return FAILED;
    }
    const char *file = knob->file;
    int mode = reads ? O_RDWR : O_WRONLY;
    AUTO_FD int fd = openat (dir, file, mode | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && item->key[0] && text_starts_with (file, "cpuset.")) {
        file += strlen ("cpuset."); /* mounted with `noprefix`, as Android does */
        fd = openat (dir, file, mode | O_CLOEXEC);
    }
    if (fd < 0 && errno == ENOENT) {
        if (knob->flags & (KNOB_OPTIONAL | KNOB_OR_NEXT))
            return ABSENT;
        knob_explain_missing (item, knob, err);
        return FAILED;
    }
    if (fd >= 0 && (knob->flags & KNOB_AFTER_FIRST) &&
        keep_first_word (fd, knob->value, kept, sizeof kept) == 0)
        value = kept;
    if (fd < 0 || fd_write_all (fd, value, strlen (value)) < 0) {
        if (fd >= 0 && errno == EOPNOTSUPP && (knob->flags & KNOB_MAY_BE_GONE)) {
            log_warning ("%s: this kernel has no such limit any more, '%s' is left out",
                         knob->pointer, file);
            return ABSENT;
        }
        bool out_of_order = errno == EINVAL && (knob->flags & KNOB_ANY_ORDER);
        knob_explain_write (dir, item, knob, errno, err);
        return out_of_order ? OUT_OF_ORDER : FAILED;
    }
    knob->taken = true;
    return knob_read_back (dir, fd, item->value, file, knob, value, err) < 0 ? FAILED : WRITTEN;
}

/* Knobs that depend on each other: those that the kernel refuses now are tried again as long as
 * another one of the group succeeds. */
static int write_group (struct directories *directories, struct knob *knobs, size_t count,
                        struct error *err)
{
    size_t left = count;
    uint32_t done = 0; /* a group has four at most */

    while (left > 0) {
        size_t before = left;
        for (size_t i = 0; i < count; i++) {
            if (done & (1U << i))
                continue;
            enum written result = write_knob (directories, &knobs[i], err);
            if (result == FAILED)
                return -1;
            if (result == OUT_OF_ORDER)
                continue;
            done |= 1U << i;
            left--;
        }
        if (left == before)
            return -1; /* err is filled by the last attempt */
    }
    return 0;
}

int knobs_check_usage (struct directories *directories, const struct knobs *knobs,
                       struct error *err)
{
    char text[64];
    uint64_t usage, limit;

    for (size_t i = 0; i < knobs->count; i++) {
        const struct knob *knob = &knobs->items[i];
        const struct oci_pair *item;

        if (!(knob->flags & KNOB_ABOVE_USAGE) ||
            text_to_uint64 (knob->value, UINT64_MAX, &limit) < 0)
            continue;
        int dir = directory_for (directories, knob, &item);
        const char *file =
            text_equal (knob->file, "memory.max") ? "memory.current" : "memory.usage_in_bytes";
        if (dir < 0 || fd_read_file_at (dir, file, text, sizeof text) <= 0)
            continue; /* the write will say what is wrong */
        text[strcspn (text, "\n")] = '\0';
        if (text_to_uint64 (text, UINT64_MAX, &usage) < 0 || usage < limit)
            continue;
        error_set (err, "RT-CGROUP-USAGE", 0,
                   "rejecting memory limit %s: the container uses %s bytes already", knob->value,
                   text);
        return error_at (err, "%s", knob->pointer);
    }
    return 0;
}

size_t knobs_group (const struct knobs *knobs, size_t first)
{
    size_t end = first;

    while (end < knobs->count && (knobs->items[end].flags & KNOB_ANY_ORDER) &&
           text_equal (knobs->items[end].controller, knobs->items[first].controller))
        end++;
    return end - first;
}

static int write_all (struct directories *directories, struct knobs *knobs, struct error *err)
{
    for (size_t i = 0; i < knobs->count;) {
        struct knob *knob = &knobs->items[i];
        size_t group = knobs_group (knobs, i);

        if (group > 0) {
            if (write_group (directories, knob, group, err) < 0)
                return -1;
            i += group;
            continue;
        }
        enum written result = write_knob (directories, knob, err);
        if (result == FAILED)
            return -1;
        i += (knob->flags & KNOB_OR_NEXT) && result == WRITTEN ? 2 : 1;
    }
    return 0;
}

int knobs_write (struct directories *directories, struct knobs *knobs, struct error *err)
{
    struct error inner = {0}; /* attempts that succeed later leave their words in it */

    if (write_all (directories, knobs, &inner) == 0)
        return 0;
    *err = inner;
    return -1;
}

char *knob_read (struct directories *directories, const struct knob *knob, const char *file)
{
    struct error ignored = {0};
    const struct oci_pair *item;
    size_t length;
    int dir = directory_for (directories, knob, &item);
    AUTO_FD int fd = dir < 0 ? -1 : openat (dir, file, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && dir >= 0 && text_starts_with (file, "cpuset.")) /* as in write_knob */
        fd = openat (dir, file + strlen ("cpuset."), O_RDONLY | O_CLOEXEC);
    return fd < 0 ? NULL : fd_read_all (fd, SHOWN_MAX, &length, file, &ignored);
}

int knobs_decide (const struct oci_map *paths, const struct oci_resources *resources,
                  struct knobs *knobs, struct error *err)
{
    if (knobs_for (paths, resources, knobs, err) < 0)
        return -1;
    if (paths->count > 0 || knobs->count == 0)
        return 0;
    error_set (err, "RT-CGROUP-NONE", 0, "the container has no cgroup that could limit it");
    error_at (err, "%s", knobs->items[0].pointer);
    return error_hint (err, "cgroups are switched off, or not delegated to the user");
}

bool cgroup_limits_first (const struct oci_map *paths)
{
    return cgroup_path_of (paths, "devices") != NULL;
}

int cgroup_limit (const struct oci_map *paths, const struct oci_resources *resources,
                  bool in_userns, struct error *err)
{
    AUTO_DIRECTORIES struct directories directories;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct knobs knobs = {.arena = &arena};

    directories_init (&directories, paths);
    if (knobs_decide (paths, resources, &knobs, err) < 0 ||
        knobs_check_usage (&directories, &knobs, err) < 0 ||
        knobs_write (&directories, &knobs, err) < 0)
        return -1;
    return paths->count ? cgroup_devices_apply (paths, resources, in_userns, err) : 0;
}
