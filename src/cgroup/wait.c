/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait: by poll where the kernel wakes us, by sleeping where it does not.
 */
#include "cgroup/wait.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>

static int64_t now_ns (void)
{
    struct timespec now;

    (void)clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct wait wait_begin (int timeout_ms)
{
    return (struct wait){.deadline_ns = now_ns () + (int64_t)timeout_ms * 1000000,
                         .step_ns = 250000};
}

int wait_left (const struct wait *wait)
{
    int64_t left = wait->deadline_ns - now_ns ();

    return left <= 0 ? 0 : (int)((left + 999999) / 1000000);
}

bool wait_more (struct wait *wait)
{
    if (wait_left (wait) == 0)
        return false;
    struct timespec step = {.tv_nsec = wait->step_ns};
    (void)nanosleep (&step, NULL);
    if (wait->step_ns < 16000000)
        wait->step_ns *= 2;
    return true;
}

int wait_events (int dir, const char *event, int timeout_ms)
{
    AUTO_FD int fd = openat (dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
    struct wait wait = wait_begin (timeout_ms);
    char text[256];

    if (fd < 0)
        return -1;
    for (;;) {
        ssize_t length = pread (fd, text, sizeof text - 1, 0);
        if (length < 0)
            return -1;
        text[length] = '\0';
        if (strstr (text, event))
            return 1;
        int left = wait_left (&wait);
        if (left == 0)
            return 0;
        struct pollfd polled = {.fd = fd, .events = POLLPRI};
        if (poll (&polled, 1, left) < 0 && errno != EINTR)
            return -1;
    }
}
