/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd: see pidfd.h. */
#include "kernel/pidfd.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/procfd.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#define STAT_SIZE 1024

/* PF_FORKNOEXEC of the kernel's linux/sched.h, which is not for programs; /proc has shown it since
 * Linux 2.6. */
#define FORKED_NO_EXEC 0x40u
#define EXITING 0x4u /* PF_EXITING */

/* Of /proc/PID/status, in which the groups may be many. */
#define STATUS_LIMIT (1024 * 1024)
#define SHARED_PENDING "\nShdPnd:\t"

/* Field `number` of /proc/PID/stat as proc(5) counts them, from 3 on; `stat` is cut. */
static int stat_field (char *stat, int number, uint64_t *value)
{
    /* The name in field 2 may hold anything, also ") R 1"; the last parenthesis ends it. */
    char *field = strrchr (stat, ')');

    for (int i = 2; field && i < number; i++) {
        field = strchr (field, ' ');
        if (field)
            field++;
    }
    if (!field) {
        errno = EIO;
        return -1;
    }
    size_t length = strcspn (field, " \n");
    char after = field[length];
    field[length] = '\0';
    int failed = text_to_uint64 (field, UINT64_MAX, value);
    field[length] = after;
    if (failed)
        errno = EIO;
    return failed;
}

static char stat_state (const char *stat)
{
    const char *end = strrchr (stat, ')');

    return end && end[1] == ' ' ? end[2] : 'X';
}

static int read_stat (pid_t pid, char *stat, size_t size)
{
    char path[32];

    (void)snprintf (path, sizeof (path), "%d/stat", pid);
    errno = EIO; /* what an empty file leaves */
    return procfd_read (path, stat, size) > 0 ? 0 : -1;
}

int pidfd_start_time (pid_t pid, uint64_t *start_time, char *state)
{
    char stat[STAT_SIZE];

    if (read_stat (pid, stat, sizeof (stat)) < 0 || stat_field (stat, 22, start_time) < 0)
        return -1;
    if (state)
        *state = stat_state (stat);
    return 0;
}

/* `mask` is a line of hexadecimal digits, the last of which has the signals 1 to 4. */
static bool has_signal (const char *mask, int signal)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = strcspn (mask, "\n");
    size_t from_right = (size_t)(signal - 1) / 4 + 1;
    const char *digit = length < from_right ? NULL : strchr (digits, mask[length - from_right]);

    return digit && ((digit - digits) >> ((signal - 1) % 4) & 1);
}

/* Only the signals that wait for the process as a whole tell at any moment: the kernel never takes
 * SIGKILL out of them, while that of the thread goes away before PF_SIGNALED comes. One that has
 * ended by itself was quick: its work is done, and must not be done twice. */
bool pidfd_is_doomed (pid_t pid)
{
    char path[32];
    struct error ignored = {0};

    (void)snprintf (path, sizeof (path), "%d/status", pid);
    AUTO_FD int fd = procfd_open (path, O_RDONLY);
    AUTO_FREE char *status = fd < 0 ? NULL : fd_read_all (fd, STATUS_LIMIT, NULL, path, &ignored);
    const char *line = status ? strstr (status, SHARED_PENDING) : NULL;
    return line && has_signal (line + strlen (SHARED_PENDING), SIGKILL);
}

/* Where pidfd_open is missing or denied, the directory /proc/PID stands for the process: it, too,
 * never becomes that of another one. */
