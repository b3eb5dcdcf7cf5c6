/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootfs: root.path becomes "/" (config.md, "Root"; config-linux.md, "Rootfs Mount Propagation").
 *
 * The tree is copied as a detached mount outside, where its path can be reached whatever the
 * container's user namespace maps, and is attached inside: at its own path, or over "/" of the new
 * mount namespace where that path cannot be reached. Until pivot_root the process's own "/" is
 * still the host's, so sources of mounts are found as the host sees them.
 *
 * A container without a mount namespace of its own (`own_mounts` false) gets the directory as it
 * is, by chroot: nothing is mounted, copied or changed in a namespace that others live in. Where a
 * mount namespace is joined, root.path is looked up in that one.
 */
#ifndef RT_CONTAINER_ROOTFS_H
#define RT_CONTAINER_ROOTFS_H

#include "base/error.h"
#include "kernel/mountfd.h"
#include "oci-spec/config.h"

#include <stdbool.h>
#include <sys/types.h>

struct rootfs {
    const char *path;    /* absolute, of the host */
    struct mountfd tree; /* after rootfs_apply_attach: tree.fd is the container's root directory */
    dev_t device;        /* what the path was when it was resolved (RFS-16) */
    ino_t inode;
    bool own_mounts;
    bool joined; /* the path is one of the mount namespace that is joined */
    bool below;  /* inside: a chroot of the caller's, see kernel/nsroot.h */
};

/* How mounts of the container hear of the host's, for rootfsPropagation (0 = absent): MS_SLAVE, as
 * runc has it, or MS_PRIVATE; with MS_REC. Never shared: nothing that is mounted inside may appear
 * on the host. */
unsigned long rootfs_propagation_to_host (unsigned long propagation);

/* Pure. Without a mount namespace of its own a container cannot have what is mounted or made for it
 * alone. With one, but without pivot_root, its root must hear of what the host unmounts: the host's
 * mounts stay below it, and would be held for as long as the container lives. */
int rootfs_check (const struct oci_config *config, bool no_pivot, struct error *err);

/* outside: resolves and copies; rootfs->own_mounts and joined are set. Where rt may not copy mounts
 * itself (rootless), that is left to the inside. */
int rootfs_prepare (struct rootfs *rootfs, const char *path, struct error *err);

/* inside, first: cuts the propagation to the host and attaches the tree. */
int rootfs_apply_attach (struct rootfs *rootfs, unsigned long propagation, struct error *err);

/* inside, after all mounts, nodes and files below it were made. */
int rootfs_apply_readonly (const struct rootfs *rootfs, struct error *err);

/* inside: at the root of the mount namespace pivot_root, or for `no_pivot` (the host's root is an
 * initramfs) a move over "/" and chroot, after which nothing of the host's mounts is left below
 * that another user namespace could mount again without masks (kernel/oldroot.h). The working
 * directory is "/" afterwards. Then rootfsPropagation, since a shared root could not be pivoted to.
 */
int rootfs_apply_enter (struct rootfs *rootfs, bool no_pivot, unsigned long propagation,
                        struct error *err);

void rootfs_release (struct rootfs *rootfs);

#endif
