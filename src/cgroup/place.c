/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place: makes a container's directories, all or none.
 */
#include "cgroup/hierarchy.h"
#include "cgroup/knob.h"
#include "cgroup/wait.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { MAKE_TIMEOUT_MS = 500 };

bool request_forgives (const struct cgroup_request *request)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct knobs knobs = {.arena = &arena};
    struct error ignored = {0};
    const struct oci_map none = {0};

    return request->rootless &&
           (!request->cgroups_path || request->driver == CGROUP_DRIVER_SYSTEMD) &&
           knobs_for (&none, request->resources, &knobs, &ignored) == 0 && knobs.count == 0;
}

static bool is_permission (int errnum)
{
    return errnum == EACCES || errnum == EPERM || errnum == EROFS;
}

static void unmake (const char *path, struct made made)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    char *copy = arena_copy (&arena, path, made.length);

    for (; made.count > 0 && rmdir (copy) == 0; made.count--)
        *strrchr (copy, '/') = '\0';
}

static int check_fit (const struct oci_pair *item, struct error *err)
{
    return item->key[0] == '\0' ? v2_check_fit (item->value, err)
                                : v1_check_fit (item->key, item->value, err);
}

/* A directory above it may be removed by somebody else between two steps: an engine or systemd that
 * tidies up, or another rt that fails. */
static int make_directory (const struct oci_pair *item, bool last_only, struct made *made,
                           struct error *err)
{
    int (*make_v2) (const char *, struct made *, struct error *) =
        last_only ? v2_make_last : v2_make;
    struct wait wait = wait_begin (MAKE_TIMEOUT_MS);

    for (;;) {
        struct error failure = {0};
        if ((item->key[0] == '\0' ? make_v2 (item->value, made, &failure)
                                  : v1_make (item->key, item->value, made, &failure)) == 0)
            return 0;
        bool vanished = failure.errnum == ENOENT || failure.errnum == ENODEV;
        if (!vanished || !wait_more (&wait)) {
            *err = failure;
            return -1;
        }
        unmake (item->value, *made);
    }
}

static int make (const struct oci_pair *item, enum cgroup_driver driver, struct made *made,
                 struct error *err)
{
    bool systemd = driver == CGROUP_DRIVER_SYSTEMD;
    int result = make_directory (item, systemd, made, err);

    /* In a new scope all that there is is the container's, or rt's. */
    return result < 0 || systemd || made->count > 0 ? result : check_fit (item, err);
}

int cgroup_check (const struct oci_map *paths, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++)
        if (freeze_check_above (&paths->items[i], err) < 0 ||
            (access (paths->items[i].value, F_OK) == 0 && check_fit (&paths->items[i], err) < 0))
            return -1;
    return 0;
}

/* Only who may write to the cgroup.procs of the directory above may move processes in (v2). */
static bool can_be_joined (const char *path)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    char *procs = arena_printf (&arena, "%s/../cgroup.procs", path);

    return faccessat (AT_FDCWD, procs, W_OK, AT_EACCESS) == 0;
}

int cgroup_place (struct oci_map *paths, const struct cgroup_request *request, struct error *err)
{
    struct made made[CGROUP_HIERARCHIES_MAX] = {0};
    struct oci_pair kept[CGROUP_HIERARCHIES_MAX];
    size_t count = 0;
    bool forgiving = request_forgives (request);

    if (paths->count > CGROUP_HIERARCHIES_MAX)
        return error_set (err, "RT-CGROUP-MAKE", 0, "more than %d cgroups", CGROUP_HIERARCHIES_MAX);
    for (size_t i = 0; i < paths->count; i++) {
        const struct oci_pair *item = &paths->items[i];
        struct error failure = {0};

        if (make (item, request->driver, &made[count], &failure) == 0 &&
            (!forgiving || item->key[0] || can_be_joined (item->value))) {
            kept[count++] = *item;
            continue;
        }
        unmake (item->value, made[count]);
        made[count] = (struct made){0};
        if (forgiving && (!error_is_set (&failure) || is_permission (failure.errnum))) {
            log_debug ("no cgroup at %s: it is not delegated", item->value);
            continue;
        }
        while (count-- > 0)
            unmake (kept[count].value, made[count]);
        *err = failure;
        error_at (err, "/linux/cgroupsPath");
        if (failure.errnum == EROFS)
            error_hint (err, "the cgroup file system is mounted read-only, as in most containers; "
                             "mount it writable, or switch cgroups off");
        else if (request->rootless && is_permission (failure.errnum))
            error_hint (err, "limits and cgroupsPath need a cgroup that is delegated to the user");
        return -1;
    }
    if (count > 0)
        memcpy (paths->items, kept, count * sizeof *kept);
    paths->count = count;
    return 0;
}
