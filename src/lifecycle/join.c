/* SPDX-License-Identifier: Apache-2.0 */
/* join: see join.h. */
#include "lifecycle/join.h"

#include "base/cleanup.h"
#include "container/namespaces.h"
#include "kernel/ns.h"
#include "kernel/pidfd.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const struct kind {
    const char *file;
    int type;
} kinds[] = {
    {"user", CLONE_NEWUSER},     {"mnt", CLONE_NEWNS},    {"pid", CLONE_NEWPID},
    {"net", CLONE_NEWNET},       {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS},
    {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME},
};

#define KINDS (sizeof (kinds) / sizeof (kinds[0]))

/* Entering one's own user namespace is refused, and one's own pid namespace costs a process. The
 * others root may enter again, which takes less time than to look at each. */
#define LOOKED_AT (CLONE_NEWUSER | CLONE_NEWPID)

static int gone (const char *id, struct error *err)
{
    return error_set (err, "RT-NOT-RUNNING", 0, "container not running: %s", id);
}

bool join_is_alive (const struct join *join)
{
    return pidfd_wait_dead (join->pidfd, 0) != 1; /* a look that fails is not its death */
}

/* Whether it is alive is asked last: one that ends just now is also refused with EACCES or ESRCH.
 */
bool join_is_leaving (const struct join *join)
{
    AUTO_FD int fd = ns_open_process (join->init, "mnt");
    bool has_none = fd < 0 && errno == ENOENT;

    return has_none || !join_is_alive (join);
}

int join_prepare (struct join *join, pid_t init, uint64_t start_time, const char *id,
                  struct error *err)
{
    struct join found = {.init = init};
    AUTO_FD int pidfd = pidfd_open_exact (init, start_time);

    if (pidfd < 0)
        return errno == ESRCH
                   ? gone (id, err)
                   : error_set (err, "RT-EXEC-INIT", errno, "cannot open the init of %s", id);
    found.pidfd = pidfd;
    int looked_at = geteuid () == 0 ? LOOKED_AT : ~0;
    for (size_t i = 0; i < KINDS; i++) {
        int shared = kinds[i].type & looked_at ? ns_is_shared (init, kinds[i].file) : 0;
        int saved = errno;
        if (shared < 0 && join_is_leaving (&found))
            return gone (id, err);
        if (shared < 0)
            return error_set (err, "RT-NS-OPEN", saved, "cannot look at the %s namespace of %s",
                              kinds[i].file, id);
        if (!shared)
            found.types |= kinds[i].type;
    }
    /* Its number had not been given to another process when that was looked at. */
    if (!join_is_alive (&found))
        return gone (id, err);
    found.pidfd = take_fd (&pidfd);
    *join = found;
    return 0;
}

int join_open_root (const struct join *join, const char *id, int *root, struct error *err)
{
    AUTO_FD int fd = ns_open_root (join->init);
    int saved = errno;

    if (!join_is_alive (join))
        return gone (id, err);
    if (fd < 0)
        return error_set (err, "RT-ROOT-OPEN", saved, "cannot open the root directory of %s", id);
    *root = take_fd (&fd);
    return 0;
}

void join_release (struct join *join)
{
    drop_fd (&join->pidfd);
}

/* Where in the document it is asked for. */
static size_t index_of (const struct oci_linux *linux, int type)
{
    for (size_t i = 0; i < linux->namespaces.count; i++)
        if (linux->namespaces.items[i].type == type)
            return i;
    return 0;
}

static int init_died (struct error *err)
{
    return error_set (err, "RT-NOT-RUNNING", 0, "container not running: its init has died");
}

/* One by one; and the better answer to why something is refused. */
static int enter_by_files (const struct join *join, int types, const struct oci_linux *linux,
                           struct error *err)
{
    struct namespaces namespaces = {.count = 0};
    int failed = 0;

    for (size_t i = 0; i < KINDS && !failed; i++) {
        if (!(types & kinds[i].type))
            continue;
        int fd = ns_open_process (join->init, kinds[i].file);
        int saved = errno;
        if (fd < 0 && join_is_leaving (join))
            failed = init_died (err);
        else if (fd < 0)
            failed = error_set (err, "RT-NS-OPEN", saved, "cannot open the %s namespace of init",
                                kinds[i].file);
        else
            namespaces.joins[namespaces.count++] = (struct namespace_join){
                .type = kinds[i].type, .fd = fd, .index = index_of (linux, kinds[i].type)};
    }
    if (!failed && !join_is_alive (join))
        failed = init_died (err);
    if (!failed)
        failed = namespaces_apply (&namespaces, err);
    namespaces_release (&namespaces);
    return failed;
}

/* What cannot be looked at is left in: entering it says why. */
static int without_shared (const struct join *join, int types)
{
    for (size_t i = 0; i < KINDS; i++)
        if (types & kinds[i].type && ns_is_shared (join->init, kinds[i].file) == 1)
            types &= ~kinds[i].type;
    return types;
}

int join_enter (const struct join *join, int types, const struct oci_linux *linux,
                struct error *err)
{
    int wanted = join->types & types;

    if (wanted == 0 || ns_join_process (join->pidfd, wanted) == 0)
        return 0;
    /* A root without rights over the host's own, or a kernel that does not know one of them. */
    wanted = without_shared (join, wanted);
    if (wanted == 0 || ns_join_process (join->pidfd, wanted) == 0)
        return 0;
    return enter_by_files (join, wanted, linux, err);
}
