/* SPDX-License-Identifier: Apache-2.0 */
/* verify: see verify.h. */
#include "lifecycle/verify.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "cgroup/within.h"
#include "container/apparmor.h"
#include "container/selinux.h"
#include "kernel/procdir.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>

/* One process that is looked at. */
struct look {
    const struct verify *verify;
    struct arena *arena;
    int process; /* kernel/procdir: its */
    int *own;    /* and rt's; -1 until something of it is asked for */
};

static int own_of (const struct look *look)
{
    if (*look->own < 0)
        *look->own = procdir_open_own ();
    return *look->own;
}

int verify_namespace_error (const struct verify *verify, int type, struct error *err,
                            const char *format, ...)
{
    const struct oci_linux *linux = verify->linux;
    char text[256];
    va_list arguments;

    va_start (arguments, format);
    (void)vsnprintf (text, sizeof (text), format, arguments);
    va_end (arguments);
    error_set (err, "RT-VERIFY-NAMESPACE", 0, "%s", text);
    for (size_t i = 0; linux && i < linux->namespaces.count; i++)
        if (linux->namespaces.items[i].type == type)
            return error_at (err, "/linux/namespaces/%zu", i);
    return error_at (err, "/linux/namespaces");
}

static size_t index_of (int type)
{
    size_t i = 0;

    while (verify_kinds[i].type != type)
        i++;
    return i;
}

static int cannot (const char *what, struct error *err)
{
    int saved = errno;

    error_set (err, "RT-VERIFY-LOOK", saved, "cannot look at %s of the process", what);
    if (saved == ESRCH || saved == ENOENT)
        return error_hint (err, "it has ended, or /proc is mounted with hidepid");
    if (saved == EACCES || saved == EPERM)
        return error_hint (err, "rt needs CAP_SYS_PTRACE, or a policy that lets it look");
    return -1;
}

/* What is denied to a parent of this kind, and only that. */
static bool is_denied (const struct look *look)
{
    return !look->verify->may_look && errno == EACCES;
}

static int parse (const struct look *look, const char *file, struct process_id_map *map,
                  struct error *err)
{
    const char *text = procdir_read (look->process, file, look->arena);

    return text ? process_id_map_parse (look->arena, text, map, err) : cannot (file, err);
}

/* Where that may not be looked at. Two namespaces of the same map call each id alike, as what the
 * map of one below rt's leads to are ids of rt's own. */
static int has_own_map (const struct look *look, bool *own, struct error *err)
{
    const char *map = procdir_read (look->process, "uid_map", look->arena);
    int self = own_of (look);
    const char *mine = self < 0 ? NULL : procdir_read (self, "uid_map", look->arena);

    if (!map || !mine)
        return cannot ("the user namespace", err);
    *own = text_equal (map, mine);
    return 0;
}

/* The number of one's own; 0 where the kernel has no such kind. */
static int own_namespace (const struct look *look, size_t index, ino_t *inode)
{
    const struct verify_parent *parent = &look->verify->parent;
    bool known = parent->looked >> index & 1;
    int self = known ? -1 : own_of (look);

    *inode = known ? parent->namespaces[index] : 0;
    if (known)
        return 0;
    if (self < 0)
        return -1;
    return procdir_namespace (self, verify_kinds[index].file, inode) < 0 && errno != ENOENT ? -1
                                                                                            : 0;
}

/* Is the user namespace the parent's? By the plan, if it says so; that is compared with the
 * kernel's word later. */
static int is_own_userns (const struct look *look, bool *own, struct error *err)
{
    const size_t index = index_of (CLONE_NEWUSER);
    struct verify_namespace expected = look->verify->namespaces[index];
    ino_t mine;

    *own = expected.is == VERIFY_OWN;
    if (expected.is == VERIFY_OWN || expected.is == VERIFY_OTHER)
        return 0;
    if (own_namespace (look, index, &mine) < 0)
        return cannot ("the user namespace", err);
    *own = mine == 0; /* this kernel has no such kind */
    if (*own)
        return 0;
    if (expected.is == VERIFY_ANY && procdir_namespace (look->process, "user", &expected.inode) < 0)
        return is_denied (look) ? has_own_map (look, own, err) : cannot ("the user namespace", err);
    *own = mine == expected.inode;
    return 0;
}

