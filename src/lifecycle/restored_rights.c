/* SPDX-License-Identifier: Apache-2.0 */
/* restored_rights: what a thread may have; see restored.h. */
#include "lifecycle/restored.h"

#include "base/text.h"
#include "kernel/process_status.h"
#include "oci-spec/annotations.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HINT "these images are not of a container with this document"

static uint64_t bit (unsigned int capability)
{
    return UINT64_C (1) << capability;
}

__attribute__ ((format (printf, 3, 4))) static int
rights_error (const char *pointer, struct error *err, const char *format, ...)
{
    char text[160];
    va_list arguments;

    va_start (arguments, format);
    (void)vsnprintf (text, sizeof (text), format, arguments);
    va_end (arguments);
    error_set (err, "RT-RESTORE-RIGHTS", 0, "a restored process %s", text);
    error_at (err, "%s", pointer);
    return error_hint (err, HINT);
}

/* What a process may come to. Without noNewPrivileges that of root, who executes something. */
static uint64_t find_reach (const struct oci_process *process)
{
    const struct oci_capabilities *caps = process->capabilities;

    if (!caps)
        return 0;
    return caps->permitted | caps->ambient |
           (process->no_new_privileges.value ? 0 : caps->bounding | caps->inheritable);
}

bool restored_may_mount (const struct oci_config *config)
{
    return find_reach (config->process) & bit (CAP_SYS_ADMIN);
}

bool restored_may_chroot (const struct oci_config *config)
{
    return find_reach (config->process) & bit (CAP_SYS_CHROOT);
}

static int check_sets (const struct oci_process *process, const struct restored_rights *rights,
                       struct error *err)
{
    const struct oci_capabilities none = {0};
    const struct oci_capabilities *caps = process->capabilities ? process->capabilities : &none;
    const uint64_t reach = find_reach (process);
    const struct {
        const char *name;
        uint64_t has;
        uint64_t allowed;
    } sets[] = {
        {"bounding", rights->bounding, caps->bounding},
        {"permitted", rights->permitted, reach},
        {"effective", rights->effective, reach},
        {"inheritable", rights->inheritable, reach | caps->inheritable},
        {"ambient", rights->ambient, reach},
    };

    for (size_t i = 0; i < sizeof (sets) / sizeof (sets[0]); i++) {
        char pointer[64];
        (void)snprintf (pointer, sizeof (pointer), "/process/capabilities/%s", sets[i].name);
        if (sets[i].has & ~sets[i].allowed)
            return rights_error (process->capabilities ? pointer : "/process", err,
                                 "has more capabilities in its %s set: %" PRIx64, sets[i].name,
                                 sets[i].has & ~sets[i].allowed);
    }
    return 0;
}

static int check_ids (const uint32_t ids[4], uint32_t asked, const char *kind, struct error *err)
{
    char pointer[32];

    (void)snprintf (pointer, sizeof (pointer), "/process/user/%s", kind);
    for (size_t i = 0; i < 4; i++)
        if (ids[i] != asked)
            return rights_error (pointer, err, "has the %s %u", kind, ids[i]);
    return 0;
}

static int check_groups (const struct oci_user *user, const struct restored_rights *rights,
                         struct error *err)
{
    for (size_t i = 0; i < rights->group_count; i++) {
        bool asked = rights->groups[i] == user->gid;
        for (size_t j = 0; !asked && j < user->additional_gids.count; j++)
            asked = rights->groups[i] == user->additional_gids.items[j];
        if (!asked)
            return rights_error ("/process/user/additionalGids", err, "has the group %u",
                                 rights->groups[i]);
    }
    return 0;
}

int restored_check_rights (const struct oci_config *config, const struct restored_rights *rights,
                           struct error *err)
{
    const struct oci_process *process = config->process;
    const uint64_t reach = find_reach (process);
    bool fixed = process->no_new_privileges.value;

