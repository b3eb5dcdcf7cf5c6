/* SPDX-License-Identifier: Apache-2.0 */
/* pry_take: what can be taken from a process: its descriptors, its namespaces, the process itself.
 */
#include "pry.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FD_MAX 40
#define STEPS_MAX 600
#define STOP_SECONDS 5

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

/* ---- descriptors */

static void judge (const struct target *target, int number, int fd)
{
    char path[32], link[256] = "?";
    struct statfs fs;
    struct stat st;
    int canary;

    (void)snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink (path, link, sizeof link - 1);
    link[length > 0 ? length : 0] = '\0';
    if (fstat (fd, &st) < 0 || fstatfs (fd, &fs) < 0)
        return;
    if (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == NSFS_MAGIC || S_ISDIR (st.st_mode))
        hit (WAY_GETFD, target, "descriptor %d is %s", number, link);
    else if (number > 2 && !S_ISSOCK (st.st_mode) && !S_ISFIFO (st.st_mode) &&
             strcmp (link, "anon_inode:seccomp notify") != 0)
        hit (WAY_GETFD, target, "descriptor %d is %s", number, link);
    if (!S_ISDIR (st.st_mode))
        return;
    char up[4200];
    (void)snprintf (up, sizeof up, "../../../../../../../../../../../..%s", task.canary);
    if ((canary = openat (fd, up, O_RDONLY | O_CLOEXEC)) >= 0) {
        hit (WAY_GETFD, target, "a file of the host was opened through descriptor %d", number);
        (void)close (canary);
    }
}

/* What waits in a socket to be read. */
static void listen_in (const struct target *target, int number, int fd)
{
    static char packet[1 << 18];
    struct stat st;

    if (fstat (fd, &st) < 0 || !S_ISSOCK (st.st_mode))
        return;
    ssize_t length = recv (fd, packet, sizeof packet, MSG_PEEK | MSG_DONTWAIT);
    const char *marker = length > 0 ? find_marker (packet, (size_t)length) : NULL;
    if (marker)
        hit (WAY_GETFD, target, "socket %d is sent %s", number, marker);
}

void take_descriptors (const struct target *target)
{
    int pidfd = (int)syscall (SYS_pidfd_open, target->pid, 0);

    for (int number = 0; pidfd >= 0 && number < FD_MAX; number++) {
        tried (WAY_GETFD);
        int fd = (int)syscall (SYS_pidfd_getfd, pidfd, number, 0);
        if (fd < 0 && errno != EBADF)
            break;
        if (fd < 0)
            continue;
        got (WAY_GETFD);
        judge (target, number, fd);
        listen_in (target, number, fd);
        (void)close (fd);
    }
    if (pidfd >= 0)
        (void)close (pidfd);
}

/* ---- namespaces */

void take_namespaces (const struct target *target, const char *kind)
{
    char path[32];
    int status = 0;

    (void)snprintf (path, sizeof path, "ns/%s", kind);
    tried (WAY_SETNS);
    int space = openat (target->dir, path, O_RDONLY | O_CLOEXEC);
    if (space < 0)
        return;
    pid_t child = fork_unseen ();
    if (child == 0) {
        if (setns (space, 0) < 0)
            _exit (0);
        if (strcmp (kind, "user") == 0) { /* with all rights there its mounts may be entered, too */
            int mounts = openat (target->dir, "ns/mnt", O_RDONLY | O_CLOEXEC);
            if (mounts >= 0)
                (void)setns (mounts, CLONE_NEWNS);
        }
        _exit (open (task.canary, O_RDONLY) >= 0 ? 1 : 2);
    }
    (void)close (space);
    if (child < 0 || waitpid (child, &status, 0) != child || !WIFEXITED (status) ||
        !WEXITSTATUS (status))
        return;
    got (WAY_SETNS);
    if (WEXITSTATUS (status) == 1)
        hit (WAY_SETNS, target, "a file of the host was opened in its %s namespace", kind);
}

/* ---- the process itself */