static bool is_proc_directory (int fd)
{
    struct statfs fs;

    return fstatfs (fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

static int open_process (pid_t pid)
{
    char path[16];
    int fd = sys_pidfd_open (pid, 0);

    if (fd >= 0 || !sys_is_missing (errno))
        return fd;
    (void)snprintf (path, sizeof (path), "%d", pid);
    fd = procfd_open (path, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == ENOENT)
        errno = ESRCH;
    return fd;
}

/* The pid at the head of /proc/PID/stat, with the state's letter; -1 with errno, which is ESRCH
 * when it is gone. */
static pid_t read_process (int directory, char *state)
{
    char stat[STAT_SIZE];
    uint64_t pid;

    errno = EIO; /* what an empty file leaves */
    if (fd_read_file_at (directory, "stat", stat, sizeof (stat)) <= 0) {
        errno = errno == ENOENT ? ESRCH : errno;
        return -1;
    }
    *state = stat_state (stat);
    stat[strcspn (stat, " ")] = '\0';
    if (text_to_uint64 (stat, INT32_MAX, &pid) < 0) {
        errno = EIO;
        return -1;
    }
    if (*state == 'Z' || *state == 'X') {
        errno = ESRCH;
        return -1;
    }
    return (pid_t)pid;
}

int pidfd_open_child (pid_t pid)
{
    return sys_pidfd_open (pid, 0);
}

int pidfd_open_number (pid_t pid)
{
    int fd = open_process (pid);

    /* What the kernel says of a number that only a thread has: before and since Linux 6.15. */
    if (fd < 0 && (errno == EINVAL || errno == ENOENT))
        errno = ESRCH;
    return fd;
}

int pidfd_open_exact (pid_t pid, uint64_t start_time)
{
    uint64_t found;
    char state;

    if (pid <= 0) {
        errno = ESRCH;
        return -1;
    }
    /* Open first, look then: what is looked at is what the descriptor holds, or it is gone. */
    AUTO_FD int fd = open_process (pid);
    if (fd < 0)
        return -1;
    if (pidfd_start_time (pid, &found, &state) < 0) {
        errno = errno == ENOENT ? ESRCH : errno;
        return -1;
    }
    if (found != start_time || state == 'Z' || state == 'X') {
        errno = ESRCH;
        return -1;
    }
    return take_fd (&fd);
}

/* A child keeps its number until its parent has reaped it, and rt reaps in this one thread. */
static bool is_own_child (pid_t pid)
{
    siginfo_t info;

    return waitid (P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

int pidfd_signal (int pidfd, int signal)
{
    char state;

    if (sys_pidfd_send_signal (pidfd, signal) == 0)
        return 0;
    if (!sys_is_missing (errno))
        return -1;
    pid_t pid = is_proc_directory (pidfd) ? read_process (pidfd, &state) : pidfd_pid (pidfd);
    if (pid < 0)
        return -1;
    if (is_own_child (pid))
        return kill (pid, signal);
    /* EPERM may be that of kill(2). Signal 0 reaches nothing. */
    if (kill (pid, 0) == 0)
        errno = ENOSYS;
    return -1;
}

int pidfd_signal_child (pid_t pid, int signal)
{
    if (pid > 0 && is_own_child (pid))
        return kill (pid, signal);
    errno = ESRCH;
    return -1;
}

pid_t pidfd_pid (int pidfd)
{
    char path[48];
    char info[512];
    uint64_t pid;

    (void)snprintf (path, sizeof (path), "self/fdinfo/%d", pidfd);
    errno = EIO; /* what an empty file leaves */
    if (procfd_read (path, info, sizeof (info)) <= 0)
        return -1;
    char *line = strstr (info, "Pid:\t");
    if (!line) {
        errno = EIO;
        return -1;
    }
    line += strlen ("Pid:\t");
    line[strcspn (line, "\n")] = '\0';
    if (text_to_uint64 (line, INT32_MAX, &pid) < 0 || pid == 0) { /* -1, or of another namespace */
        errno = ESRCH;
        return -1;
    }
    return (pid_t)pid;
}

int pidfd_holds (int pidfd, pid_t pid)
{
    char stat[STAT_SIZE];
    uint64_t found;

    pid_t held = pidfd_pid (pidfd);
    if (held >= 0 || errno == ESRCH)
        return pid > 0 && held == pid;
    int saved = errno;
    if (!is_proc_directory (pidfd)) {
        errno = saved;
        return -1;
    }
    errno = EIO; /* what an empty file leaves */
    if (fd_read_file_at (pidfd, "stat", stat, sizeof (stat)) <= 0)
        return errno == ENOENT || errno == ESRCH ? 0 : -1;
    stat[strcspn (stat, " ")] = '\0';
    return text_to_uint64 (stat, INT32_MAX, &found) == 0 && (pid_t)found == pid;
}

/* The flags that the kernel has of the process (PF_* of include/linux/sched.h). */
static int read_flags (pid_t pid, int pidfd, uint64_t *flags)
{
    char stat[STAT_SIZE];

    if (read_stat (pid, stat, sizeof (stat)) < 0) {
        errno = errno == ENOENT ? ESRCH : errno;
        return -1;
    }
    if (stat_field (stat, 9, flags) < 0)
        return -1;
    /* Read first and asked then: a number is not given again before its process is reaped. */
    int holds = pidfd_holds (pidfd, pid);
    if (holds == 0)
        errno = ESRCH;
    return holds < 1 ? -1 : 0;
}

int pidfd_has_executed (pid_t pid, int pidfd)
{
    uint64_t flags;

    return read_flags (pid, pidfd, &flags) < 0 ? -1 : !(flags & FORKED_NO_EXEC);
}

int pidfd_is_ending (pid_t pid, int pidfd)
{
    uint64_t flags;

    if (read_flags (pid, pidfd, &flags) < 0)
        return errno == ESRCH ? 1 : -1;
    return (flags & EXITING) != 0;
}

static int64_t now_ms (void)
{
    struct timespec now;

    (void)clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A directory of /proc cannot be polled for its process's death. */
static int watch_directory (int directory, int64_t end)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    char state;

    while (read_process (directory, &state) >= 0) {
        if (end >= 0 && now_ms () >= end)
            return 0;
        (void)nanosleep (&pause, NULL);
    }
    return errno == ESRCH ? 1 : -1;
}

int pidfd_wait_dead (int pidfd, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN | POLLOUT};
    int64_t end = timeout_ms < 0 ? -1 : now_ms () + timeout_ms;
    int left = timeout_ms;

    for (;;) {
        int ready = poll (&poll_fd, 1, left);
        /* A directory of /proc is always ready for both, a pidfd never for the second. */
        if (ready > 0 && poll_fd.revents & POLLOUT)
            return watch_directory (pidfd, end);
        if (ready >= 0 || errno != EINTR)
            return ready;
        if (end >= 0)
            left = now_ms () < end ? (int)(end - now_ms ()) : 0;
    }
}
