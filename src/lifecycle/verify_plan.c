/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_plan: what is to be compared, from the document and what is opened; see verify.h.
 */
#include "lifecycle/verify.h"

#include "base/cleanup.h"
#include "kernel/privileges.h"
#include "kernel/procdir.h"
#include "oci-spec/annotations.h"

#include <errno.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

const struct verify_kind verify_kinds[VERIFY_NAMESPACES] = {
    {"mnt", CLONE_NEWNS},    {"pid", CLONE_NEWPID},       {"net", CLONE_NEWNET},
    {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS},       {"user", CLONE_NEWUSER},
    {"time", CLONE_NEWTIME}, {"cgroup", CLONE_NEWCGROUP},
};

struct verify_namespace *verify_namespace (struct verify *verify, int type)
{
    for (size_t i = 0; i < VERIFY_NAMESPACES; i++)
        if (verify_kinds[i].type == type)
            return &verify->namespaces[i];
    return NULL;
}

int verify_init (struct verify *verify, struct arena *arena, bool of_parent, struct error *err)
{
    struct verify made = {.arena = arena, .filters = -1, .may_look = procdir_may_trace ()};
    AUTO_FD int own = procdir_open_own ();
    const char *status = own < 0 ? NULL : procdir_read (own, "status", arena);

    if (!status)
        return error_set (err, "RT-VERIFY-LOOK", errno, "cannot read rt's own status from /proc");
    if (process_status_parse (arena, status, &made.parent.status, err) < 0)
        return -1;
    int secure = prctl (PR_GET_SECUREBITS, 0, 0, 0, 0);
    if (secure < 0)
        return error_set (err, "RT-VERIFY-LOOK", errno, "cannot read rt's own securebits");
    made.parent.known = of_parent;
    made.parent.no_ambient = secure & SECBIT_NO_CAP_AMBIENT_RAISE;
    made.known_caps = ~0ULL >> (63 - capabilities_last ());
    *verify = made;
    return 0;
}

void verify_document (struct verify *verify, const struct oci_config *config,
                      const struct oci_process *process, int filters)
{
    verify->user = &process->user;
    verify->groups = oci_annotation (config, OCI_ANNOTATION_KEEP_GROUPS) ? VERIFY_GROUPS_CALLER
                                                                         : VERIFY_GROUPS_SET;
    verify->compare_caps = true;
    verify->caps = process->capabilities;
    verify->compare_nnp = true;
    verify->no_new_privs = process->no_new_privileges.value;
    verify->filters = filters;
    verify->apparmor = process->apparmor_profile;
    verify->selinux = process->selinux_label;
    verify->linux = &config->linux;
}

static int take_joined (struct verify *verify, const struct namespace_join *join, struct error *err)
{
    struct verify_namespace *expected = verify_namespace (verify, join->type);
    struct stat st;

    if (!expected || fstat (join->fd, &st) < 0)
        return verify_namespace_error (verify, join->type, err,
                                       "cannot look at the namespace that is to be joined");
    *expected = (struct verify_namespace){.is = VERIFY_EXACT, .inode = st.st_ino};
    return 0;
}

/* The directory that root.path was when it was resolved. In a mount namespace that is joined only
 * its own path says which that is. */
static struct verify_root expect_root (const struct rootfs *rootfs)
{
    if (rootfs->joined)
        return (struct verify_root){.is = VERIFY_OTHER};
    return (struct verify_root){
        .is = VERIFY_EXACT, .device = rootfs->device, .inode = rootfs->inode};
}

int verify_made (struct verify *verify, const struct oci_config *config,
                 const struct namespaces *joined, const struct rootfs *rootfs, struct error *err)
{
    size_t with_path = 0;

    for (size_t i = 0; i < VERIFY_NAMESPACES; i++) {
        const struct oci_namespace *asked = oci_config_namespace (config, verify_kinds[i].type);
        verify->namespaces[i] = (struct verify_namespace){.is = asked ? VERIFY_OTHER : VERIFY_OWN};
        with_path += asked && asked->path;
    }
    if (with_path != joined->count)
        return error_set (err, "RT-VERIFY-LOOK", 0,
                          "%zu namespaces are to be joined, and %zu are opened", with_path,
                          joined->count);
    for (size_t i = 0; i < joined->count; i++)
        if (take_joined (verify, &joined->joins[i], err) < 0)
            return -1;
    verify->root = expect_root (rootfs);
    return 0;
}

