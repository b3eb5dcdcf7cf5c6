/* SPDX-License-Identifier: Apache-2.0 */
/* notify_socket: see notify_socket.h. */
#include "container/notify_socket.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/inroot.h"
#include "kernel/mountfd.h"

#include <errno.h>
#include <linux/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Room for the directory and the socket, should a process inside ever get it writable. */
#define LIMITS "mode=755,size=4k,nr_inodes=2"

static int cannot (const char *what, int errnum, struct error *err)
{
    error_set (err, "RT-NOTIFY-SOCKET", errnum, "cannot %s " NOTIFY_SOCKET_DIR " for NOTIFY_SOCKET",
               what);
    if (errnum == EROFS)
        return error_hint (err, "the file system there is read-only and has no such directory");
    return -1;
}

static int attach (struct mountfd *mount, int root, const char *label, struct error *err)
{
    AUTO_TEXT struct text data = {0};
    char message[256];

    text_puts (&data, LIMITS);
    if (label && label[0])
        text_printf (&data, ",context=\"%s\"", label);
    AUTO_FD int target = inroot_make_dir (root, NOTIFY_SOCKET_DIR, 0755, NULL);
    if (target < 0)
        return cannot ("make", errno, err);
    if (mountfd_make (mount, "tmpfs", "tmpfs", text_string (&data), 0,
                      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, message,
                      sizeof (message)) < 0 ||
        mountfd_attach (mount, target, root, NOTIFY_SOCKET_DIR) < 0)
        return cannot ("mount a tmpfs at", errno, err);
    return 0;
}

int notify_socket_apply (int root, const char *label, int *socket, struct error *err)
{
    AUTO_MOUNTFD struct mountfd mount = MOUNTFD_INIT;

    if (attach (&mount, root, label, err) < 0)
        return -1;
    AUTO_FD int fd = fd_bind_unix_at (mount.fd, NOTIFY_SOCKET_NAME, SOCK_DGRAM, err);
    if (fd < 0)
        return -1;
    if (fchmodat (mount.fd, NOTIFY_SOCKET_NAME, 0777, 0) < 0)
        return cannot ("let everybody use the socket in", errno, err);
    if (mountfd_setattr (mount.fd, MOUNT_ATTR_RDONLY, 0, false) < 0)
        return cannot ("make read-only", errno, err);
    *socket = take_fd (&fd);
    return 0;
}
