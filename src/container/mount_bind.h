/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_bind: the source of a bind mount and the place for it. Of mounts.c only.
 */
#ifndef RT_CONTAINER_MOUNT_BIND_H
#define RT_CONTAINER_MOUNT_BIND_H

#include "base/error.h"
#include "kernel/mountfd.h"
#include "oci-spec/mounts.h"

/* The host's path of a source: absolute as it is, relative ones below the bundle. `path` has
 * PATH_MAX bytes. */
int mount_bind_path (const struct oci_mount *mount, const char *bundle, char *path,
                     struct error *err);

/* inside, in the container's own mount namespace: copies the source's mount, by a path of the host,
 * also where it is unbindable. */
int mount_bind_open (const struct oci_mount *mount, const char *path, struct mountfd *copy,
                     struct error *err);

/* outside, before there is a process that could be held: -1 where the source is on a file system
 * that does not answer. All else about it says the inside, which opens it. */
int mount_bind_ask (const struct oci_mount *mount, const char *path, struct error *err);

/* outside: mount_bind_open for another mount namespace, in which pinned mount namespaces below the
 * source have no place: they are left out. What is unbindable is copied all the same where
 * `propagation` (MS_*, with MS_REC) is what its copy shall have; 0: it must stay a peer of the
 * host's. */
int mount_bind_open_outside (const struct oci_mount *mount, const char *path,
                             unsigned long propagation, struct mountfd *copy, struct error *err);

/* inside: the same for a source that lies below root.path, `rest` of it, in the tree built so far.
 */
int mount_bind_open_inside (const struct oci_mount *mount, int root, const char *rest,
                            struct mountfd *copy, struct error *err);

/* inside, for the option copy-symlink: where the source is a symbolic link, makes the same link at
 * the destination. 1 done, 0 the source is no link, -1 (a link with another target is there
 * already). */
int mount_bind_copy_symlink (const struct oci_mount *mount, const char *bundle, int root,
                             struct error *err);

/* `path` without the leading `prefix` directory, or NULL where it is not below it. */
const char *mount_bind_below (const char *path, const char *prefix);

#endif
