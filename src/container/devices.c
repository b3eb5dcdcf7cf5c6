/* SPDX-License-Identifier: Apache-2.0 */
/* devices: see devices.h. */
#include "container/devices.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/inroot.h"
#include "kernel/owndev.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

const struct oci_device devices_default[DEVICES_DEFAULT_COUNT] = {
    {'c', "/dev/null", 1, 3, 0666, 0, 0},    {'c', "/dev/zero", 1, 5, 0666, 0, 0},
    {'c', "/dev/full", 1, 7, 0666, 0, 0},    {'c', "/dev/random", 1, 8, 0666, 0, 0},
    {'c', "/dev/urandom", 1, 9, 0666, 0, 0}, {'c', "/dev/tty", 5, 0, 0666, 0, 0},
};

static const struct {
    const char *name;
    const char *target;
    const char *only_if; /* exists below the root */
} links[] = {
    {"ptmx", "pts/ptmx", NULL},          {"fd", "/proc/self/fd", NULL},
    {"stdin", "/proc/self/fd/0", NULL},  {"stdout", "/proc/self/fd/1", NULL},
    {"stderr", "/proc/self/fd/2", NULL}, {"core", "/proc/kcore", "/proc/kcore"},
};

/* What is below the root, and whose. */
struct place {
    int root;
    bool userns;
    const struct mountfd_ids *own; /* mounts in which rt may change what is there */
    int dev;                       /* /dev, as it was opened */
    bool dev_is_own;
};

static mode_t node_type (const struct oci_device *device)
{
    return device->type == 'b' ? S_IFBLK : (device->type == 'p' ? S_IFIFO : S_IFCHR);
}

static int device_error (const struct oci_device *device, int errnum, const char *what,
                         struct error *err)
{
    return error_set (err, "RT-DEVICE", errnum, "cannot make the device %s: %s", device->path,
                      what);
}

/* Something is there already: it must be just what was asked for (DEV-13). */
static int check_existing (const struct oci_device *device, int parent, const char *name,
                           struct error *err)
{
    struct stat st;

