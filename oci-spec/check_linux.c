/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_linux: rules about config.json's `linux` and what it shares with other sections.
 */
#include "oci-spec/check.h"

#include "base/text.h"

#include <sched.h>
#include <string.h>

/* As the kernel's headers have it, with the final NUL. */
#define DEVICE_NAME_SIZE 16

/* ---- user namespaces ---- */

void check_id_mappings (const struct check *check, const struct oci_id_mappings *mappings,
                        const char *where)
{
    for (size_t i = 0; i < mappings->count; i++) {
        const struct oci_id_mapping *mapping = &mappings->items[i];
        if ((uint64_t)mapping->container_id + mapping->size > UINT32_MAX ||
            (uint64_t)mapping->host_id + mapping->size > UINT32_MAX)
            check_fail (check, check_pointer (check, "%s/%zu", where, i),
                        "ends beyond the largest id, %u", UINT32_MAX - 1);
    }
}

void check_maps_without_userns (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    if (oci_config_namespace (config, CLONE_NEWUSER))
        return;
    if (config->linux.uid_mappings.count > 0)
        check_fail (check, "/linux/uidMappings", "needs a user namespace");
    if (config->linux.gid_mappings.count > 0)
        check_fail (check, "/linux/gidMappings", "needs a user namespace");
}

static bool maps_root (const struct oci_id_mappings *mappings)
{
    for (size_t i = 0; i < mappings->count; i++)
        if (mappings->items[i].container_id == 0)
            return true;
    return false;
}

static void check_userns_map (const struct check *check, const struct oci_id_mappings *mappings,
                              const char *where, const char *what)
{
    if (mappings->count == 0)
        check_fail (check, where, "a new user namespace needs %s mappings", what);
    else if (!maps_root (mappings))
        check_fail (check, where,
                    "container root %s is not mapped: no mapping has the containerID 0", what);
    check_id_mappings (check, mappings, where);
}

void check_userns_maps (const struct check *check, const void *section)
{
    const struct oci_config *config = section;
    const struct oci_namespace *user = oci_config_namespace (config, CLONE_NEWUSER);

    if (!user || user->path)
        return;
    check_userns_map (check, &config->linux.uid_mappings, "/linux/uidMappings", "uid");
    check_userns_map (check, &config->linux.gid_mappings, "/linux/gidMappings", "gid");
}

static bool is_mapped (const struct oci_id_mappings *mappings, uint32_t id)
{
    for (size_t i = 0; i < mappings->count; i++)
        if (id >= mappings->items[i].container_id &&
            id - mappings->items[i].container_id < mappings->items[i].size)
            return true;
    return false;
}

/* setresuid would say EINVAL for these, when much is done already. */
void check_mapped_user (const struct check *check, const void *section)
{
    const struct oci_config *config = section;
    const struct oci_namespace *namespace = oci_config_namespace (config, CLONE_NEWUSER);
    const struct oci_linux *linux = &config->linux;
    static const char text[] = "%u is not mapped into the container's user namespace";

    if (!namespace || namespace->path || !config->process)
        return;
    const struct oci_user *user = &config->process->user;
    if (maps_root (&linux->uid_mappings) && !is_mapped (&linux->uid_mappings, user->uid))
        check_fail (check, "/process/user/uid", text, user->uid);
    if (!maps_root (&linux->gid_mappings)) /* that is an error of its own */
        return;
    if (!is_mapped (&linux->gid_mappings, user->gid))
        check_fail (check, "/process/user/gid", text, user->gid);
    for (size_t i = 0; i < user->additional_gids.count; i++)
        if (!is_mapped (&linux->gid_mappings, user->additional_gids.items[i]))
            check_fail (check, check_pointer (check, "/process/user/additionalGids/%zu", i), text,
                        user->additional_gids.items[i]);
}

/* ---- time, devices, network ---- */

void check_time_offsets (const struct check *check, const void *section)
{
    const struct oci_config *config = section;
    const struct oci_namespace *namespace = oci_config_namespace (config, CLONE_NEWTIME);

    /* Clocks are set before the first process enters: one that is joined runs already. */
    if (config->linux.time_offsets.count > 0 && (!namespace || namespace->path))
        check_fail (check, "/linux/timeOffsets", "needs a new time namespace");
}

void check_devices (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    for (size_t i = 0; i < config->linux.devices.count; i++)
        if (config->linux.devices.items[i].path[0] != '/')
            check_fail (check, check_pointer (check, "/linux/devices/%zu/path", i),
                        "must be an absolute path, not \"%.100s\"",
                        config->linux.devices.items[i].path);
}

/* What the kernel accepts as the name of a network device. "%d" stands for a number of its choice.
 */
static bool is_net_name (const char *name, bool template_allowed)
{
    const char *percent = strchr (name, '%');

    if (name[0] == '\0' || strlen (name) >= DEVICE_NAME_SIZE || text_equal (name, ".") ||
        text_equal (name, ".."))
        return false;
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '/' || *c == ':')
            return false;
    return !percent || (template_allowed && percent[1] == 'd' && !strchr (percent + 1, '%'));
}

