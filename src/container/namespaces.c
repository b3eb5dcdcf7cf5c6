/* SPDX-License-Identifier: Apache-2.0 */
/* namespaces: see namespaces.h. */
#include "container/namespaces.h"

#include "base/cleanup.h"
#include "kernel/ns.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <sched.h>

static const char *type_word (int type)
{
    const char *word = oci_names_of (&oci_namespaces, (uint64_t)(unsigned int)type);

    return word ? word : "?";
}

int namespaces_prepare (const struct oci_linux *linux, struct namespaces *namespaces,
                        struct error *err)
{
    namespaces->count = 0;
    for (size_t i = 0; i < linux->namespaces.count && namespaces->count < NAMESPACES_MAX; i++) {
        const struct oci_namespace *one = &linux->namespaces.items[i];
        if (!one->path)
            continue;
        AUTO_FD int fd = ns_open (one->path);
        if (fd < 0) {
            error_set (err, "RT-NS-OPEN", errno, "cannot open the %s namespace %s",
                       type_word (one->type), one->path);
            return error_at (err, "/linux/namespaces/%zu/path", i);
        }
        int type = ns_type (fd);
        if (type != one->type) {
            error_set (err, "RT-NS-TYPE", 0, "%s is a %s namespace, not a %s namespace", one->path,
                       type < 0 ? "broken" : type_word (type), type_word (one->type));
            return error_at (err, "/linux/namespaces/%zu/path", i);
        }
        namespaces->joins[namespaces->count++] =
            (struct namespace_join){.type = type, .fd = take_fd (&fd), .index = i};
    }
    return 0;
}

static int join_error (const struct namespace_join *join, int errnum, struct error *err)
{
    error_set (err, "RT-NS-JOIN", errnum, "cannot join the %s namespace", type_word (join->type));
    error_at (err, "/linux/namespaces/%zu", join->index);
    if (errnum == EPERM)
        return error_hint (err, "it belongs to a user namespace in which rt has no rights");
    return -1;
}

static struct namespace_join *find (struct namespaces *namespaces, int type)
{
    for (size_t i = 0; i < namespaces->count; i++)
        if (namespaces->joins[i].type == type)
            return &namespaces->joins[i];
    return NULL;
}

int namespaces_prepare_pid (struct namespaces *namespaces, struct error *err)
{
    struct namespace_join *pid = find (namespaces, CLONE_NEWPID);
    struct namespace_join *user = find (namespaces, CLONE_NEWUSER);

    namespaces->pid_first = pid && !user;
    if (!pid || !user)
        return 0;
    int owned = ns_is_owned_by (pid->fd, user->fd);
    if (owned < 0) {
        error_set (err, "RT-NS-OPEN", errno, "cannot ask for the owner of the pid namespace");
        return error_at (err, "/linux/namespaces/%zu", pid->index);
    }
    namespaces->pid_first = owned == 0;
    return 0;
}

static bool is_left (const struct namespaces *namespaces, const struct namespace_join *join)
{
    return join->done || (join->type == CLONE_NEWPID && !namespaces->pid_first);
}

int namespaces_apply (struct namespaces *namespaces, struct error *err)
{
    struct namespace_join *user = find (namespaces, CLONE_NEWUSER);

    for (size_t i = 0; i < namespaces->count; i++) {
        struct namespace_join *join = &namespaces->joins[i];
        if (join == user || is_left (namespaces, join))
            continue;
        join->done = ns_join (join->fd, join->type) == 0;
        if (!join->done && errno != EPERM)
            return join_error (join, errno, err);
    }
    if (user && ns_join (user->fd, CLONE_NEWUSER) < 0)
        return join_error (user, errno, err);
    if (user)
        user->done = true;
    for (size_t i = 0; i < namespaces->count; i++) {
        struct namespace_join *join = &namespaces->joins[i];
        if (is_left (namespaces, join))
            continue;
        if (ns_join (join->fd, join->type) < 0)
            return join_error (join, errno, err);
        join->done = true;
    }
    return 0;
}

int namespaces_apply_pid (struct namespaces *namespaces, struct error *err)
{
    struct namespace_join *pid = find (namespaces, CLONE_NEWPID);

    if (!pid || pid->done)
        return 0;
    if (ns_join (pid->fd, CLONE_NEWPID) < 0)
        return join_error (pid, errno, err);
    pid->done = true;
    return 0;
}

int namespaces_fd (const struct namespaces *namespaces, int type)
{
    for (size_t i = 0; i < namespaces->count; i++)
        if (namespaces->joins[i].type == type)
            return namespaces->joins[i].fd;
    return -1;
}

int namespaces_take (struct namespaces *namespaces, int type)
{
    for (size_t i = 0; i < namespaces->count; i++)
        if (namespaces->joins[i].type == type)
            return take_fd (&namespaces->joins[i].fd);
    return -1;
}

void namespaces_release (struct namespaces *namespaces)
{
    for (size_t i = 0; i < namespaces->count; i++)
        drop_fd (&namespaces->joins[i].fd);
    namespaces->count = 0;
}