/* Asked only where it makes a difference. */
static int read_setgroups (const struct look *look, bool *denied, struct error *err)
{
    const char *word = procdir_read (look->process, "setgroups", look->arena);

    if (!word)
        return cannot ("setgroups", err);
    *denied = text_starts_with (word, "deny");
    return 0;
}

static int check_status (const struct look *look, struct process_status *status, struct error *err)
{
    const struct verify *verify = look->verify;
    struct verify_view view = {.own_userns = true};
    const char *text = procdir_read (look->process, "status", look->arena);

    if (!text)
        return cannot ("the status", err);
    if (process_status_parse (look->arena, text, status, err) < 0)
        return -1;
    if (status->state == 'Z' || status->state == 'X')
        return error_set (err, "RT-VERIFY-LOOK", 0, "the process has ended");
    if ((verify->user || verify->compare_caps) && is_own_userns (look, &view.own_userns, err) < 0)
        return -1;
    if (verify->user && !view.own_userns &&
        (parse (look, "uid_map", &view.uid, err) < 0 ||
         parse (look, "gid_map", &view.gid, err) < 0))
        return -1;
    if (verify->user && verify->groups == VERIFY_GROUPS_SET && status->group_count > 0 &&
        verify->user->additional_gids.count == 0 &&
        read_setgroups (look, &view.setgroups_denied, err) < 0)
        return -1;
    return verify_status (verify, status, &view, err);
}

static int check_namespace (const struct look *look, size_t index, struct error *err)
{
    const struct verify_namespace *expected = &look->verify->namespaces[index];
    const struct verify_kind *kind = &verify_kinds[index];
    const char *word = oci_names_of (&oci_namespaces, (uint64_t)(unsigned int)kind->type);
    ino_t has = 0;
    ino_t own = 0;

    if (expected->is == VERIFY_ANY || (expected->is == VERIFY_OWN && !look->verify->parent.known))
        return 0;
    /* One that is named is there. */
    bool named = expected->is == VERIFY_EXACT;
    if (!named && own_namespace (look, index, &own) < 0)
        return cannot ("the namespaces", err);
    if ((named || own != 0) && procdir_namespace (look->process, kind->file, &has) < 0)
        return is_denied (look) ? 0 : cannot ("the namespaces", err);
    switch (expected->is) {
    case VERIFY_OWN:
        if (has == own)
            return 0;
        return verify_namespace_error (look->verify, kind->type, err,
                                       "the kernel says that the process is in another %s "
                                       "namespace than rt, which is not asked for",
                                       word);
    case VERIFY_OTHER:
        if (has != own)
            return 0;
        return verify_namespace_error (look->verify, kind->type, err,
                                       "the kernel says that the process is in rt's own %s "
                                       "namespace",
                                       word);
    case VERIFY_EXACT:
        if (has == expected->inode)
            return 0;
        return verify_namespace_error (
            look->verify, kind->type, err,
            "the kernel says that the process is in the %s namespace %ju, not in %ju", word,
            (uintmax_t)has, (uintmax_t)expected->inode);
    case VERIFY_ANY:
        break;
    }
    return 0;
}

static int root_error (const char *text, struct error *err)
{
    error_set (err, "RT-VERIFY-ROOT", 0,
               "the kernel says that the root directory of the process is %s", text);
    return error_at (err, "/root");
}

static bool is_same_root (const struct procdir_root *a, const struct procdir_root *b)
{
    return a->device == b->device && a->inode == b->inode && a->mount == b->mount;
}

static bool is_expected_root (const struct verify_root *expected, const struct procdir_root *has)
{
    return has->device == expected->device && has->inode == expected->inode &&
           (expected->mount == 0 || has->mount == expected->mount);
}

/* Where the root may not be looked at: by the mounts that the process sees. Equal are those of one
 * mount namespace and one root alone. */
