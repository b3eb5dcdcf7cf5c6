/* SPDX-License-Identifier: Apache-2.0 */
/* holder: see holder.h. */
#include "kernel/holder.h"

#include "base/cleanup.h"
#include "kernel/clone.h"
#include "kernel/pidfd.h"
#include "kernel/syscall.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void hold (pid_t parent)
{
    sigset_t all;

    (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl (PR_SET_NAME, "rt:holder");
    /* A signal to the terminal's group is not meant for it. */
    (void)sigfillset (&all);
    (void)sigprocmask (SIG_BLOCK, &all, NULL);
    (void)sys_close_range (0, ~0U, 0);
    while (getppid () == parent)
        (void)pause ();
    _exit (0);
}

pid_t holder_begin (int *pidfd)
{
    const struct clone_request request = {.cgroup = -1};
    bool in_cgroup;
    pid_t parent = getpid ();
    pid_t pid = clone_child (&request, pidfd, &in_cgroup);

    if (pid == 0)
        hold (parent);
    return pid;
}

void holder_end (int *pidfd)
{
    if (*pidfd < 0)
        return;
    (void)pidfd_signal (*pidfd, SIGKILL);
    while (waitid (P_PIDFD, (id_t)*pidfd, NULL, WEXITED) < 0 && errno == EINTR)
        ;
    drop_fd (pidfd);
}
