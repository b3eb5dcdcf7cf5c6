/* SPDX-License-Identifier: Apache-2.0 */
/* mount_sysfs: see mount_sysfs.h. */
#include "container/mount_sysfs.h"

#include "base/cleanup.h"
#include "kernel/inroot.h"
#include "kernel/mountfd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/vfs.h>

int mount_sysfs_close (int bound, const struct oci_mount *mount, int root, struct error *err)
{
    struct statfs fs;

    if (fstatfs (bound, &fs) < 0 || fs.f_type != SYSFS_MAGIC)
        return 0;
    if (mountfd_setattr (bound, MOUNT_ATTR_RDONLY, 0, true) == 0)
        return 0;
    if (errno == ENOSYS)
        return mount_sysfs_cover_cgroups (mount, root, err);
    return error_set (err, "RT-MOUNT-SYSFS", errno, "cannot make what is below %s read-only",
                      mount->destination);
}

int mount_sysfs_cover_cgroups (const struct oci_mount *mount, int root, struct error *err)
{
    AUTO_MOUNTFD struct mountfd cover = MOUNTFD_INIT;
    const uint64_t attr =
        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    char path[PATH_MAX];

    if (snprintf (path, sizeof (path), "%s/fs/cgroup", mount->destination) >= PATH_MAX)
        return error_set (err, "RT-MOUNT-SYSFS", ENAMETOOLONG, "%s", mount->destination);
    AUTO_FD int target = inroot_open (root, path, O_PATH | O_DIRECTORY);
    if (target < 0 && errno == ENOENT)
        return 0;
    if (target < 0 ||
        mountfd_make (&cover, "tmpfs", "tmpfs", "size=4k,nr_inodes=2,mode=755", 0, attr, NULL, 0) <
            0 ||
        mountfd_attach (&cover, target, root, path) < 0)
        return error_set (err, "RT-MOUNT-SYSFS", errno, "cannot cover %s", path);
    return 0;
}
