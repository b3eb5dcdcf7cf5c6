/* SPDX-License-Identifier: Apache-2.0 */
/* maskpaths: see maskpaths.h. */
#include "container/maskpaths.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/inroot.h"
#include "kernel/mountfd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

struct masks {
    int root;
    int null;      /* the host's /dev/null, opened on first use */
    int directory; /* the first masked directory's tmpfs; the others are binds of it */
    const char *label;
};

/* To be skipped, as it is not there. What root may not look at is there for another user: EACCES of
 * a FUSE mount or of an NFS server that trusts no root is an error. */
static bool is_absent (int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR;
}

static int cannot_open (const char *code, const char *path, struct error *err)
{
    bool denied = errno == EACCES;

    error_set (err, code, errno, "cannot open %s", path);
    return denied ? error_hint (err, "the container's root may not look at it, but another user of "
                                     "the container may")
                  : -1;
}

/* With all that is mounted below it; before Linux 5.12 only the top. */
static int set_readonly (int mount)
{
    if (mountfd_setattr (mount, MOUNT_ATTR_RDONLY, 0, true) == 0)
        return 0;
    return errno == ENOSYS ? mountfd_setattr (mount, MOUNT_ATTR_RDONLY, 0, false) : -1;
}

static int make_readonly (int root, const char *path, struct error *err)
{
    AUTO_MOUNTFD struct mountfd copy = MOUNTFD_INIT;
    AUTO_FD int target = inroot_open (root, path, O_PATH);

    if (target < 0)
        return is_absent (errno) ? 0 : cannot_open ("RT-READONLY", path, err);
    /* A copy of the root would lie above it, unseen. The mount itself it is, as root.readonly. */
    int is_root = mountfd_is_same (target, root);
    if (is_root < 0 || (is_root && mountfd_setattr (root, MOUNT_ATTR_RDONLY, 0, false) < 0))
        return error_set (err, "RT-READONLY", errno, "cannot make %s read-only", path);
    if (is_root)
        return 0;
    if (mountfd_bind (&copy, target, "", MOUNTFD_RECURSIVE) < 0)
        return error_set (err, "RT-READONLY", errno, "cannot copy the mount of %s", path);
    if (mountfd_attach (&copy, target, root, path) < 0 || set_readonly (copy.fd) < 0)
        return error_set (err, "RT-READONLY", errno, "cannot make %s read-only", path);
    return 0;
}

static int open_null (struct masks *masks, struct error *err)
{
    struct stat st;

    if (masks->null >= 0)
        return 0;
    AUTO_FD int fd = open ("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat (fd, &st) < 0)
        return error_set (err, "RT-MASK-NULL", errno, "cannot open the host's /dev/null");
    if (!S_ISCHR (st.st_mode) || st.st_rdev != makedev (1, 3))
        return error_set (err, "RT-MASK-NULL", 0, "the host's /dev/null is not the null device");
    masks->null = take_fd (&fd);
    return 0;
}

static int mask_directory (struct masks *masks, int target, const char *path, struct error *err)
{
    AUTO_MOUNTFD struct mountfd mask = MOUNTFD_INIT;
    AUTO_TEXT struct text data = {0};
    const uint64_t attr =
        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

    if (masks->directory >= 0) {
        if (mountfd_bind (&mask, masks->directory, "", 0) < 0 ||
            mountfd_attach (&mask, target, masks->root, path) < 0)
            return error_set (err, "RT-MASK", errno, "cannot mask the directory %s", path);
        return mask.by_mount ? mountfd_setattr (mask.fd, attr, 0, false) : 0;
    }
    text_puts (&data, "size=4k,nr_inodes=2,mode=755");
    if (masks->label && masks->label[0])
        text_printf (&data, ",context=\"%s\"", masks->label);
    if (mountfd_make (&mask, "tmpfs", "tmpfs", text_string (&data), 0, attr, NULL, 0) < 0 ||
        mountfd_attach (&mask, target, masks->root, path) < 0)
        return error_set (err, "RT-MASK", errno, "cannot mask the directory %s", path);
    masks->directory = take_fd (&mask.fd);
    return 0;
}

static int mask (struct masks *masks, const char *path, struct error *err)
{
    struct stat st;
    AUTO_FD int target = inroot_open (masks->root, path, O_PATH);

    if (target < 0)
        return is_absent (errno) ? 0 : cannot_open ("RT-MASK", path, err);
    int is_root = mountfd_is_same (target, masks->root);
    if (is_root < 0 || fstat (target, &st) < 0)
        return error_set (err, "RT-MASK", errno, "cannot look at %s to mask it", path);
    if (is_root)
        return error_set (err, "RT-MASK", 0, "%s cannot be masked: it is the root itself", path);
    if (S_ISDIR (st.st_mode))
        return mask_directory (masks, target, path, err);
    if (open_null (masks, err) < 0)
        return -1;
    if (mountfd_bind_onto (masks->null, target) < 0)
        return error_set (err, "RT-MASK", errno, "cannot mask the file %s", path);
    return 0;
}

struct numbered {
    const char *path;
    size_t index;
};

static int compare (const void *one, const void *other)
{
    const struct numbered *a = one;
    const struct numbered *b = other;
    int order = strcmp (a->path, b->path);

    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Those that an earlier one says already. To be freed. There may be a hundred thousand paths. */
static bool *find_repeated (const struct oci_strings *paths)
{
    bool *repeated = calloc (paths->count + 1, sizeof (*repeated));
    AUTO_FREE struct numbered *sorted = calloc (paths->count + 1, sizeof (*sorted));

    if (!repeated || !sorted)
        memory_exhausted ();
    for (size_t i = 0; i < paths->count; i++)
        sorted[i] = (struct numbered){.path = paths->items[i], .index = i};
    qsort (sorted, paths->count, sizeof (*sorted), compare);
    for (size_t i = 1; i < paths->count; i++)
        repeated[sorted[i].index] = strcmp (sorted[i].path, sorted[i - 1].path) == 0;
    return repeated;
}

static void masks_release (struct masks *masks)
{
    drop_fd (&masks->null);
    drop_fd (&masks->directory);
}

int maskpaths_apply (const struct oci_linux *linux, int root, struct error *err)
{
    __attribute__ ((cleanup (masks_release))) struct masks masks = {
        .root = root, .null = -1, .directory = -1, .label = linux->mount_label};

    AUTO_FREE bool *readonly_again = find_repeated (&linux->readonly_paths);
    AUTO_FREE bool *masked_again = find_repeated (&linux->masked_paths);

    for (size_t i = 0; i < linux->readonly_paths.count; i++)
        if (!readonly_again[i] && make_readonly (root, linux->readonly_paths.items[i], err) < 0)
            return error_at (err, "/linux/readonlyPaths/%zu", i);
    for (size_t i = 0; i < linux->masked_paths.count; i++)
        if (!masked_again[i] && mask (&masks, linux->masked_paths.items[i], err) < 0)
            return error_at (err, "/linux/maskedPaths/%zu", i);
    return 0;
}
