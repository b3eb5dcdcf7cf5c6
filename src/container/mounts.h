/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts: config.json's `mounts`, in their order (config.md, "Mounts").
 *
 * Sources of binds are paths of the host: they are found as the host's mount namespace shows them.
 * With a user namespace the outside opens them, since the mapped root may not reach them (UID-19).
 * A source that lies below root.path is found in the container's tree as built so far, so a later
 * mount can show an earlier one (MNT-01). Destinations go through kernel/inroot.
 *
 * Binds are read-only at once where they are to be: nothing is ever made in a folder of the host
 * that the document calls read-only, neither the mount point of a later mount nor process.cwd. Only
 * the container's own tmpfs and devpts become so at the end, by mounts_apply_readonly, as rt itself
 * makes nodes and mount points in them (MNT-29..31).
 */
#ifndef RT_CONTAINER_MOUNTS_H
#define RT_CONTAINER_MOUNTS_H

#include "base/arena.h"
#include "base/error.h"
#include "kernel/idmapper.h"
#include "kernel/mountfd.h"
#include "oci-spec/config.h"

#include <stdbool.h>

struct mounts_readonly {
    int fd;         /* the mount, owned */
    bool recursive; /* rro */
    size_t index;
};

struct mounts {
    const struct oci_config *config;
    const char *bundle;      /* absolute */
    const char *rootfs_path; /* absolute */
    const struct oci_map *cgroup;
    struct oci_map callers_cgroup; /* what a container without cgroups lies in; may be empty */
    unsigned long propagation;     /* rootfs_propagation_to_host () of what is copied outside */
    int pid_ns;                    /* the one that is joined, for proc; -1 = the process's own */
    bool userns;                   /* it has one of its own, or rt stands in one */
    struct mountfd *sources;       /* one for each mount; detached where the outside opened it */
    int *mappings; /* one for each mount: a user namespace with its mappings, or -1 */
    struct idmapper idmapper;
    struct mounts_readonly *readonly;
    size_t readonly_count;
    struct mountfd_ids own; /* after mounts_apply: the root and the container's own tmpfs */
};

/* Does the document ask for a mount of type cgroup? */
bool mounts_show_cgroups (const struct oci_config *config);

/* outside: opens what must be opened there. */
int mounts_prepare (struct mounts *mounts, struct arena *arena, struct error *err);

/* In the ipc namespace that is joined, where that is not one of the container's user namespace: a
 * process in that user namespace may not mount an mqueue any more (NSP-21). Where it may not be
 * done here either, it is left to the inside. */
int mounts_prepare_mqueue (struct mounts *mounts, struct error *err);

/* inside, after rootfs_apply_attach: mounts everything below `root`. Needs the container's pid,
 * network, ipc and cgroup namespaces, since proc, sysfs, mqueue and cgroup show those of the
 * process that mounts; proc that of pid_ns. */
int mounts_apply (struct mounts *mounts, int root, struct error *err);

/* inside, after devices, console and masks. */
int mounts_apply_readonly (struct mounts *mounts, struct error *err);

void mounts_release (struct mounts *mounts);

#endif
