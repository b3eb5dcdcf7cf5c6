/* SPDX-License-Identifier: Apache-2.0 */
/* mount_bind: see mount_bind.h. */
#include "container/mount_bind.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/inroot.h"
#include "kernel/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

int mount_bind_path (const struct oci_mount *mount, const char *bundle, char *path,
                     struct error *err)
{
    int length = mount->source[0] == '/'
                     ? snprintf (path, PATH_MAX, "%s", mount->source)
                     : snprintf (path, PATH_MAX, "%s/%s", bundle, mount->source);

    if (length < 0 || length >= PATH_MAX)
        return error_set (err, "RT-MOUNT-SOURCE", ENAMETOOLONG, "source %.64s...", mount->source);
    return 0;
}

static int source_error (const struct oci_mount *mount, const char *path, struct error *err)
{
    int saved = errno;

    error_set (err, "RT-MOUNT-SOURCE", saved,
               "error mounting \"%s\" to rootfs at \"%s\": cannot open %s", mount->source,
               mount->destination, path);
    if (saved == EINVAL && !mount->recursive)
        return error_hint (err, "mounts below it are locked in this user namespace: use rbind");
    return -1;
}

static int bind_flags (const struct oci_mount *mount)
{
    return (mount->recursive ? MOUNTFD_RECURSIVE : 0) |
           (mount->src_nofollow ? MOUNTFD_NOFOLLOW : 0);
}

int mount_bind_open (const struct oci_mount *mount, const char *path, struct mountfd *copy,
                     struct error *err)
{
    int bound = mountfd_bind (copy, AT_FDCWD, path, bind_flags (mount));

    if (bound < 0 && errno == EINVAL && mountfd_allow_bind (path, mount->src_nofollow) == 0)
        bound = mountfd_bind (copy, AT_FDCWD, path, bind_flags (mount));
    return bound < 0 ? source_error (mount, path, err) : 0;
}

int mount_bind_ask (const struct oci_mount *mount, const char *path, struct error *err)
{
    return opener_ask (path, mount->src_nofollow ? O_NOFOLLOW : 0, err);
}

int mount_bind_open_outside (const struct oci_mount *mount, const char *path,
                             unsigned long propagation, struct mountfd *copy, struct error *err)
{
    struct opener_look look;
    int opened = -1;
    int flags = bind_flags (mount);
    bool unbindable = false;
    enum opener_outcome outcome =
        opener_open (path, mount->src_nofollow ? O_NOFOLLOW : 0, &opened, &look, err);
    AUTO_FD int source = opened;

    if (outcome != OPENER_DONE)
        return outcome == OPENER_STALLED ? -1 : source_error (mount, path, err);
    if (mountfd_bind (copy, source, "", flags) < 0) {
        unbindable = errno == EINVAL && propagation;
        if (!unbindable)
            return source_error (mount, path, err);
    }
    if (copy->by_mount)
        return 0;
    int pinned = unbindable || !mount->recursive ? 0 : mountfd_pins_namespaces ();
    if (pinned < 0)
        return source_error (mount, path, err);
    if (!unbindable && !pinned)
        return 0;
    mountfd_close (copy);
    if (mountfd_bind_apart (copy, path, flags, unbindable ? propagation : 0) < 0)
        return source_error (mount, path, err);
    return 0;
}

int mount_bind_open_inside (const struct oci_mount *mount, int root, const char *rest,
                            struct mountfd *copy, struct error *err)
{
    AUTO_FD int fd = inroot_open (root, rest, O_PATH | (mount->src_nofollow ? O_NOFOLLOW : 0));

    if (fd < 0 || mountfd_bind (copy, fd, "", bind_flags (mount)) < 0)
        return source_error (mount, rest, err);
    return 0;
}

int mount_bind_copy_symlink (const struct oci_mount *mount, const char *bundle, int root,
                             struct error *err)
{
    char path[PATH_MAX];
    char target[PATH_MAX];
    char present[PATH_MAX];
    char name[NAME_MAX + 1];

    if (mount_bind_path (mount, bundle, path, err) < 0)
        return -1;
    ssize_t length = readlink (path, target, sizeof (target) - 1);
    if (length < 0)
        return 0;
    target[length] = '\0';

    AUTO_FD int parent = inroot_make_parent (root, mount->destination, name);
    if (parent < 0)
        return error_set (err, "RT-MOUNT-SYMLINK", errno, "cannot make the parent of %s",
                          mount->destination);
    if (symlinkat (target, parent, name) == 0)
        return 1;
    if (errno != EEXIST)
        return error_set (err, "RT-MOUNT-SYMLINK", errno, "cannot make the symbolic link %s",
                          mount->destination);
    length = readlinkat (parent, name, present, sizeof (present) - 1);
    present[length < 0 ? 0 : length] = '\0';
    if (!text_equal (present, target))
        return error_set (err, "RT-MOUNT-SYMLINK", EEXIST,
                          "%s exists and is not a symbolic link to %s", mount->destination, target);
    return 1;
}

const char *mount_bind_below (const char *path, const char *prefix)
{
    size_t length = strlen (prefix);

    if (length == 1 || strncmp (path, prefix, length) != 0 || path[length] != '/')
        return NULL;
    return path + length;
}
