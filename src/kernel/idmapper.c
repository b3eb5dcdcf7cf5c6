/* SPDX-License-Identifier: Apache-2.0 */
/* idmapper: see idmapper.h. */
#include "kernel/idmapper.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/clone.h"
#include "kernel/holder.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What comes with a mount and a user namespace; the answer is an errno, 0 for success. */
struct call {
    bool recursive;
};

static int serve_one (int line)
{
    struct call call;
    int fds[2] = {-1, -1};
    size_t count = 2;
    ssize_t length = fd_receive (line, &call, sizeof (call), fds, &count);

    if (length != sizeof (call) || count != 2)
        return -1;
    struct mountfd mount = {.fd = fds[0]};
    int answer = mountfd_idmap (&mount, fds[1], call.recursive) < 0 ? errno : 0;
    (void)close (fds[0]);
    (void)close (fds[1]);
    return fd_send (line, &answer, sizeof (answer), NULL, 0);
}

static _Noreturn void serve (int line, unsigned int count, pid_t parent)
{
    sigset_t all;

    (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl (PR_SET_NAME, "rt:idmapper");
    /* A signal to the terminal's group is not meant for it. */
    (void)sigfillset (&all);
    (void)sigprocmask (SIG_BLOCK, &all, NULL);
    if (line > 0)
        (void)sys_close_range (0, (unsigned int)line - 1, 0);
    (void)sys_close_range ((unsigned int)line + 1, ~0U, 0);
    while (count-- > 0 && getppid () == parent && serve_one (line) == 0)
        ;
    _exit (0);
}

int idmapper_begin (struct idmapper *idmapper, unsigned int count)
{
    const struct clone_request request = {.cgroup = -1};
    bool in_cgroup;
    int pair[2];
    pid_t parent = getpid ();

    if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    pid_t pid = clone_child (&request, &idmapper->pidfd, &in_cgroup);
    if (pid == 0)
        serve (pair[1], count, parent);
    int saved = errno;
    (void)close (pair[1]);
    idmapper->line = pair[0];
    errno = saved;
    return pid < 0 ? -1 : 0;
}

int idmapper_map (const struct idmapper *idmapper, const struct mountfd *mount, int userns,
                  bool recursive)
{
    const struct call call = {.recursive = recursive};
    const int fds[2] = {mount->fd, userns};
    size_t none = 0;
    int answer;

    if (mount->by_mount) {
        errno = ENOSYS;
        return -1;
    }
    if (fd_send (idmapper->line, &call, sizeof (call), fds, 2) < 0)
        return -1;
    ssize_t length = fd_receive (idmapper->line, &answer, sizeof (answer), NULL, &none);
    if (length < 0)
        return -1;
    errno = length == sizeof (answer) ? answer : EPIPE;
    return errno ? -1 : 0;
}

void idmapper_end (struct idmapper *idmapper)
{
    drop_fd (&idmapper->line);
    holder_end (&idmapper->pidfd);
}