static const char *name_inside (const struct oci_net_device *device)
{
    return device->name ? device->name : device->host_name;
}

static bool is_taken (const struct oci_linux *linux_, size_t index)
{
    const char *name = name_inside (&linux_->net_devices.items[index]);

    for (size_t i = 0; i < index; i++)
        if (text_equal (name, name_inside (&linux_->net_devices.items[i])))
            return true;
    return false;
}

void check_net_devices (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    if (config->linux.net_devices.count > 0 && !oci_config_namespace (config, CLONE_NEWNET))
        check_fail (check, "/linux/netDevices", "needs a network namespace");
    for (size_t i = 0; i < config->linux.net_devices.count; i++) {
        const struct oci_net_device *device = &config->linux.net_devices.items[i];
        const char *pointer =
            check_pointer (check, "/linux/netDevices/%s", check_key (check, device->host_name));
        if (!is_net_name (device->host_name, false))
            check_fail (check, pointer, "\"%.40s\" is not a valid name of a network device",
                        device->host_name);
        else if (!is_net_name (name_inside (device), true))
            check_fail (check, pointer, "\"%.40s\" is not a valid name of a network device",
                        device->name);
        else if (!strchr (name_inside (device), '%') && is_taken (&config->linux, i))
            check_fail (check, pointer, "the name \"%s\" is used twice inside the container",
                        name_inside (device));
    }
}

/* ---- paths and cgroups ---- */

static void check_absolute_paths (const struct check *check, const struct oci_strings *paths,
                                  const char *where)
{
    for (size_t i = 0; i < paths->count; i++)
        if (paths->items[i][0] != '/')
            check_fail (check, check_pointer (check, "%s/%zu", where, i),
                        "must be an absolute path, not \"%.100s\"", paths->items[i]);
}

void check_restricted_paths (const struct check *check, const void *section)
{
    const struct oci_config *config = section;
    bool own_mounts = oci_config_namespace (config, CLONE_NEWNS) != NULL;

    if (!own_mounts && config->linux.masked_paths.count > 0)
        check_fail (check, "/linux/maskedPaths", "needs a mount namespace");
    if (!own_mounts && config->linux.readonly_paths.count > 0)
        check_fail (check, "/linux/readonlyPaths", "needs a mount namespace");
    check_absolute_paths (check, &config->linux.masked_paths, "/linux/maskedPaths");
    check_absolute_paths (check, &config->linux.readonly_paths, "/linux/readonlyPaths");
}

void check_cgroups_path (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    for (const char *step = config->linux.cgroups_path; step && *step;) {
        size_t length = strcspn (step, "/");
        if (length == 2 && step[0] == '.' && step[1] == '.') {
            check_fail (check, "/linux/cgroupsPath", "must not lead upwards (\"..\")");
            return;
        }
        step += length + (step[length] == '/');
    }
}

/* ---- Intel RDT and memory policy ---- */

void check_intel_rdt (const struct check *check, const void *section)
{
    const struct oci_config *config = section;
    const struct oci_intel_rdt *rdt = config->linux.intel_rdt;

    if (!rdt)
        return;
    if (rdt->clos_id && !text_equal (rdt->clos_id, "/") &&
        (strpbrk (rdt->clos_id, "/\n") || text_equal (rdt->clos_id, ".") ||
         text_equal (rdt->clos_id, "..")))
        check_fail (check, "/linux/intelRdt/closID",
                    "must be \"/\" or the name of one directory, not \"%.60s\"", rdt->clos_id);
    if (rdt->l3_cache_schema && strchr (rdt->l3_cache_schema, '\n'))
        check_fail (check, "/linux/intelRdt/l3CacheSchema", "must be one line");
    if (rdt->mem_bw_schema &&
        (!text_starts_with (rdt->mem_bw_schema, "MB:") || strchr (rdt->mem_bw_schema, '\n')))
        check_fail (check, "/linux/intelRdt/memBwSchema",
                    "must be one line that begins with \"MB:\"");
    for (size_t i = 0; i < rdt->schemata.count; i++)
        if (strchr (rdt->schemata.items[i], '\n'))
            check_fail (check, check_pointer (check, "/linux/intelRdt/schemata/%zu", i),
                        "must be one line");
}

void check_memory_policy (const struct check *check, const void *section)
{
    const struct oci_config *config = section;
    const struct oci_memory_policy *policy = config->linux.memory_policy;

    if (!policy)
        return;
    const char *mode = oci_names_of (&oci_memory_policy_modes, (uint64_t)policy->mode);
    bool without = text_equal (mode, "MPOL_DEFAULT") || text_equal (mode, "MPOL_LOCAL");
    if (without && policy->nodes)
        check_fail (check, "/linux/memoryPolicy/nodes", "must not be set with %s", mode);
    else if (!without && !policy->nodes && !text_equal (mode, "MPOL_PREFERRED"))
        check_fail (check, "/linux/memoryPolicy/nodes", "must be set with %s", mode);
    else if (policy->nodes && !check_cpu_list (policy->nodes))
        check_fail (check, "/linux/memoryPolicy/nodes",
                    "must be a list of memory nodes like \"0-3,7\", not \"%.60s\"", policy->nodes);
}