static struct verify_root exactly (const struct procdir_root *root)
{
    return (struct verify_root){
        .is = VERIFY_EXACT, .device = root->device, .inode = root->inode, .mount = root->mount};
}

static int look_root (int directory, struct procdir_root *root, struct error *err)
{
    if (procdir_root (directory, root) == 0)
        return 0;
    if (errno != EACCES || procdir_may_trace ())
        return error_set (err, "RT-VERIFY-LOOK", errno, "cannot look at the container's root");
    *root = (struct procdir_root){.inode = 0};
    return 0;
}

int verify_look_root (pid_t pid, int pidfd, struct procdir_root *root, struct error *err)
{
    AUTO_FD int directory = procdir_open (pid, pidfd);

    if (directory < 0)
        return error_set (err, "RT-VERIFY-LOOK", errno, "cannot look at the container's init");
    return look_root (directory, root, err);
}

/* That of the mount namespace. */
static int expect_joined_root (struct verify *verify, int directory, const struct record *record,
                               struct error *err)
{
    const struct procdir_root made = {.device = (dev_t)record->root_device,
                                      .inode = (ino_t)record->root_inode,
                                      .mount = record->root_mount};
    struct procdir_root now;

    if (look_root (directory, &now, err) < 0)
        return -1;
    verify->root = now.inode ? exactly (&now) : (struct verify_root){.is = VERIFY_OTHER};
    if (now.inode && made.inode)
        verify->or_root = exactly (&made);
    return 0;
}

/* Those of `types`, in the directory of rt's own. */
static int look_at_own (struct verify *verify, int own, int types, struct error *err)
{
    struct verify_parent *parent = &verify->parent;

    for (size_t i = 0; i < VERIFY_NAMESPACES; i++) {
        if (!(verify_kinds[i].type & types))
            continue;
        parent->namespaces[i] = 0;
        if (procdir_namespace (own, verify_kinds[i].file, &parent->namespaces[i]) < 0 &&
            errno != ENOENT)
            return error_set (err, "RT-VERIFY-LOOK", errno, "cannot look at rt's own %s namespace",
                              verify_kinds[i].file);
        parent->looked |= 1u << i;
    }
    return 0;
}

int verify_look_at_own (struct verify *verify, struct error *err)
{
    AUTO_FD int own = procdir_open_own ();

    return own < 0 ? error_set (err, "RT-VERIFY-LOOK", errno, "cannot look at rt's own namespaces")
                   : look_at_own (verify, own, ~0, err);
}

int verify_joined (struct verify *verify, const struct oci_config *config,
                   const struct record *record, int pidfd, int root, struct error *err)
{
    AUTO_FD int directory = procdir_open (record->pid, pidfd);
    AUTO_FD int own = procdir_open_own ();
    struct procdir_root entered;
    ino_t ignored;

    verify->linux = &config->linux;
    if (directory < 0 || own < 0)
        return error_set (err, "RT-VERIFY-LOOK", errno, "cannot look at the container's init");
    if (look_at_own (verify, own, CLONE_NEWUSER, err) < 0)
        return -1;
    for (size_t i = 0; i < VERIFY_NAMESPACES; i++) {
        struct verify_namespace *one = &verify->namespaces[i];
        *one = (struct verify_namespace){.is = VERIFY_EXACT};
        if (procdir_namespace (directory, verify_kinds[i].file, &one->inode) == 0)
            continue;
        int saved = errno;
        if (saved != ENOENT || procdir_namespace (own, verify_kinds[i].file, &ignored) == 0)
            return error_set (err, "RT-VERIFY-LOOK", saved,
                              "cannot look at the %s namespace of the container's init",
                              verify_kinds[i].file);
        one->is = VERIFY_OWN; /* this kernel has no such kind */
    }
    if (root < 0)
        return expect_joined_root (verify, directory, record, err);
    if (procdir_root_of (root, &entered) < 0)
        return error_set (err, "RT-VERIFY-LOOK", errno, "cannot look at the container's root");
    verify->root = exactly (&entered);
    return 0;
}
