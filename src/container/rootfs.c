/* SPDX-License-Identifier: Apache-2.0 */
/* rootfs: see rootfs.h. */
#include "container/rootfs.h"

#include "base/cleanup.h"
#include "kernel/nsroot.h"
#include "kernel/oldroot.h"
#include "kernel/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

unsigned long rootfs_propagation_to_host (unsigned long propagation)
{
    /* Private cuts both ways; everything else must still hear of the host's mounts. */
    return (propagation & (MS_PRIVATE | MS_UNBINDABLE) ? MS_PRIVATE : MS_SLAVE) | MS_REC;
}

static int check_shared (const struct oci_config *config, struct error *err)
{
    const struct oci_namespace *joined = oci_config_namespace (config, CLONE_NEWNS);
    const struct {
        const char *pointer;
        bool asked_for;
    } wants[] = {
        {"/mounts", config->mounts.count > 0},
        {"/root/readonly", config->root->readonly},
        {"/linux/rootfsPropagation", config->linux.rootfs_propagation != 0},
        {"/linux/maskedPaths", config->linux.masked_paths.count > 0},
        {"/linux/readonlyPaths", config->linux.readonly_paths.count > 0},
        {"/linux/devices", config->linux.devices.count > 0},
    };

    for (size_t i = 0; i < sizeof (wants) / sizeof (wants[0]); i++) {
        if (!wants[i].asked_for)
            continue;
        error_set (
            err, "RT-ROOT-SHARED", 0,
            "%s needs a mount namespace of the container's own: it would change %s, and stay "
            "there when the container is gone",
            wants[i].pointer + 1, joined ? "the one that is joined" : "the host's");
        return error_at (err, "%s", wants[i].pointer);
    }
    /* It would be looked for, and executed with all rights, in another user's files. */
    if (!joined || config->hooks[OCI_HOOK_CREATE_CONTAINER].count == 0)
        return 0;
    error_set (err, "RT-ROOT-SHARED", 0,
               "createContainer hooks cannot run where a mount namespace is joined: the host's "
               "files are out of sight in it");
    return error_at (err, "/hooks/createContainer");
}

int rootfs_check (const struct oci_config *config, bool no_pivot, struct error *err)
{
    if (!oci_config_own_mounts (config))
        return check_shared (config, err);
    if (!no_pivot || !(config->linux.rootfs_propagation & (MS_PRIVATE | MS_UNBINDABLE)))
        return 0;
    error_set (err, "RT-ROOT-PROPAGATION", 0,
               "a root that is private is not safe with --no-pivot: what the host unmounts would "
               "stay mounted below it");
    error_hint (err, "use rslave, or leave rootfsPropagation out");
    return error_at (err, "/linux/rootfsPropagation");
}

static int open_error (const struct rootfs *rootfs, struct error *err)
{
    error_set (err, "RT-ROOT-OPEN", errno, "cannot open the root file system %s", rootfs->path);
    error_at (err, "/root/path");
    if (rootfs->joined)
        return error_hint (err, "it is looked up in the mount namespace that is joined");
    return -1;
}

int rootfs_prepare (struct rootfs *rootfs, const char *path, struct error *err)
{
    struct opener_look look;
    int opened = -1;

    rootfs->path = path;
    if (rootfs->joined)
        return 0;
    enum opener_outcome outcome = opener_open (path, O_DIRECTORY, &opened, &look, err);
    if (outcome != OPENER_DONE)
        return outcome == OPENER_STALLED ? error_at (err, "/root/path") : open_error (rootfs, err);
    AUTO_FD int fd = opened;
    rootfs->device = look.device;
    rootfs->inode = look.inode;
    if (!rootfs->own_mounts) {
        rootfs->tree.fd = take_fd (&fd);
        return 0;
    }
    struct mountfd tree = MOUNTFD_INIT;
    /* An unbindable mount can be copied where nothing is shared with the host any more. */
    if (mountfd_bind (&tree, fd, "", MOUNTFD_RECURSIVE) < 0 && errno != EINVAL) {
        error_set (err, "RT-ROOT-COPY", errno, "cannot copy the mounts of %s", path);
        return error_at (err, "/root/path");
    }
    if (tree.by_mount)
        mountfd_close (&tree);
    rootfs->tree = tree;
    rootfs->tree.by_mount = false;
    return 0;
}

