/* SPDX-License-Identifier: Apache-2.0 */
/* nsroot: see nsroot.h. */
#include "kernel/nsroot.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/clone.h"
#include "kernel/mountfd.h"
#include "kernel/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* The child's part: the root and 0, or an errno. */
struct seen {
    int errnum;
    struct procdir_root root;
};

static _Noreturn void look_from_inside (int line, int ns)
{
    struct seen seen = {.errnum = 0};

    (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (ns_join (ns, CLONE_NEWNS) < 0 || open_root (&seen.root) < 0)
        seen.errnum = errno;
    (void)fd_send (line, &seen, sizeof (seen), NULL, 0);
    _exit (0);
}

int nsroot_look (pid_t pid, struct procdir_root *root, struct error *err)
{
    const struct clone_request request = {.cgroup = -1};
    AUTO_FD int ns = ns_open_process (pid, "mnt");
    AUTO_FD int pidfd = -1;
    struct seen seen = {.errnum = EPIPE};
    bool in_cgroup;
    size_t count = 0;
    int pair[2];

    if (ns < 0 || socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return failed (err);
    pid_t child = clone_child (&request, &pidfd, &in_cgroup);
    if (child == 0)
        look_from_inside (pair[1], ns);
    int saved = errno;
    (void)close (pair[1]);
    AUTO_FD int line = pair[0];
    if (child < 0) {
        errno = saved;
        return failed (err);
    }
    if (fd_receive (line, &seen, sizeof (seen), NULL, &count) != sizeof (seen))
        seen.errnum = EPIPE;
    while (waitpid (child, NULL, 0) < 0 && errno == EINTR)
        ;
    errno = seen.errnum;
    if (seen.errnum != 0)
        return failed (err);
    *root = seen.root;
    return 0;
}
