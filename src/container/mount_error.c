/* SPDX-License-Identifier: Apache-2.0 */
/* mount_error: see mount_error.h. */
#include "container/mount_error.h"

#include "base/text.h"

#include <errno.h>

bool mount_is_type (const struct oci_mount *mount, const char *type)
{
    return !mount->bind && mount->type && text_equal (mount->type, type);
}

int mount_error (const struct oci_mount *mount, size_t index, int errnum, const char *message,
                 struct error *err)
{
    error_set (err, "RT-MOUNT", errnum, "error mounting \"%s\" to rootfs at \"%s\"%s%s",
               mount->source ? mount->source : (mount->type ? mount->type : "none"),
               mount->destination, message && message[0] ? ": " : "", message ? message : "");
    error_at (err, "/mounts/%zu", index);
    if (errnum == ENODEV && mount->type)
        return error_hint (err, "this kernel has no file system \"%s\"", mount->type);
    if (errnum == ETIMEDOUT && mount_is_type (mount, "proc"))
        return error_hint (err, "a process of the joined pid namespace holds the one of rt that "
                                "opens it there, by ptrace or SIGSTOP");
    if (errnum == ENOSYS && mount_is_type (mount, "proc"))
        return error_hint (err,
                           "the proc of a joined pid namespace needs fsopen (Linux 5.2), which "
                           "this kernel or an outer seccomp profile refuses");
    if (errnum == EPERM && mount_is_type (mount, "proc"))
        return error_hint (err,
                           "in a user namespace proc needs a new pid namespace and a /proc of the "
                           "host with nothing mounted over it");
    return -1;
}