    if (fstatat (parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return device_error (device, errno, "cannot look at what is there", err);
    if ((st.st_mode & S_IFMT) != node_type (device))
        return device_error (device, EEXIST, "something else is there already", err);
    if (device->type != 'p' &&
        st.st_rdev != makedev ((unsigned)device->major, (unsigned)device->minor))
        return device_error (device, EEXIST, "a device with other numbers is there already", err);
    return 0;
}

static int own_node (const struct oci_device *device, int parent, const char *name,
                     struct error *err)
{
    AUTO_FD int fd = openat (parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return device_error (device, errno, "it vanished", err);
    if (fchownat (fd, "", device->uid, device->gid, AT_EMPTY_PATH) < 0)
        return device_error (device, errno, "cannot change its owner", err);
    return 0;
}

/* Binds the host's node of the same path, which must be the same device. */
static int bind_node (const struct oci_device *device, int root, int parent, const char *name,
                      struct error *err)
{
    struct stat st;
    AUTO_FD int source = open (device->path, O_PATH | O_CLOEXEC);

    if (source < 0)
        return device_error (device, errno, "cannot open the host's", err);
    if (fstat (source, &st) < 0 || (st.st_mode & S_IFMT) != node_type (device) ||
        st.st_rdev != makedev ((unsigned)device->major, (unsigned)device->minor))
        return device_error (device, ENODEV, "the host has another thing of that name", err);
    if (fstatat (parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK (st.st_mode))
        return device_error (device, EEXIST, "a symbolic link is there", err);
    AUTO_FD int target = inroot_make_file (root, device->path, 0666);
    if (target < 0)
        return device_error (device, errno, "cannot bind the host's", err);
    int on_procfs = procfd_is_procfs (target);
    if (on_procfs != 0)
        return device_error (device, on_procfs < 0 ? errno : 0, "its place is a file of a procfs",
                             err);
    if (mountfd_bind_onto (source, target) < 0)
        return device_error (device, errno, "cannot bind the host's", err);
    return 0;
}

/* In a mount of the host's, what is there already stays as it is, its owner too; and in the host's
 * /dev nothing is made, by whatever name it is reached. */
static int make_device (const struct place *place, const struct oci_device *device,
                        struct error *err)
{
    char name[NAME_MAX + 1];

    AUTO_FD int parent = inroot_make_parent (place->root, device->path, name);
    if (parent < 0)
        return device_error (device, errno, "cannot make its directory", err);
    int own = mountfd_is_among (parent, place->own);
    int in_dev = place->dev_is_own ? 0 : mountfd_share_mount (parent, place->dev);
    if (own < 0 || in_dev < 0)
        return device_error (device, errno, "cannot see whose its directory is", err);
    if (in_dev)
        return 0;
    if (place->userns && device->type != 'p')
        return bind_node (device, place->root, parent, name, err);
    mode_t mode = node_type (device) | device->file_mode;
    if (mknodat (parent, name, mode, makedev ((unsigned)device->major, (unsigned)device->minor)) <
        0) {
        if (errno == EPERM)
            return bind_node (device, place->root, parent, name, err);
        if (errno != EEXIST)
            return device_error (device, errno, "mknod failed", err);
        if (check_existing (device, parent, name, err) < 0)
            return -1;
        return own ? own_node (device, parent, name, err) : 0;
    }
    if (device->uid || device->gid)
        return own_node (device, parent, name, err);
    return 0;
}

/* "/dev//tty" is "/dev/tty". */
static char *clean_path (const struct oci_device *device)
{
    char *clean = malloc (strlen (device->path) + 2);

    if (!clean)
        memory_exhausted ();
    text_clean_path (device->path, clean);
    return clean;
}

static bool is_path (const struct oci_device *device, const char *path)
{
    AUTO_FREE char *clean = clean_path (device);

    return text_equal (clean, path);
}

static bool is_below_dev (const struct oci_device *device)
{
    AUTO_FREE char *clean = clean_path (device);

    return text_starts_with (clean, "/dev/");
}

/* linux.devices may say something else about a default node (DEV-12). */
static bool is_overridden (const struct oci_linux *linux, const char *path)
{
    for (size_t i = 0; i < linux->devices.count; i++)
        if (is_path (&linux->devices.items[i], path))
            return true;
    return false;
}

/* A link that is right, or anything else that is there, stays; only ptmx is replaced, since another
 * one would be a terminal of another devpts (DEV-03, DEV-05). */
static int make_link (int root, int dev, size_t index, struct error *err)
{
    char present[64];
    const char *name = links[index].name;
    const char *target = links[index].target;

    if (links[index].only_if) {
        AUTO_FD int there = inroot_open (root, links[index].only_if, O_PATH);
        if (there < 0)
            return 0;
    }
    if (symlinkat (target, dev, name) == 0)
        return 0;
    if (errno == EEXIST && index == 0) {
        ssize_t length = readlinkat (dev, name, present, sizeof (present) - 1);
        if (length == (ssize_t)strlen (target) && memcmp (present, target, (size_t)length) == 0)
            return 0;
        if (unlinkat (dev, name, 0) == 0 && symlinkat (target, dev, name) == 0)
            return 0;
    }
    if (errno == EEXIST || errno == EROFS)
        return 0;
    return error_set (err, "RT-DEVICE-LINK", errno, "cannot make the link /dev/%s", name);
}

static int make_defaults (const struct place *place, const struct oci_linux *linux,
                          struct error *err)
{
    for (size_t i = 0; i < DEVICES_DEFAULT_COUNT; i++)
        if (!is_overridden (linux, devices_default[i].path) &&
            make_device (place, &devices_default[i], err) < 0)
            return -1;
    for (size_t i = 0; i < sizeof (links) / sizeof (links[0]); i++)
        if (make_link (place->root, place->dev, i, err) < 0)
            return -1;
    return 0;
}

int devices_apply (const struct oci_linux *linux, int root, bool userns,
                   const struct mountfd_ids *own, struct error *err)
{
    AUTO_FD int dev = inroot_make_dir (root, "/dev", 0755, NULL);

    if (dev < 0)
        return error_set (err, "RT-DEVICE", errno, "cannot make the directory /dev");
    int dev_is_own = owndev_is_own (dev, own);
    if (dev_is_own < 0)
        return error_set (err, "RT-DEVICE", errno, "cannot see whose the container's /dev is");
    const struct place place = {
        .root = root, .userns = userns, .own = own, .dev = dev, .dev_is_own = dev_is_own};
    if (dev_is_own && make_defaults (&place, linux, err) < 0)
        return -1;
    for (size_t i = 0; i < linux->devices.count; i++) {
        const struct oci_device *device = &linux->devices.items[i];
        /* The host's /dev has its nodes, and rt changes none of them. */
        if (!dev_is_own && is_below_dev (device))
            continue;
        /* The link to the container's own devpts is what such an entry means; a node would lead to
         * another one. */
        if (is_path (device, "/dev/ptmx"))
            continue;
        if (make_device (&place, device, err) < 0)
            return error_at (err, "/linux/devices/%zu", i);
    }
    return 0;
}
