/* SPDX-License-Identifier: Apache-2.0 */
/* unread: see unread.h. */
#include "lifecycle/unread.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cgroup/cgroup.h"
#include "oci-spec/config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int by_hand (const struct lifecycle_globals *globals, const char *id, const char *missing,
                    const struct error *why, struct error *err)
{
    char words[ERROR_WORDS];

    error_set (err, "RT-STATE-DAMAGED", 0,
               "cannot delete container %s: its record cannot be used, and %s: %.300s", id, missing,
               error_format (why, words, sizeof words));
    return error_hint (err,
                       "whether a process of it lives is not known: end its processes, remove its "
                       "cgroups, then remove the directory %s/%s",
                       globals->state_root, id);
}

/* Those that are there; a directory that cannot be looked at is an error. */
static int keep_existing (struct oci_map *paths, struct error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < paths->count; i++) {
        if (access (paths->items[i].value, F_OK) == 0)
            paths->items[count++] = paths->items[i];
        else if (errno != ENOENT)
            return error_set (err, "RT-STATE-DAMAGED", errno, "look for cgroup '%s'",
                              paths->items[i].value);
    }
    paths->count = count;
    return 0;
}

/* The one is the other, or lies in it. */
static bool holds (const char *above, const char *path)
{
    size_t length = strlen (above);

    return text_starts_with (path, above) && (path[length] == '\0' || path[length] == '/');
}

static bool shares (const struct oci_map *a, const struct oci_map *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            if (holds (a->items[i].value, b->items[j].value) ||
                holds (b->items[j].value, a->items[i].value))
                return true;
    return false;
}

/* A document's path is only a name: it may have been given to another container since. */
static int check_others (struct existing *existing, const struct lifecycle_globals *globals,
                         const char *id, const struct error *why, struct error *err)
{
    struct oci_strings ids;

    if (record_list (globals->state_root, &existing->arena, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++) {
        struct error failure = {0};
        struct record other;
        AUTO_FD int dir = -1;

        if (text_equal (ids.items[i], id))
            continue;
        dir = record_open (globals->state_root, ids.items[i], false, &failure);
        if (dir < 0 || record_read (dir, &existing->arena, &other, &failure) < 0) {
            if (failure.errnum == 0) /* it is gone, or is as this one: it names no cgroup */
                continue;
            *err = failure;
            return -1;
        }
        if (shares (&existing->record.cgroup, &other.cgroup))
            return by_hand (
                globals, id,
                arena_printf (&existing->arena, "its cgroup is that of container %s", ids.items[i]),
                why, err);
    }
    return 0;
}

int unread_complete (struct existing *existing, const struct lifecycle_globals *globals,
                     const char *id, const struct error *why, struct error *err)
{
    struct error failure = {0};
    size_t length;
    AUTO_FREE char *text = record_read_config (existing->directory, &length, &failure);
    const char *copy = text ? arena_copy (&existing->arena, text, length) : NULL;
    const struct oci_config *config = copy ? oci_config_parse (&existing->arena, "config.json",
                                                               copy, length, NULL, NULL, &failure)
                                           : NULL;

    if (!config && failure.errnum != 0) {
        *err = failure;
        return -1;
    }
    if (!config)
        return by_hand (globals, id, "neither can its stored config.json", why, err);
    const struct cgroup_request request = {.driver = CGROUP_DRIVER_FS,
                                           .id = id,
                                           .cgroups_path = config->linux.cgroups_path,
                                           .rootless = geteuid () != 0};
    existing->record = (struct record){.phase = RECORD_CREATED, .id = id};
    if (cgroup_plan (&existing->arena, &request, &existing->record.cgroup, err) < 0 ||
        keep_existing (&existing->record.cgroup, err) < 0)
        return -1;
    if (existing->record.cgroup.count == 0)
        return by_hand (globals, id, "there is no cgroup that its stored config.json names", why,
                        err);
    if (check_others (existing, globals, id, why, err) < 0)
        return -1;
    log_warning ("container %s has a damaged record: what is in its cgroup '%s' is killed%s%s", id,
                 existing->record.cgroup.items[0].value,
                 config->hooks[OCI_HOOK_POSTSTOP].count ? "; its poststop hooks are left out" : "",
                 config->linux.intel_rdt ? "; its resctrl group is left out" : "");
    return 0;
}
