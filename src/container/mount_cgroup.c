/* SPDX-License-Identifier: Apache-2.0 */
/* mount_cgroup: see mount_cgroup.h. */
#include "container/mount_cgroup.h"

#include "base/cleanup.h"
#include "kernel/inroot.h"
#include "kernel/mountfd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>

/* Binds one directory of the host's hierarchy onto `target`. The mount, or -1. */
static int bind_own (const char *own, int target, int root, const char *path,
                     const struct oci_mount *mount, struct error *err)
{
    AUTO_MOUNTFD struct mountfd copy = MOUNTFD_INIT;
    uint64_t set = mount->attr_set & ~(uint64_t)MOUNT_ATTR_RDONLY;

    if (mountfd_bind (&copy, AT_FDCWD, own, 0) < 0 ||
        mountfd_attach (&copy, target, root, path) < 0 ||
        mountfd_setattr (copy.fd, set, mount->attr_clear & ~(uint64_t)MOUNT_ATTR_RDONLY, false) < 0)
        return error_set (err, "RT-MOUNT-CGROUP", errno, "cannot bind the cgroup %s to %s", own,
                          path);
    return take_fd (&copy.fd);
}

/* "cpu,cpuacct" has a directory of that name and links "cpu" and "cpuacct" to it. */
static int link_controllers (int dir, const char *name, struct error *err)
{
    const char *word = name;

    if (!strchr (name, ','))
        return 0;
    while (*word) {
        char link[NAME_MAX + 1];
        size_t length = strcspn (word, ",");
        (void)snprintf (link, sizeof (link), "%.*s", (int)length, word);
        if (symlinkat (name, dir, link) < 0 && errno != EEXIST)
            return error_set (err, "RT-MOUNT-CGROUP", errno, "cannot make the link %s", link);
        word += length + (word[length] == ',');
    }
    return 0;
}

const char *mount_cgroup_name (const struct oci_map *cgroup, size_t index)
{
    const char *key = cgroup->items[index].key;

    if (cgroup->count == 1 && key[0] == '\0')
        return NULL;
    if (key[0] == '\0')
        return "unified";
    return strncmp (key, "name=", 5) == 0 ? key + 5 : key;
}

static int mount_v1 (const struct oci_mount *mount, const struct oci_map *cgroup, int root,
                     int target, struct mount_cgroup_result *result, struct error *err)
{
    AUTO_MOUNTFD struct mountfd top = MOUNTFD_INIT;
    uint64_t set = mount->attr_set & ~(uint64_t)MOUNT_ATTR_RDONLY;

    if (mountfd_make (&top, "tmpfs", "tmpfs", "mode=755", 0, set, NULL, 0) < 0 ||
        mountfd_attach (&top, target, root, mount->destination) < 0)
        return error_set (err, "RT-MOUNT-CGROUP", errno, "cannot mount a tmpfs at %s",
                          mount->destination);
    for (size_t i = 0; i < cgroup->count; i++) {
        const char *name = mount_cgroup_name (cgroup, i);
        char path[PATH_MAX];

        if (result->below_count == sizeof (result->below) / sizeof (result->below[0]))
            return error_set (err, "RT-MOUNT-CGROUP", 0, "too many cgroup hierarchies");
        if (snprintf (path, sizeof (path), "%s/%s", mount->destination, name) >= PATH_MAX)
            return error_set (err, "RT-MOUNT-CGROUP", ENAMETOOLONG, "%s", mount->destination);
        AUTO_FD int place = inroot_make_dir (top.fd, name, 0755, NULL);
        if (place < 0)
            return error_set (err, "RT-MOUNT-CGROUP", errno, "cannot make %s", path);
        int fd = bind_own (cgroup->items[i].value, place, root, path, mount, err);
        if (fd < 0 || link_controllers (top.fd, name, err) < 0)
            return -1;
        result->below[result->below_count++] = fd;
    }
    result->top = take_fd (&top.fd);
    return 0;
}

int mount_cgroup_apply (const struct oci_mount *mount, const struct oci_map *cgroup, int root,
                        int target, struct mount_cgroup_result *result, struct error *err)
{
    result->top = -1;
    result->below_count = 0;
    if (cgroup->count == 0) {
        error_set (err, "RT-MOUNT-CGROUP", 0, "cannot mount cgroups at %s: the container has none",
                   mount->destination);
        return error_hint (err, "drop the mount, or let rt make a cgroup");
    }
    if (mount_cgroup_name (cgroup, 0))
        return mount_v1 (mount, cgroup, root, target, result, err);

    result->top = bind_own (cgroup->items[0].value, target, root, mount->destination, mount, err);
    return result->top < 0 ? -1 : 0;
}
