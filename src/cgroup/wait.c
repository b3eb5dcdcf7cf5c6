/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait: see wait.h.
 */
#include "cgroup/wait.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

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
