/* SPDX-License-Identifier: Apache-2.0 */
/* unread: see unread.h. */
#include "lifecycle/unread.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cgroup/cgroup.h"
#include "cgroup/systemd.h"
#include "container/rdt.h"
#include "oci-spec/config.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static int by_hand (const struct lifecycle_globals *globals, const char *id, const char *missing,
                    const struct error *why, struct error *err)
{
    struct error reason = *why;
    char words[ERROR_WORDS];

    reason.hint[0] = '\0';
    error_set (err, "RT-STATE-DAMAGED", 0,
               "the record of container %s cannot be used, and %s: %.300s", id, missing,
               error_format (&reason, words, sizeof words));
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

/* As rt writes them: another spelling of a path would not be found among those of others. */
static bool are_clean (struct arena *arena, const struct oci_map *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i].value;
        char *clean = arena_alloc (arena, strlen (path) + 2);

        text_clean_path (path, clean);
        if (path[0] != '/' || !text_equal (path, clean))
            return false;
    }
    return true;
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

/* The document as create has stored it. 1; 0 and the reason where it is none; -1: no look at it. */
static int read_document (struct existing *existing, const struct oci_config **config,
                          struct error *err)
{
    struct error failure = {0};
    size_t length;
    AUTO_FREE char *text = record_read_config (existing->directory, &length, &failure);

    if (text)
        *config = oci_config_parse (&existing->arena, "config.json",
                                    arena_copy (&existing->arena, text, length), length, NULL, NULL,
                                    &failure);
    if (*config)
        return 1;
    if (failure.errnum == 0)
        return 0;
    *err = failure;
    return -1;
}

static bool makes_pid_namespace (const struct oci_config *config)
{
    for (size_t i = 0; i < config->linux.namespaces.count; i++)
        if (config->linux.namespaces.items[i].type == CLONE_NEWPID)
            return !config->linux.namespaces.items[i].path;
    return false;
}

static void take_document (struct existing *existing, const struct oci_config *config)
{
    struct record *record = &existing->record;
    struct rdt rdt;

    record->annotations = config->annotations;
    record->own_pid_namespace = makes_pid_namespace (config);
    record->poststop_hooks = record->bundle && config->hooks[OCI_HOOK_POSTSTOP].count > 0;
    if (config->linux.intel_rdt && !record->intel_rdt) {
        rdt_plan (config->linux.intel_rdt, record->id, RDT_MOUNT, &existing->arena, &rdt);
        record->intel_rdt = rdt.own;
    }
}

static bool names (const struct oci_map *paths, const char *unit)
{
    for (size_t i = 0; i < paths->count; i++)
        if (strstr (paths->items[i].value, unit))
            return true;
    return false;
}

/* Where the record still has the cgroups, they say whether they are a unit's. */
static int find_unit (struct existing *existing, const struct cgroup_request *request,
                      bool directories_known, struct error *err)
{
    struct record *record = &existing->record;
    struct systemd_unit unit = SYSTEMD_UNIT_NONE;
    struct error unnamed = {0};
    struct oci_map paths;

    if (record->systemd_unit ||
        systemd_plan (&existing->arena, request, &unit, &unnamed) < 0 || /* a name of no unit's */
        (directories_known && !names (&record->cgroup, unit.name)))
        return 0;
    int found = systemd_find_own (&existing->arena, &unit, request->rootless, &paths, err);
    if (found < 1)
        return found;
    record->systemd = true;
    record->systemd_unit = unit.name;
    record->systemd_bus = unit.bus;
    if (!directories_known)
        record->cgroup = paths;
    return 0;
}

/* Fills in the cgroups. 1: they, or that there are none, say whether a process lives; 0 not. */
static int find_cgroups (struct existing *existing, const struct lifecycle_globals *globals,
                         const struct oci_config *config, struct error *err)
{
    struct record *record = &existing->record;
    bool recorded = record->cgroup.present;
    bool known = recorded && (record->cgroup.count > 0 || record->start_time > 0);
    struct cgroup_request request = {.driver = CGROUP_DRIVER_FS,
                                     .id = record->id,
                                     .cgroups_path = config ? config->linux.cgroups_path : NULL,
                                     .rootless = geteuid () != 0,
                                     .annotations = &record->annotations,
                                     .bus = globals->bus,
                                     .user_bus = globals->user_bus};

    if (!recorded && cgroup_plan (&existing->arena, &request, &record->cgroup, err) < 0)
        return -1;
    if (keep_existing (&record->cgroup, err) < 0)
        return -1;
    request.driver = CGROUP_DRIVER_SYSTEMD;
    bool unit_named = globals->cgroup_driver == CGROUP_DRIVER_SYSTEMD ||
                      (request.cgroups_path && strchr (request.cgroups_path, ':'));
    if (config && unit_named && (recorded || record->cgroup.count == 0) &&
        (find_unit (existing, &request, recorded, err) < 0 ||
         keep_existing (&record->cgroup, err) < 0))
        return -1;
    return known || record->cgroup.count > 0 || record->systemd_unit;
}

int unread_complete (struct existing *existing, const struct lifecycle_globals *globals,
                     const char *id, const struct error *why, struct error *err)
{
    const struct oci_config *config = NULL;
    struct record *record = &existing->record;

    if (record_read_parts (existing->directory, &existing->arena, id, record, err) < 0)
        return -1;
    int read = read_document (existing, &config, err);
    if (read < 0)
        return -1;
    if (!are_clean (&existing->arena, &record->cgroup) || !cgroup_are_places (&record->cgroup))
        record->cgroup = (struct oci_map){0};
    record->id = id;
    record->phase = RECORD_CREATING; /* what it names may exist or not, and a unit be another's */
    if (record->start_time == 0)
        record->pid = 0;
    if (config)
        take_document (existing, config);
    else if (!record->cgroup.present)
        return by_hand (globals, id, "neither can its stored config.json", why, err);
    int known = find_cgroups (existing, globals, config, err);
    if (known < 0)
        return -1;
    if (!known)
        return by_hand (globals, id, "there is no cgroup or unit that its stored config.json names",
                        why, err);
    if (check_others (existing, globals, id, why, err) < 0)
        return -1;
    log_warning ("container %s has a damaged record: what it has is told by what is left of that, "
                 "its stored config.json and the kernel%s",
                 id,
                 config && config->hooks[OCI_HOOK_POSTSTOP].count > 0 && !record->bundle
                     ? "; its poststop hooks are left out"
                     : "");
    return 0;
}
