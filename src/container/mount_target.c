/* SPDX-License-Identifier: Apache-2.0 */
/* mount_target: see mount_target.h. */
#include "container/mount_target.h"

#include "base/cleanup.h"
#include "container/mount_error.h"
#include "kernel/inroot.h"
#include "kernel/mountfd.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>

static int make (const struct oci_mount *mount, int root, struct mount_target *target)
{
    return target->file ? inroot_make_file (root, mount->destination, 0644)
                        : inroot_make_dir (root, mount->destination, 0755, &target->made);
}

static int cannot_make (const struct oci_mount *mount, size_t index, struct error *err)
{
    int saved = errno;

    /* Said as mount(2) says it: engines take "is a directory" for a fault of the command. */
    if (saved == EISDIR)
        return mount_error (mount, index, ENOTDIR, "a directory is there, and the source is none",
                            err);
    mount_error (mount, index, saved, "cannot make the mount point", err);
    if (saved == EROFS)
        return error_hint (err, "it is missing, and what it would be in is read-only: make it "
                                "there beforehand");
    return -1;
}

/* Where proc and sysfs go must be what it is called (CVE-2019-19921). */
static int open_plain (const struct oci_mount *mount, size_t index, int root,
                       struct mount_target *target, struct error *err)
{
    int any = inroot_make_dir (root, mount->destination, 0755, &target->made);
    int refused = any < 0 ? errno : 0;
    drop_fd (&any);
    int fd = inroot_open_plain (root, mount->destination, O_PATH | O_DIRECTORY);

    if (fd < 0 && errno == ENOENT && refused) /* it is missing because it could not be made */
        errno = refused;
    if (fd >= 0 || (errno != ELOOP && errno != ENOTDIR))
        return fd < 0 ? cannot_make (mount, index, err) : fd;
    error_set (err, "RT-MOUNT-PROC", 0,
               "error mounting \"%s\" to rootfs at \"%s\": it must be mounted on ordinary "
               "directory, not on a symbolic link",
               mount->type, mount->destination);
    return error_at (err, "/mounts/%zu/destination", index);
}

static int open_any (const struct oci_mount *mount, size_t index, int root,
                     struct mount_target *target, struct error *err)
{
    int fd = -1;

    if (mount->dest_nofollow)
        fd = inroot_open (root, mount->destination, O_PATH | O_NOFOLLOW);
    if (!mount->dest_nofollow || (fd < 0 && errno == ENOENT))
        fd = make (mount, root, target);
    return fd < 0 ? cannot_make (mount, index, err) : fd;
}

/* Is it one of the files of procfs that may be replaced? 1 yes, 0 no, -1 with errno. */
static int is_replaceable (int fd, int root)
{
    const char *path;

    for (size_t i = 0; (path = oci_mount_over_proc_at (i)) != NULL; i++) {
        AUTO_FD int file = inroot_open_plain (root, path, O_PATH);
        int same = file < 0 ? 0 : mountfd_is_same (fd, file);
        if (same != 0)
            return same;
    }
    return 0;
}

static int judge (const struct oci_mount *mount, size_t index, int root, int fd, bool real_proc,
                  struct error *err)
{
    int is_root = mountfd_is_same (fd, root);
    int on_procfs = procfd_is_procfs (fd);

    if (is_root < 0 || on_procfs < 0)
        return mount_error (mount, index, errno, "cannot see what is there", err);
    if (is_root)
        return mount_error (mount, index, 0, "the destination is the root itself", err);
    if (!on_procfs)
        return 0;
    int allowed = real_proc ? procfd_is_procfs_root (fd) : 0;
    if (allowed == 0)
        allowed = is_replaceable (fd, root);
    if (allowed < 0)
        return mount_error (mount, index, errno, "cannot see what is there", err);
    return allowed ? 0
                   : mount_error (mount, index, 0,
                                  "it cannot be mounted because it is inside /proc", err);
}

int mount_target_open (const struct oci_mount *mount, size_t index, int root,
                       struct mount_target *target, struct error *err)
{
    bool plain = mount_is_type (mount, "proc") || mount_is_type (mount, "sysfs");
    AUTO_FD int fd = plain ? open_plain (mount, index, root, target, err)
                           : open_any (mount, index, root, target, err);

    if (fd < 0 || judge (mount, index, root, fd, target->real_proc, err) < 0)
        return -1;
    return take_fd (&fd);
}
