/* SPDX-License-Identifier: Apache-2.0 */
/* systemd: see systemd.h. */
#include "cgroup/systemd.h"
#include "cgroup/hierarchy.h"
#include "cgroup/systemd_bus.h"
#include "cgroup/systemd_name.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/text.h"
#include "kernel/holder.h"
#include "kernel/pidfd.h"
#include "kernel/procfd.h"
#include "oci-spec/annotations.h"

#include <errno.h>
#include <fcntl.h>

#define DEFAULT_SUBGROUP "container"
#define DESCRIPTION "Description"
/* Room for the holder and for rt's own processes on their way (SMALL tasks limits come later). */
#define SMALL_TASKS_LIMIT 8

/* The user as the outside knows them: root of a user namespace is somebody else there. */
static unsigned int outer_user (void)
{
    char text[256];
    uint64_t uid;

    if (geteuid () != 0 || procfd_read ("self/uid_map", text, sizeof text) < 0)
        return geteuid ();
    const char *inner = text + strspn (text, " ");
    const char *outer = inner + strcspn (inner, " ");
    outer += strspn (outer, " ");
    text[(size_t)(outer - text) + strcspn (outer, " ")] = '\0';
    if (!text_starts_with (inner, "0 ") || text_to_uint64 (outer, UINT32_MAX, &uid) < 0)
        return geteuid ();
    return (unsigned int)uid;
}

const char *systemd_bus_address (struct arena *arena, const char *address, const char *runtime_dir,
                                 bool user)
{
    if (address && *address)
        return address;
    if (!user)
        return "unix:path=/run/dbus/system_bus_socket";
    if (runtime_dir && runtime_dir[0] == '/')
        return arena_printf (arena, "unix:path=%s/bus", runtime_dir);
    return arena_printf (arena, "unix:path=/run/user/%u/bus", outer_user ());
}

static const char *annotation (const struct oci_map *annotations, const char *name)
{
    for (size_t i = 0; annotations && i < annotations->count; i++)
        if (text_equal (annotations->items[i].key, name))
            return annotations->items[i].value;
    return NULL;
}

/* What the unit is called in `systemctl status`: also how it is known again. */
static const char *description_of (struct arena *arena, const char *id,
                                   const struct oci_map *annotations)
{
    const char *asked = annotation (annotations, SYSTEMD_PROPERTY_ANNOTATION DESCRIPTION);
    struct dbus_value value;
    struct error ignored;

    return asked && dbus_value_parse (arena, asked, &value, &ignored) == 0 &&
                   text_equal (value.type, "s")
               ? value.text
               : arena_printf (arena, "rt container %s", id);
}

static void plan_subgroup (struct systemd_unit *unit)
{
    const char *asked = annotation (unit->annotations, OCI_ANNOTATION_SYSTEMD_SUBGROUP);

    unit->subgroup = asked ? asked : DEFAULT_SUBGROUP;
    if (unit->subgroup[0] == '\0' || unit->is_slice || cgroup_layout () != CGROUP_V2)
        unit->subgroup = NULL;
}

int systemd_plan (struct arena *arena, const struct cgroup_request *request,
                  struct systemd_unit *unit, struct error *err)
{
    struct systemd_unit planned = {
        .bus = request->bus, .id = request->id, .annotations = request->annotations, .holder = -1};
    struct systemd_name name;

    if (request->driver != CGROUP_DRIVER_SYSTEMD)
        return 0;
    if (systemd_name_make (arena, request->cgroups_path, request->id, request->user_bus, &name,
                           err) < 0)
        return -1;
    planned.name = name.unit;
    planned.slice = name.slice;
    planned.is_slice = name.is_slice;
    plan_subgroup (&planned);
    *unit = planned;
    return 0;
}

/* One pair for each hierarchy that is mounted: where a cgroup of systemd's is in it. */
static void paths_of (struct arena *arena, const struct cgroup_host *host, const char *group,
                      const char *subgroup, struct oci_map *paths)
{
    struct oci_pair *items = arena_array (arena, host->count + 1, sizeof *items);
    size_t count = 0;

    for (size_t i = 0; i < host->count; i++) {
        if (!host->items[i].mount)
            continue;
        items[count].key = host->items[i].key;
        items[count++].value = arena_printf (arena, "%s%s%s%s", host->items[i].mount, group,
                                             subgroup ? "/" : "", subgroup ? subgroup : "");
    }
    *paths = (struct oci_map){.count = count, .items = items, .present = true};
}

static int add_limits (struct arena *arena, const struct oci_map *paths,
                       const struct oci_resources *resources, struct unit_properties *properties,
                       struct error *err)
{
    struct knobs knobs = {.arena = arena};

    if (knobs_for (paths, resources, &knobs, err) < 0)
        return -1;
    return systemd_limit_properties (&knobs, properties, err);
}

static int add_devices (struct arena *arena, const struct oci_map *paths,
                        const struct oci_resources *resources, struct unit_properties *properties,
                        struct error *err)
{
    size_t size = 16 * 1024;
    char *text = arena_alloc (arena, size);
    struct device_rules rules;

