/* SPDX-License-Identifier: Apache-2.0 */
/* nsroot: see nsroot.h. */
#include "kernel/nsroot.h"

#include "base/cleanup.h"
#include "kernel/mountfd.h"
#include "kernel/ns.h"
#include "kernel/procdir.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

static int failed (struct error *err)
{
    int saved = errno;

    error_set (err, "RT-ROOT-NAMESPACE", saved, "cannot enter the root of the mount namespace");
    return saved == EPERM ? error_hint (err, "rt needs CAP_SYS_ADMIN and CAP_SYS_CHROOT") : -1;
}

int nsroot_enter (struct error *err)
{
    AUTO_FD int own = ns_open_own ("mnt");

    return own < 0 || ns_join (own, CLONE_NEWNS) < 0 ? failed (err) : 0;
}

static int open_root (struct procdir_root *root)
{
    AUTO_FD int fd = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 || procdir_root_of (fd, root) < 0 ? -1 : take_fd (&fd);
}

int nsroot_propagate (unsigned long propagation, bool *below, struct error *err)
{
    struct procdir_root of_process;
    struct procdir_root of_namespace;
    AUTO_FD int before = open_root (&of_process);

    if (before < 0)
        return failed (err);
    if (nsroot_enter (err) < 0)
        return -1;
    AUTO_FD int after = open_root (&of_namespace);
    if (after < 0)
        return failed (err);
    if (mountfd_propagate_root (propagation) < 0)
        return error_set (err, "RT-ROOT-PROPAGATION", errno,
                          "cannot cut the propagation of mounts to the host");
    bool differs = of_process.device != of_namespace.device ||
                   of_process.inode != of_namespace.inode || of_process.mount != of_namespace.mount;
    if (differs && mountfd_enter (before) < 0)
        return failed (err);
    if (below)
        *below = differs;
    return 0;
}