    if (check_sets (process, rights, err) < 0)
        return -1;
    if (fixed && !rights->no_new_privs)
        return rights_error ("/process/noNewPrivileges", err, "may gain privileges");
    if (fixed && !(reach & bit (CAP_SETUID)) &&
        check_ids (rights->uids, process->user.uid, "uid", err) < 0)
        return -1;
    if (reach & bit (CAP_SETGID))
        return 0;
    if (fixed && check_ids (rights->gids, process->user.gid, "gid", err) < 0)
        return -1;
    return oci_annotation (config, OCI_ANNOTATION_KEEP_GROUPS)
               ? 0
               : check_groups (&process->user, rights, err);
}

/* As the container counts; what it does not map stays as it is, and is none of its own. */
static uint32_t map_id (const struct oci_id_mappings *maps, uint32_t id)
{
    for (size_t i = 0; maps && i < maps->count; i++)
        if (id >= maps->items[i].host_id && id - maps->items[i].host_id < maps->items[i].size)
            return maps->items[i].container_id + (id - maps->items[i].host_id);
    return maps ? UINT32_MAX : id;
}

/* `maps` NULL: the user namespace is the reader's own. */
static void map_ids (const struct oci_id_mappings *maps, const struct process_ids *ids,
                     uint32_t mapped[4])
{
    mapped[0] = map_id (maps, ids->real);
    mapped[1] = map_id (maps, ids->effective);
    mapped[2] = map_id (maps, ids->saved);
    mapped[3] = map_id (maps, ids->fs);
}

static int check_filters (const struct oci_config *config, const struct process_status *status,
                          uint32_t own, struct error *err)
{
    if (!config->linux.seccomp)
        return 0;
    if (status->seccomp != SECCOMP_MODE_FILTER)
        return rights_error ("/linux/seccomp", err, "has no filter for its system calls");
    if (status->filters >= 0 && (uint32_t)status->filters < own + 1)
        return rights_error ("/linux/seccomp", err, "has not all filters for its system calls");
    return 0;
}

int restored_check_status (const struct oci_config *config, const char *text, uint32_t filters,
                           struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_namespace *user = oci_config_namespace (config, CLONE_NEWUSER);
    const struct oci_linux *mapped = user && !user->path ? &config->linux : NULL;
    struct process_status status;

    if (process_status_parse (&arena, text, &status, err) < 0)
        return -1;
    if (status.state == 'Z' || status.state == 'X')
        return RESTORED_DEAD;
    const struct oci_id_mappings *gids = mapped ? &mapped->gid_mappings : NULL;
    uint32_t *groups = arena_array (&arena, status.group_count + 1, sizeof (*groups));
    for (size_t i = 0; i < status.group_count; i++)
        groups[i] = map_id (gids, status.groups[i]);
    struct restored_rights rights = {.groups = groups,
                                     .group_count = status.group_count,
                                     .inheritable = status.inheritable,
                                     .permitted = status.permitted,
                                     .effective = status.effective,
                                     .bounding = status.bounding,
                                     .ambient = status.ambient,
                                     .no_new_privs = status.no_new_privs};
    map_ids (mapped ? &mapped->uid_mappings : NULL, &status.uid, rights.uids);
    map_ids (gids, &status.gid, rights.gids);
    return restored_check_rights (config, &rights, err) < 0
               ? -1
               : check_filters (config, &status, filters, err);
}

/* "PROFILE (enforce)\n", or "LABEL" with a NUL behind it. */
int restored_check_label (const char *asked, const char *current, const char *pointer,
                          struct error *err)
{
    size_t length = asked ? strlen (asked) : 0;

    if (length == 0 || text_equal (asked, "unconfined"))
        return 0;
    if (strncmp (current, asked, length) == 0 &&
        (current[length] == '\0' || current[length] == '\n' || current[length] == ' '))
        return 0;
    return rights_error (pointer, err, "has the label `%.*s`", (int)strcspn (current, "\n"),
                         current);
}