    if (device_rules_make (arena, resources, &rules, err) < 0)
        return -1;
    if (properties->systemd < 240 && procfd_read ("devices", text, size) < 0)
        return error_set (err, "RT-PROC", errno, "read /proc/devices");
    return systemd_device_properties (&rules, !cgroup_path_of (paths, "devices"), text, properties,
                                      err);
}

static void add_identity (struct arena *arena, const struct systemd_unit *unit,
                          struct unit_properties *properties)
{
    static const char *const accounting[] = {"CPUAccounting", "MemoryAccounting", "IOAccounting",
                                             "TasksAccounting"};

    unit_property_string (properties, DESCRIPTION,
                          description_of (arena, unit->id, unit->annotations));
    if (unit->is_slice) {
        const char *dash = strrchr (unit->name, '-');
        const char *parent =
            dash ? arena_printf (arena, "%.*s.slice", (int)(dash - unit->name), unit->name)
                 : "-.slice";
        unit_property_strings (properties, "Wants", &parent, 1);
    } else {
        unit_property_string (properties, "Slice", unit->slice);
        unit_property_bool (properties, "Delegate", true);
    }
    unit_property_bool (properties, "DefaultDependencies", false);
    for (size_t i = 0; i < sizeof accounting / sizeof accounting[0]; i++)
        unit_property_bool (properties, accounting[i], true);
}

static void add_process (struct arena *arena, pid_t pid, struct unit_properties *properties)
{
    struct dbus_value *item = arena_alloc (arena, sizeof *item);

    *item = (struct dbus_value){.type = "u", .number = (uint64_t)pid};
    unit_property_set (properties, "PIDs",
                       (struct dbus_value){.type = "au", .items = item, .count = 1});
}

/* Where the limit would leave no room for those who are there only while a container starts. */
static void delay_small_tasks (struct systemd_unit *unit, struct unit_properties *properties)
{
    for (size_t i = 0; i < properties->count; i++) {
        struct unit_property *property = &properties->items[i];
        if (!text_equal (property->name, "TasksMax") || property->by_user ||
            property->value.number > SMALL_TASKS_LIMIT)
            continue;
        property->value.number = SMALL_TASKS_LIMIT;
        unit->late_tasks = true;
    }
}

static int make_properties (struct arena *arena, struct systemd_unit *unit,
                            const struct oci_map *paths, const struct oci_resources *resources,
                            struct unit_properties *properties, struct error *err)
{
    add_identity (arena, unit, properties);
    if (add_limits (arena, paths, resources, properties, err) < 0 ||
        add_devices (arena, paths, resources, properties, err) < 0 ||
        systemd_user_properties (unit->annotations, properties, err) < 0)
        return -1;
    delay_small_tasks (unit, properties);
    return 0;
}

static bool is_in_unit (const char *process, const char *unit)
{
    char name[32], text[4096];
    size_t length = strlen (unit);

    (void)snprintf (name, sizeof name, "%s/cgroup", process);
    if (procfd_read (name, text, sizeof text) <= 0)
        return false;
    for (const char *at = text; (at = strstr (at, unit)) != NULL; at += length)
        if (at > text && at[-1] == '/' && strchr ("/\n", at[length]))
            return true;
    return false;
}

/* Is the holder in the unit? Then the unit is rt's, and not one that had the name before: such as
 * the session that rt is called in, where the holder was born. */
static bool holds (const struct systemd_unit *unit)
{
    char process[16];
    pid_t pid = pidfd_pid (unit->holder);

    (void)snprintf (process, sizeof process, "%d", (int)pid);
    return pid > 0 && is_in_unit (process, unit->name) && !is_in_unit ("self", unit->name);
}

/* Undoes a start that went wrong half way, perhaps because the connection did: on a new one. */
static void give_up (struct systemd_unit *unit, struct error *err)
{
    struct error second = {0};
    bool ours = unit->is_slice || holds (unit);

    holder_end (&unit->holder);
    if (ours && systemd_stop (unit->bus, unit->name, &second) < 0)
        error_hint (err, "unit %s may be left behind: `systemctl stop` it", unit->name);
}

int systemd_start (struct arena *arena, struct systemd_unit *unit,
                   const struct cgroup_request *request, struct oci_map *paths, struct error *err)
{
    struct unit_properties properties = {.arena = arena};
    struct cgroup_host host;
    struct oci_map found;

    if (cgroup_host_read (arena, request->rootless, &host, err) < 0)
        return -1;
    AUTO_SYSTEMD_BUS struct systemd_bus *bus = systemd_bus_open (unit->bus, patience_ms (), err);
    if (!bus || systemd_bus_version (bus, &properties.systemd, err) < 0)
        return -1;
    paths_of (arena, &host, "", NULL, &found);
    if (make_properties (arena, unit, &found, request->resources, &properties, err) < 0)
        return -1;
    if (!unit->is_slice) {
        pid_t pid = holder_begin (&unit->holder);
        if (pid < 0)
            return error_set (err, "RT-CLONE", errno, "cannot make the scope's first process");
        add_process (arena, pid, &properties);
    }
    if (systemd_bus_start (bus, unit->name, &properties, err) < 0) {
        if (!unit->is_slice) /* which may have been there before */
            give_up (unit, err);
        return -1;
    }
    const char *group = systemd_bus_control_group (bus, unit->name, arena, err);
    if (!group) {
        give_up (unit, err);
        return -1;
    }
    log_debug ("unit %s is at %s", unit->name, group);
    paths_of (arena, &host, group, unit->subgroup, paths);
    return 0;
}

