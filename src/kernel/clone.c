/* SPDX-License-Identifier: Apache-2.0 */
/* clone: see clone.h. */
#include "kernel/clone.h"

#include "base/interrupt.h"
#include "base/patience.h"
#include "kernel/pidfd.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

static pid_t clone_old (uint64_t flags, int *pidfd)
{
    int fd = -1;
    unsigned long all =
        (unsigned long)flags | CLONE_PIDFD | (flags & CLONE_PARENT ? 0 : (unsigned long)SIGCHLD);

#if defined(__s390__) || defined(__CRIS__)
    long pid = syscall (SYS_clone, NULL, all, &fd, NULL, NULL);
#else
    long pid = syscall (SYS_clone, all, NULL, &fd, NULL, NULL);
#endif
    if (pid > 0)
        *pidfd = fd;
    return (pid_t)pid;
}

/* Since Linux 6.14 (seen on 6.18) a child is killed at its birth where its cgroup, or its parent's,
 * was ever killed by cgroup.kill: what is compared is one cgroup's count with the other's. It never
 * ran; another one that joins by cgroup.procs lives. */
static void bury (pid_t pid, int pidfd)
{
    (void)close (pidfd);
    while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

pid_t clone_child (const struct clone_request *request, int *pidfd, bool *in_cgroup)
{
    int fd = -1;
    struct clone_args args = {
        .flags = request->flags | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&fd,
        .exit_signal = request->flags & CLONE_PARENT ? 0 : SIGCHLD,
    };

    *in_cgroup = request->cgroup >= 0;
    if (request->cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)request->cgroup;
    }
    long pid = sys_clone3 (&args);
    if (pid > 0 && *in_cgroup && pidfd_is_doomed ((pid_t)pid)) {
        bury ((pid_t)pid, fd);
        args.flags &= ~CLONE_INTO_CGROUP;
        args.cgroup = 0;
        *in_cgroup = false;
        pid = sys_clone3 (&args);
    }
    if (pid < 0 && request->cgroup >= 0 && errno != ENOSYS && errno != ENOSPC && errno != EAGAIN) {
        /* E2BIG: before 5.7. Others: this cgroup does not take us by clone (threaded, not ours,
         * full); joining it by its file gives the better answer why. */
        args.flags &= ~CLONE_INTO_CGROUP;
        args.cgroup = 0;
        *in_cgroup = false;
        pid = sys_clone3 (&args);
    }
    if (pid < 0 && sys_is_missing (errno)) {
        *in_cgroup = false;
        pid = clone_old (request->flags, &fd);
    }
    if (pid == 0) {
        interrupt_forget ();
        patience_in_child ();
    }
    if (pid > 0)
        *pidfd = fd;
    return (pid_t)pid;
}
