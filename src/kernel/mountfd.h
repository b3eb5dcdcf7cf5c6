/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mountfd: mounts as descriptors. A mount is made detached, with its flags right from the start,
 * and then attached to a place that is also a descriptor; no path of the container is ever given to
 * the kernel.
 *
 *   open_tree, fsopen, fsmount, move_mount  Linux 5.2
 *   mount_setattr                           Linux 5.12; before that a bind remount after the attach
 *
 * Where open_tree or fsopen is missing (an outer seccomp profile denies it), a struct mountfd
 * carries what is needed to do the same with mount(2) at the moment of attaching, onto
 * /proc/self/fd/N.
 *
 * Failures are -1 with errno.
 */
#ifndef RT_KERNEL_MOUNTFD_H
#define RT_KERNEL_MOUNTFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A mount that may not be attached yet. Zero-initialise with MOUNTFD_INIT; release with
 * mountfd_close. */
struct mountfd {
    int fd; /* detached: the mount; attached: its root; by mount(2): what will be bound, or -1 */
    bool by_mount;    /* the old call will do it */
    bool recursive;   /* of a bind */
    const char *type; /* of a new file system by the old call; NULL = bind. Not owned */
    const char *source;
    const char *data;
    unsigned long flags;
    int pid_ns; /* of a new procfs: the pid namespace that it shows; -1 = the caller's. Not owned */
};

#define MOUNTFD_INIT                                                                               \
    {                                                                                              \
        .fd = -1, .pid_ns = -1                                                                     \
    }
#define AUTO_MOUNTFD __attribute__ ((cleanup (mountfd_close)))
void mountfd_close (struct mountfd *mount);

/* A new file system. sb_flags: MS_RDONLY, MS_SYNCHRONOUS, MS_DIRSYNC, MS_MANDLOCK, MS_LAZYTIME.
 * attr: MOUNT_ATTR_*. data: comma-separated words or NULL. source may be NULL. Strings must live
 * until it is attached. On failure `message` (may be NULL) gets what the file system said, or "".
 */
int mountfd_make (struct mountfd *mount, const char *type, const char *source, const char *data,
                  unsigned long sb_flags, uint64_t attr, char *message, size_t size);

enum { MOUNTFD_RECURSIVE = 1, MOUNTFD_NOFOLLOW = 2 };

/* A copy of the mount at `path` below `dir` (AT_FDCWD for the host's paths; with an empty path
 * `dir` itself, which may be a file). Only for trusted paths. */
int mountfd_bind (struct mountfd *mount, int dir, const char *path, int flags);

/* Are there mounts of this mount namespace that are mount namespaces ("mnt:[...]", as `unshare
 * --mount=FILE` and snapd make them)? A copy of such a mount can be attached only in an older mount
 * namespace: ELOOP. 1 yes, 0 no, -1 with errno. */
int mountfd_pins_namespaces (void);

/* As mountfd_bind, but the copy is made in a new mount namespace, which the kernel makes without
 * pinned mount namespaces. There all mounts get `propagation` first (MS_*; 0: they stay peers of
 * the ones here), so that nothing is unbindable. The path is one of the host. Never by_mount. */
int mountfd_bind_apart (struct mountfd *mount, const char *path, int flags,
                        unsigned long propagation);

/* In a mount namespace of one's own: what `path` is on can be bound, where it was unbindable.
 * Before Linux 6.17 a mount that becomes a slave stays unbindable. */
int mountfd_allow_bind (const char *path, bool nofollow);

/* Maps the ids of a detached bind through a user namespace (MOUNT_ATTR_IDMAP). ENOSYS where the
 * kernel cannot (no fallback exists); EINVAL where the file system cannot. */
int mountfd_idmap (struct mountfd *mount, int userns, bool recursive);

/* Attaches it onto what `target` (O_PATH, file or directory) is. From then on mount->fd is the root
 * of the mount. `root` and `path` say how target was found (AT_FDCWD: a trusted path of the host),
 * for the old call, which leaves no descriptor: the path is looked up again. */
int mountfd_attach (struct mountfd *mount, int target, int root, const char *path);

/* Sets and clears flags of an attached or detached mount, with all below it if `recursive`.
 * MOUNT_ATTR_RELATIME is 0: an atime mode is set by having MOUNT_ATTR__ATIME in `clear`. ENOSYS:
 * recursive, and the kernel is older than 5.12. EPERM: `clear` has a flag that is locked in this
 * user namespace. */
int mountfd_setattr (int mount, uint64_t set, uint64_t clear, bool recursive);

/* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, with MS_REC. `mount` must be attached. */
int mountfd_propagate (int mount, unsigned long propagation);

/* The same for "/" of this process, and with MS_REC for all below it. Needs no /proc, so it is
 * right also when the container has been entered. */
int mountfd_propagate_root (unsigned long propagation);

/* Makes an attached mount the root of this mount namespace and of this process, which stands in it
 * afterwards; everything else is detached. EINVAL: the root there is now cannot be left
 * (initramfs). */
int mountfd_pivot (int root);

/* The first half of the same without pivot_root: moves the mount over "/". This process's root is
 * the old one, below it, until mountfd_enter (); all that the host had is still there
 * (kernel/oldroot.h).
 */
int mountfd_move_over_root (int root);

/* Makes a directory the root of this process alone, by chroot; it stands there afterwards. For a
 * mount namespace that is shared with others: with CAP_SYS_CHROOT it can be left again. */
int mountfd_enter (int directory);

/* Changes the superblock below an attached mount: data words and MS_* flags, all at once (remount).
 */
int mountfd_reconfigure (int mount, const char *data, unsigned long sb_flags);

/* Binds what `source` is (non-recursive) onto what `target` is. Both stay the caller's. */
int mountfd_bind_onto (int source, int target);

/* The id of the mount that `fd` (O_PATH is enough) is on: one for each mount, also where many show
 * the same file system. */
int mountfd_id (int fd, uint64_t *id);

/* Are both the same file or directory of the same mount? 1 yes, 0 no, -1 with errno. */
int mountfd_is_same (int one, int other);

/* Are both on the same mount? 1 yes, 0 no, -1 with errno. */
int mountfd_share_mount (int one, int other);

/* Mounts that are known by their ids. The array is the caller's. */
struct mountfd_ids {
    uint64_t *items;
    size_t count;
};

/* Is `fd` on one of them? 1 yes, 0 no, -1 with errno. */
int mountfd_is_among (int fd, const struct mountfd_ids *ids);

/* For the old call: flags of a mount as MS_* that are set on the mount under `fd` now. */
unsigned long mountfd_flags (int fd);

#endif