static int attach (const char *bus_address, const char *unit, const char *path, pid_t pid,
                   struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_SYSTEMD_BUS struct systemd_bus *bus = systemd_bus_open (bus_address, patience_ms (), err);
    const char *group = bus ? systemd_bus_control_group (bus, unit, &arena, err) : NULL;

    if (!group)
        return -1;
    const char *at = path + hierarchy_mount_length ("", path);
    if (!text_starts_with (at, group))
        return error_set (err, "RT-SYSTEMD-CGROUP", 0, "cgroup '%s' is not in unit %s (%s)", path,
                          unit, group);
    return systemd_bus_attach (bus, unit, at + strlen (group), pid, err);
}

int systemd_join (const char *bus, const char *unit, const struct oci_map *paths, pid_t pid,
                  struct error *err)
{
    struct error forbidden = {0};

    if (cgroup_join_v2 (paths, pid, &forbidden) == 0)
        return 0;
    if (unit && (forbidden.errnum == EACCES || forbidden.errnum == EPERM))
        return attach (bus, unit, cgroup_path_of (paths, ""), pid, err);
    *err = forbidden;
    return -1;
}

/* The rest of a TasksMax that had to wait. */
static int set_late_tasks (const struct systemd_unit *unit, const struct oci_resources *resources,
                           struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct unit_properties properties = {.arena = &arena};
    const int64_t limit = resources->pids_limit.value;

    unit_property_uint64 (&properties, "TasksMax", limit < 1 ? 1 : (uint64_t)limit);
    AUTO_SYSTEMD_BUS struct systemd_bus *bus = systemd_bus_open (unit->bus, patience_ms (), err);
    return bus ? systemd_bus_set (bus, unit->name, &properties, err) : -1;
}

int systemd_settle (struct systemd_unit *unit, const struct oci_map *paths,
                    const struct oci_resources *resources, struct error *err)
{
    const char *path = cgroup_path_of (paths, "");
    bool late = unit->late_tasks;

    holder_end (&unit->holder);
    if (unit->subgroup && path)
        v2_enable (path);
    unit->subgroup = NULL;
    unit->late_tasks = false;
    return late && resources && resources->pids_limit.present
               ? set_late_tasks (unit, resources, err)
               : 0;
}

void systemd_release (struct systemd_unit *unit)
{
    holder_end (&unit->holder);
}

const struct oci_resources *systemd_resources (struct arena *arena,
                                               const struct oci_resources *resources)
{
    return systemd_round_quota (arena, resources);
}

int systemd_set (const char *bus_address, const char *unit, const struct oci_map *paths,
                 const struct oci_resources *resources, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct unit_properties properties = {.arena = &arena};
    AUTO_SYSTEMD_BUS struct systemd_bus *bus = systemd_bus_open (bus_address, patience_ms (), err);

    if (!bus || systemd_bus_version (bus, &properties.systemd, err) < 0 ||
        add_limits (&arena, paths, resources, &properties, err) < 0)
        return -1;
    return systemd_bus_set (bus, unit, &properties, err);
}

int systemd_stop (const char *bus_address, const char *unit, struct error *err)
{
    AUTO_SYSTEMD_BUS struct systemd_bus *bus = systemd_bus_open (bus_address, patience_ms (), err);

    return bus ? systemd_bus_stop (bus, unit, err) : -1;
}

int systemd_find_own (struct arena *arena, const struct systemd_unit *unit, bool rootless,
                      struct oci_map *paths, struct error *err)
{
    struct cgroup_host host;

    if (cgroup_host_read (arena, rootless, &host, err) < 0)
        return -1;
    AUTO_SYSTEMD_BUS struct systemd_bus *bus = systemd_bus_open (unit->bus, patience_ms (), err);
    const char *found = bus ? systemd_bus_description (bus, unit->name, err) : NULL;
    if (!found)
        return -1;
    if (!text_equal (found, description_of (arena, unit->id, unit->annotations)))
        return 0;
    const char *group = systemd_bus_control_group (bus, unit->name, arena, err);
    if (!group)
        return -1;
    paths_of (arena, &host, group, unit->subgroup, paths);
    return 1;
}

int systemd_stop_own (const char *bus_address, const char *unit, const char *id,
                      const struct oci_map *annotations, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_SYSTEMD_BUS struct systemd_bus *bus = systemd_bus_open (bus_address, patience_ms (), err);
    const char *found = bus ? systemd_bus_description (bus, unit, err) : NULL;

    if (!found)
        return -1;
    if (text_equal (found, description_of (&arena, id, annotations)))
        return systemd_bus_stop (bus, unit, err);
    log_debug ("unit %s is not the container's: \"%s\"", unit, found);
    return 0;
}