static int check_mounts (const struct look *look, const struct procdir_root *own, struct error *err)
{
    const struct verify_root *expected = &look->verify->root;
    enum verify_is mounts = look->verify->namespaces[index_of (CLONE_NEWNS)].is;
    bool is_own = (mounts == VERIFY_OWN || mounts == VERIFY_ANY) &&
                  (expected->is == VERIFY_OWN ||
                   (expected->is == VERIFY_EXACT && is_expected_root (expected, own)));
    uint64_t has;
    uint64_t mine;
    int self = own_of (look);

    if (self < 0 || procdir_first_mount (look->process, &has) < 0 ||
        procdir_first_mount (self, &mine) < 0)
        return cannot ("the mounts", err);
    if ((has == mine) == is_own)
        return 0;
    return root_error (is_own ? "another one than rt's" : "rt's own", err);
}

static int check_root (const struct look *look, struct error *err)
{
    const struct verify_root *expected = &look->verify->root;
    struct procdir_root has;
    struct procdir_root own;

    if (expected->is == VERIFY_ANY)
        return 0;
    bool seen = procdir_root (look->process, &has) == 0;
    if (!seen && !is_denied (look))
        return cannot ("the root directory", err);
    if (seen && expected->is == VERIFY_EXACT)
        return is_expected_root (expected, &has) ||
                       (look->verify->or_root.is == VERIFY_EXACT &&
                        is_expected_root (&look->verify->or_root, &has))
                   ? 0
                   : root_error ("not the one that was to be entered", err);
    int self = own_of (look);
    if (self < 0 || procdir_root (self, &own) < 0)
        return cannot ("the root directory", err);
    if (!seen)
        return check_mounts (look, &own, err);
    if (is_same_root (&has, &own) == (expected->is == VERIFY_OWN))
        return 0;
    return root_error (expected->is == VERIFY_OWN ? "another one than rt's" : "rt's own", err);
}

static int check_cgroup (const struct look *look, struct error *err)
{
    const struct oci_map *paths = look->verify->cgroup;
    const struct oci_pair *outside;
    const char *instead;

    if (!paths || paths->count == 0)
        return 0;
    const char *text = procdir_read (look->process, "cgroup", look->arena);
    if (!text)
        return cannot ("the cgroup", err);
    int within = cgroup_within (look->arena, paths, text, &outside, &instead, err);
    if (within != 0)
        return within < 0 ? -1 : 0;
    error_set (err, "RT-VERIFY-CGROUP", 0,
               "the kernel says that the process is in the cgroup %s of %s, not in %s", instead,
               outside->key[0] ? outside->key : "v2", outside->value);
    return error_at (err, "/linux/cgroupsPath");
}

int verify_process (const struct verify *verify, pid_t pid, int pidfd, struct error *err)
{
    AUTO_ARENA struct arena forgotten = ARENA_INIT;
    AUTO_FD int process = procdir_open (pid, pidfd);
    AUTO_FD int own = -1;
    const struct look look = {.verify = verify,
                              .arena = verify->arena ? verify->arena : &forgotten,
                              .process = process,
                              .own = &own};
    struct process_status status;

    if (process < 0)
        return cannot ("the directory in /proc", err);
    if (check_status (&look, &status, err) < 0 ||
        apparmor_verify (process, verify->apparmor, err) < 0 ||
        selinux_verify (process, verify->selinux, err) < 0)
        return -1;
    for (size_t i = 0; i < VERIFY_NAMESPACES; i++)
        if (check_namespace (&look, i, err) < 0)
            return -1;
    return check_root (&look, err) < 0 ? -1 : check_cgroup (&look, err);
}

int verify_executed (const struct verify *verify, pid_t pid, int pidfd, struct error *err)
{
    AUTO_FD int process = -1;

    if (!verify->apparmor || !verify->apparmor[0])
        return 0;
    process = procdir_open (pid, pidfd);
    if (process < 0)
        return errno == ESRCH ? 0 : cannot ("the directory in /proc", err);
    return apparmor_verify_executed (process, verify->apparmor, err);
}
