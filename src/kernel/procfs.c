/* SPDX-License-Identifier: Apache-2.0 */
/* procfs: see procfs.h. */
#include "kernel/procfs.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/patience.h"
#include "kernel/clone.h"
#include "kernel/descendants.h"
#include "kernel/fds.h"
#include "kernel/launch.h"
#include "kernel/ns.h"
#include "kernel/pidfd.h"
#include "kernel/privileges.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The packets of the socket: a descriptor, or an errno. */
enum word { WORD_FAILED = 1, WORD_OPENED };

static int open_by_option (int pid_ns)
{
    AUTO_FD int fs = sys_fsopen ("proc", FSOPEN_CLOEXEC);

    if (fs < 0 && sys_is_missing (errno))
        errno = ENOSYS;
    if (fs < 0 || sys_fsconfig (fs, FSCONFIG_SET_FD, "pidns", NULL, pid_ns) < 0)
        return -1;
    return take_fd (&fs);
}

/* A directory without anything in it, which is mounted nowhere. */
static int enter_nothing (void)
{
    AUTO_FD int fs = sys_fsopen ("tmpfs", FSOPEN_CLOEXEC);

    if (fs < 0 || sys_fsconfig (fs, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
        sys_fsconfig (fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    AUTO_FD int top = sys_fsmount (fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
    return top < 0 || fchdir (top) < 0 || chroot (".") < 0 ? -1 : 0;
}

/* In the process that clones the one which is seen: returns only where that could not be made. */
static void open_inside (int pid_ns, int line)
{
    static char *const none[] = {NULL};
    const uint64_t admin = (uint64_t)1 << CAP_SYS_ADMIN;
    const struct launch_request request = {
        .words = {.failed = WORD_FAILED, .listener = WORD_OPENED},
        .leaves = true,
        .opens_procfs = true,
        .argv = none,
        .envp = none,
        .birth = true,
        .line = line,
        .gate = -1,
        .notify = -1,
        .gate_word = "",
        .gate_word_old = "",
    };
    int keep[] = {line};

    (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
    struct launch *launch = launch_make (&request);
    if (!launch || enter_nothing () < 0 || ns_join (pid_ns, CLONE_NEWPID) < 0 ||
        capabilities_set (admin, admin, 0) < 0 || fds_close_others (0, keep, 1) < 0)
        return;
    launch_leave (launch, "");
}

/* A process of that pid namespace may hold the one that opens. */
static int await (int line)
{
    struct pollfd ready = {.fd = line, .events = POLLIN};
    struct wait wait = wait_begin (patience_ms ());
    int count;

    do
        count = poll (&ready, 1, wait_left (&wait));
    while (count < 0 && errno == EINTR);
    if (count == 0)
        errno = ETIMEDOUT;
    return count > 0 ? 0 : -1;
}

static void end (int pidfd)
{
    (void)pidfd_signal (pidfd, SIGKILL);
    /* What traces it may keep it from being reaped: then the parent of this process does that. */
    (void)pidfd_wait_dead (pidfd, patience_ms ());
    (void)waitid (P_PIDFD, (id_t)pidfd, NULL, WEXITED | WNOHANG);
}

/* Both have ended, or are not waited for any more. One that has not spoken is not known by its
 * number, and what has spoken may be a neighbour that took the socket; at this time this process
 * has no other child of its own making. */
static void end_both (int cloner, pid_t opener, const struct descendants_before *before)
{
    struct error unknown = {0};
    int saved = errno;

    end (cloner);
    AUTO_FD int pidfd = pidfd_signal_child (opener, 0) == 0 ? pidfd_open_child (opener) : -1;
    if (pidfd >= 0)
        end (pidfd);
    else
        (void)descendants_end (before, patience_ms (), &unknown);
    errno = saved;
}

static int open_by_process (int pid_ns)
{
    const struct clone_request request = {.cgroup = -1};
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct descendants_before before;
    AUTO_FD int pidfd = -1;
    uint32_t word[3] = {0};
    size_t fd_count = 1;
    pid_t opener = 0;
    bool in_cgroup;
    int pair[2];
    int fs = -1;

    if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    AUTO_FD int line = pair[0];
    AUTO_FD int other = pair[1];
    if (fd_ask_sender (line) < 0)
        return -1;
    descendants_before (&arena, &before);
    pid_t pid = clone_child (&request, &pidfd, &in_cgroup);
    if (pid < 0)
        return -1;
    if (pid == 0) {
        open_inside (pid_ns, other);
        word[0] = WORD_FAILED;
        word[2] = (uint32_t)errno;
        (void)fd_send (other, word, sizeof (word), NULL, 0);
        _exit (1);
    }
    drop_fd (&other);
    ssize_t length = await (line) < 0
                         ? -1
                         : fd_receive_from (line, word, sizeof (word), &fs, &fd_count, &opener);
    int saved = length < 0 ? errno : EPROTO;
    end_both (pidfd, opener == pid ? 0 : opener, &before);
    if (length == (ssize_t)sizeof (word[0]) && word[0] == WORD_OPENED && fd_count == 1)
        return fs;
    if (length > 0 && fd_count == 1)
        (void)close (fs);
    /* struct launch_failure: the step, and the errno. */
    errno = length >= (ssize_t)sizeof (word) && word[2] ? (int)word[2] : saved;
    return -1;
}

int procfs_open (int pid_ns)
{
    int fs = open_by_option (pid_ns);

    /* EINVAL: the option is not known. */
    return fs < 0 && errno == EINVAL ? open_by_process (pid_ns) : fs;
}
