/* SPDX-License-Identifier: Apache-2.0 */
/* mount_tmpfs: see mount_tmpfs.h. */
#include "container/mount_tmpfs.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/treecopy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static bool has_word (const char *data, const char *word)
{
    size_t length = strlen (word);

    for (const char *at = data; at; at = strchr (at, ',')) {
        at += *at == ',';
        if (strncmp (at, word, length) == 0)
            return true;
    }
    return false;
}

/* File systems whose labels are not a matter of mount data. */
static bool takes_context (const char *type)
{
    static const char *const without[] = {"proc", "sysfs", "mqueue", "cgroup", "cgroup2"};

    for (size_t i = 0; i < sizeof (without) / sizeof (without[0]); i++)
        if (text_equal (type, without[i]))
            return false;
    return true;
}

static bool has_context (const char *data)
{
    return has_word (data, "context=") || has_word (data, "fscontext=") ||
           has_word (data, "defcontext=") || has_word (data, "rootcontext=");
}

char *mount_tmpfs_data (const struct oci_mount *mount, int target, const char *label,
                        const char *context_type)
{
    struct text data = {0};
    struct stat st;

    if (mount->data)
        text_puts (&data, mount->data);
    if (target >= 0 && text_equal (mount->type, "tmpfs") && !has_word (mount->data, "mode=") &&
        fstat (target, &st) == 0)
        text_printf (&data, "%smode=%o", data.length ? "," : "", st.st_mode & 07777);
    if (label && label[0] && takes_context (mount->type) && !has_context (mount->data))
        text_printf (&data, "%s%s=\"%s\"", data.length ? "," : "",
                     context_type ? context_type : "context", label);
    return data.length ? text_take (&data) : NULL;
}

int mount_tmpfs_set_label (const struct oci_mount *mount, const struct mountfd *made,
                           const char *label)
{
    if (!label || !label[0] || !text_equal (mount->type, "mqueue"))
        return 0;
    AUTO_FD int top = openat (made->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return -1;
    return fsetxattr (top, "security.selinux", label, strlen (label) + 1, 0);
}

int mount_tmpfs_copy_up (struct mountfd *made, int target, struct error *err)
{
    if (made->by_mount)
        return error_set (err, "RT-MOUNT-COPYUP", ENOSYS, "tmpcopyup needs fsopen and fsmount");
    if (treecopy (target, made->fd) < 0)
        return error_set (err, "RT-MOUNT-COPYUP", errno,
                          "cannot copy the directory below into the tmpfs");
    return 0;
}
