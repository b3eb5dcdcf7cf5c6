/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd: see pidfd.h. */
#include "kernel/pidfd.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/procfd.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int pidfd_start_time (pid_t pid, uint64_t *start_time, char *state)
{
    char path[32];
    char stat[1024];

    (void)snprintf (path, sizeof (path), "%d/stat", pid);
    if (procfd_read (path, stat, sizeof (stat)) <= 0)
        return -1;
    /* The name in field 2 may hold anything, also ") R 1"; the last parenthesis ends it. */
    char *field = strrchr (stat, ')');
    if (!field || field[1] != ' ') {
        errno = EIO;
        return -1;
    }
    field += 2;
    char letter = *field;
    for (int i = 3; i < 22; i++) {
        field = strchr (field, ' ');
        if (!field) {
            errno = EIO;
            return -1;
        }
        field++;
    }
    field[strcspn (field, " ")] = '\0';
    uint64_t value;
    if (text_to_uint64 (field, UINT64_MAX, &value) < 0) {
        errno = EIO;
        return -1;
    }
    *start_time = value;
    if (state)
        *state = letter;
    return 0;
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
    AUTO_FD int fd = sys_pidfd_open (pid, 0);
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

int pidfd_signal (int pidfd, int signal)
{
    return sys_pidfd_send_signal (pidfd, signal);
}

pid_t pidfd_pid (int pidfd)
{
    char path[48];
    char info[512];
    uint64_t pid;

    (void)snprintf (path, sizeof (path), "self/fdinfo/%d", pidfd);
    if (procfd_read (path, info, sizeof (info)) <= 0)
        return -1;
    char *line = strstr (info, "Pid:\t");
    if (!line)
        return -1;
    line += strlen ("Pid:\t");
    line[strcspn (line, "\n")] = '\0';
    if (text_to_uint64 (line, INT32_MAX, &pid) < 0 || pid == 0)
        return -1;
    return (pid_t)pid;
}

int pidfd_wait_dead (int pidfd, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
    struct timespec now;
    struct timespec end;

    (void)clock_gettime (CLOCK_MONOTONIC, &end);
    int64_t end_ms = end.tv_sec * 1000 + end.tv_nsec / 1000000 + timeout_ms;
    int left = timeout_ms;
    for (;;) {
        int ready = poll (&poll_fd, 1, left);
        if (ready >= 0 || errno != EINTR)
            return ready;
        if (timeout_ms < 0)
            continue;
        (void)clock_gettime (CLOCK_MONOTONIC, &now);
        int64_t rest = end_ms - (now.tv_sec * 1000 + now.tv_nsec / 1000000);
        left = rest > 0 ? (int)rest : 0;
    }
}