/* The inside's own copy, where the outside could not make one. */
static int copy_inside (struct rootfs *rootfs, struct error *err)
{
    struct stat st;

    int bound = mountfd_bind (&rootfs->tree, AT_FDCWD, rootfs->path, MOUNTFD_RECURSIVE);
    if (bound < 0 && errno == EINVAL && mountfd_allow_bind (rootfs->path, false) == 0)
        bound = mountfd_bind (&rootfs->tree, AT_FDCWD, rootfs->path, MOUNTFD_RECURSIVE);
    if (bound < 0)
        return error_set (err, "RT-ROOT-COPY", errno, "cannot copy the mounts of %s", rootfs->path);
    if (fstat (rootfs->tree.fd, &st) < 0 || st.st_dev != rootfs->device ||
        st.st_ino != rootfs->inode)
        return error_set (err, "RT-ROOT-RACE", 0, "%s is not the directory it was a moment ago",
                          rootfs->path);
    return 0;
}

/* The place for the tree: its own path, where hooks and later sources look for it; over "/" where
 * the container's root cannot reach that path. */
static int open_place (const struct rootfs *rootfs)
{
    struct stat st;
    AUTO_FD int fd = open (rootfs->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && fstat (fd, &st) == 0 && st.st_dev == rootfs->device &&
        st.st_ino == rootfs->inode)
        return take_fd (&fd);
    if (rootfs->tree.by_mount) /* mount(2) needs the path itself */
        return -1;
    return open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int rootfs_apply_attach (struct rootfs *rootfs, unsigned long propagation, struct error *err)
{
    unsigned long to_host = rootfs_propagation_to_host (propagation);

    if (rootfs->joined)
        rootfs->tree.fd = open (rootfs->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!rootfs->own_mounts)
        return rootfs->tree.fd < 0 ? open_error (rootfs, err) : 0;
    if (nsroot_propagate (to_host, &rootfs->below, err) < 0)
        return -1;
    if (rootfs->tree.fd < 0 && copy_inside (rootfs, err) < 0)
        return error_at (err, "/root/path");

    AUTO_FD int place = open_place (rootfs);
    int attached = place < 0 ? -1 : mountfd_attach (&rootfs->tree, place, AT_FDCWD, rootfs->path);
    /* The copy of the outside has pinned mount namespaces below it, which have no place in here. */
    if (place >= 0 && attached < 0 && errno == ELOOP) {
        mountfd_close (&rootfs->tree);
        if (copy_inside (rootfs, err) < 0)
            return error_at (err, "/root/path");
        attached = mountfd_attach (&rootfs->tree, place, AT_FDCWD, rootfs->path);
    }
    if (attached < 0 || mountfd_propagate (rootfs->tree.fd, to_host) < 0) {
        error_set (err, "RT-ROOT-ATTACH", errno, "cannot mount the root file system %s",
                   rootfs->path);
        return error_at (err, "/root/path");
    }
    return 0;
}

int rootfs_apply_readonly (const struct rootfs *rootfs, struct error *err)
{
    if (mountfd_setattr (rootfs->tree.fd, MOUNT_ATTR_RDONLY, 0, false) < 0) {
        error_set (err, "RT-ROOT-READONLY", errno, "cannot make the root file system read-only");
        return error_at (err, "/root/readonly");
    }
    return 0;
}

int rootfs_apply_enter (struct rootfs *rootfs, bool no_pivot, unsigned long propagation,
                        struct error *err)
{
    int root = rootfs->tree.fd;
    int failed = 0;

    /* The paths of hooks and sources were those of the chroot; from here on none is looked up. */
    if (rootfs->own_mounts && rootfs->below && nsroot_enter (err) < 0)
        return -1;
    if (rootfs->own_mounts)
        failed = no_pivot ? mountfd_move_over_root (root) : mountfd_pivot (root);
    if (!failed && rootfs->own_mounts && no_pivot && oldroot_clear (root, err) < 0)
        return -1;
    if (!failed && (!rootfs->own_mounts || no_pivot))
        failed = mountfd_enter (root);
    if (failed) {
        error_set (err, "RT-ROOT-ENTER", errno, "cannot make %s the root directory", rootfs->path);
        if (errno == EINVAL && !no_pivot)
            return error_hint (err, "if the host's root is an initramfs, use --no-pivot");
        return -1;
    }
    if (propagation && mountfd_propagate_root (propagation) < 0) {
        error_set (err, "RT-ROOT-PROPAGATION", errno, "cannot set the propagation of /");
        return error_at (err, "/linux/rootfsPropagation");
    }
    return 0;
}

void rootfs_release (struct rootfs *rootfs)
{
    mountfd_close (&rootfs->tree);
}