static double now (void)
{
    struct timespec time;

    (void)clock_gettime (CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The next stop of a process that is traced; false where it has ended, or does not stop. */
static bool await_stop (int pid, int *status)
{
    double end = now () + STOP_SECONDS;

    for (;;) {
        pid_t changed = waitpid (pid, status, WNOHANG | __WALL);
        if (changed < 0)
            return false;
        if (changed == pid)
            return WIFSTOPPED (*status);
        if (now () > end)
            return false;
    }
}

static bool seize (struct target *target, int *status)
{
    tried (WAY_SEIZE);
    if (ptrace (PTRACE_SEIZE, target->pid, NULL, PTRACE_O_TRACEEXEC) < 0)
        return false;
    if (ptrace (PTRACE_INTERRUPT, target->pid, NULL, NULL) < 0 || !await_stop (target->pid, status))
        return false;
    count_held ();
    return true;
}

static bool is_at_exec (int status)
{
    return status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8);
}

/* What is to be delivered: a signal of its own, but neither ptrace's stops nor a stop of the group.
 */
static long signal_of (int status)
{
    return status >> 16 || WSTOPSIG (status) == SIGTRAP ? 0 : WSTOPSIG (status);
}

/* From call to call, up to what it executes: nothing of what it is in between is missed. */
void take_hold (struct target *target)
{
    struct user_regs_struct registers;
    struct iovec buffer = {&registers, sizeof registers};
    int status;

    if (!seize (target, &status)) {
        look (target, false);
        return;
    }
    for (int step = 0; step < STEPS_MAX; step++) {
        target->passes = (unsigned)step;
        if (step == 0 &&
            ptrace (PTRACE_GETREGSET, target->pid, (void *)1 /* NT_PRSTATUS */, &buffer) == 0)
            got (WAY_SEIZE);
        look (target, true);
        if (is_at_exec (status) || target->executed || target->ended || task.only || is_proven ())
            break;
        if (ptrace (PTRACE_SYSCALL, target->pid, NULL, (void *)signal_of (status)) < 0)
            break;
        if (!await_stop (target->pid, &status)) {
            target->ended = true;
            /* Not detached: it runs, or has died. */
            (void)ptrace (PTRACE_INTERRUPT, target->pid, NULL, NULL);
            if (!await_stop (target->pid, &status))
                return;
            break;
        }
    }
    (void)ptrace (PTRACE_DETACH, target->pid, NULL, NULL);
}

void take_voice (struct target *target)
{
    int status, pidfd = (int)syscall (SYS_pidfd_open, target->pid, 0);
    struct stat st;

    if (pidfd < 0 || !seize (target, &status))
        return;
    target->executed = is_program (target);
    for (int number = 3; number < FD_MAX && !target->executed && !is_at_exec (status); number++) {
        int fd = (int)syscall (SYS_pidfd_getfd, pidfd, number, 0);
        if (fd < 0)
            continue;
        if (fstat (fd, &st) == 0 && S_ISSOCK (st.st_mode)) {
            got (WAY_GETFD);
            answer_line (fd);
        }
        (void)close (fd);
    }
    (void)close (pidfd);
    (void)ptrace (PTRACE_DETACH, target->pid, NULL, NULL);
}

/* It has said EXEC, and waits for the answer. */
static bool has_spoken (const struct target *target)
{
    char text[128] = "";
    int fd = openat (target->dir, "syscall", O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && read (fd, text, sizeof text - 1) < 0)
        text[0] = '\0';
    if (fd >= 0)
        (void)close (fd);
    return atol (text) == SYS_recvmsg;
}

/* The socket that the process has, or -1: it has executed. */
static int take_line (struct target *target)
{
    int pidfd = (int)syscall (SYS_pidfd_open, target->pid, 0), line = -1;
    struct stat st;

    for (int number = 3; pidfd >= 0 && number < FD_MAX && line < 0; number++) {
        int fd = (int)syscall (SYS_pidfd_getfd, pidfd, number, 0);
        if (fd >= 0 && fstat (fd, &st) == 0 && S_ISSOCK (st.st_mode))
            line = fd;
        else if (fd >= 0)
            (void)close (fd);
    }
    if (pidfd >= 0)
        (void)close (pidfd);
    return line;
}

static int taken_line = -1;

void go_on_talking (void)
{
    static const char packet[] = "\2\0\0\0\2and so on"; /* CHANNEL_LOG, LOG_LEVEL_DEBUG */
    (void)!send (taken_line, packet, sizeof packet, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool take_for_ever (struct target *target)
{
    int status = 0;

    if (strcmp (task.hold, "deafen") == 0) {
        taken_line = take_line (target);
        return taken_line >= 0 && shutdown (taken_line, SHUT_RD) == 0;
    }

    if (strcmp (task.hold, "stop") == 0) {
        if (is_program (target) || kill (target->pid, SIGSTOP) < 0)
            return false;
        for (double end = now () + STOP_SECONDS; now () < end && !has_ended (target);) {
            char text[512] = "";
            int fd = openat (target->dir, "stat", O_RDONLY | O_CLOEXEC);
            if (fd >= 0 && read (fd, text, sizeof text - 1) > 0 && strstr (text, ") T ")) {
                (void)close (fd);
                if (!is_program (target))
                    return true;
                break;
            }
            if (fd >= 0)
                (void)close (fd);
        }
        (void)kill (target->pid, SIGCONT);
        return false;
    }
    if (!seize (target, &status))
        return false;
    bool talks = strcmp (task.hold, "talk") == 0;
    if (!is_at_exec (status) && !is_program (target) && look_status (target, WAY_SEIZE) &&
        !(talks && has_spoken (target))) {
        taken_line = talks ? take_line (target) : -1;
        return true;
    }
    (void)ptrace (PTRACE_DETACH, target->pid, NULL, NULL);
    return false;
}
