/* SPDX-License-Identifier: Apache-2.0 */
/* oom_events: see oom_events.h. */
#include "cgroup/oom_events.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "cgroup/hierarchy.h"
#include "cgroup/stats_parse.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>

/* The kernel announces the removal from a worker, soon after the rmdir. */
#define REMOVAL_TIMEOUT_MS 1000

void oom_events_close (struct oom_events *events)
{
    drop_fd (&events->fd);
    drop_fd (&events->control);
}

/* Kills so far: 1, 0 where the cgroup is gone, or -1 with errno. Reading also arms the next poll.
 */
static int read_kills (int fd, uint64_t *kills)
{
    char text[1024];
    ssize_t length;

    do
        length = pread (fd, text, sizeof text - 1, 0);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return errno == ENODEV ? 0 : -1;
    text[length] = '\0';
    *kills = 0;
    if (stats_find (text, "oom_kill", kills) >= 0) /* 0: this kernel does not count them */
        return 1;
    errno = EPROTO;
    return -1;
}

static int open_v2 (const char *path, struct oom_events *events, struct error *err)
{
    AUTO_FD int dir = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int fd = dir < 0 ? -1 : openat (dir, "memory.events", O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return 0;
    int there = fd < 0 ? -1 : read_kills (fd, &events->seen);
    if (there < 0)
        return error_set (err, "RT-CGROUP-OOM", errno, "read '%s/memory.events'", path);
    if (there)
        events->fd = take_fd (&fd);
    return 0;
}

static int open_v1 (const char *path, struct oom_events *events, struct error *err)
{
    char line[64];
    AUTO_FD int dir = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int control = dir < 0 ? -1 : openat (dir, "memory.oom_control", O_RDONLY | O_CLOEXEC);

    if (control < 0 && errno == ENOENT)
        return 0;
    if (control < 0)
        return error_set (err, "RT-CGROUP-OOM", errno, "open '%s/memory.oom_control'", path);
    int there = read_kills (control, &events->seen);
    if (there < 0)
        return error_set (err, "RT-CGROUP-OOM", errno, "read '%s/memory.oom_control'", path);
    if (!there)
        return 0;
    AUTO_FD int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)snprintf (line, sizeof line, "%d %d", fd, control);
    if (fd < 0 || fd_write_file_at (dir, "cgroup.event_control", line) < 0)
        return error_set (err, "RT-CGROUP-OOM", errno, "write '%s/cgroup.event_control'", path);
    events->fd = take_fd (&fd);
    events->control = take_fd (&control);
    return 0;
}

int oom_events_open (const struct oci_map *paths, struct oom_events *events, struct error *err)
{
    const char *v1 = cgroup_path_of (paths, "memory");
    const char *v2 = cgroup_path_of (paths, "");

    if (v1)
        return open_v1 (v1, events, err);
    return v2 ? open_v2 (v2, events, err) : 0;
}

static uint64_t drain (int fd)
{
    uint64_t count;

    return read (fd, &count, sizeof count) == sizeof count ? count : 0;
}

/* While the cgroup is there each wake is a kill. The counter is no help then: the kernel wakes
 * first and counts afterwards. */
static int count_v1 (struct oom_events *events, uint64_t *count)
{
    uint64_t kills;

    *count = drain (events->fd);
    int there = *count > 0 ? read_kills (events->control, &kills) : 1;
    if (there > 0)
        events->seen += *count;
    return there;
}

uint64_t oom_events_guess (const struct oom_events *events, uint64_t wakes)
{
    struct pollfd polled = {.fd = events->fd, .events = POLLIN};

    if (wakes == 0)
        return 0;
    return poll (&polled, 1, REMOVAL_TIMEOUT_MS) > 0 ? wakes + drain (events->fd) - 1 : wakes - 1;
}

uint64_t oom_events_since (struct oom_events *events, uint64_t kills)
{
    uint64_t before = events->seen;

    if (kills <= before)
        return 0;
    events->seen = kills;
    return kills - before;
}

int oom_events_count (struct oom_events *events, uint64_t *count, struct error *err)
{
    uint64_t kills;
    int there = 1;

    *count = 0;
    if (events->fd < 0)
        return 1;
    if (events->control >= 0)
        there = count_v1 (events, count);
    else if ((there = read_kills (events->fd, &kills)) > 0)
        *count = oom_events_since (events, kills);
    return there < 0 ? error_set (err, "RT-CGROUP-OOM", errno, "count the OOM kills") : there;
}

int oom_events_total (const struct oci_map *paths, uint64_t *kills, struct error *err)
{
    const char *v1 = cgroup_path_of (paths, "memory");
    const char *path = v1 ? v1 : cgroup_path_of (paths, "");
    const char *name = v1 ? "memory.oom_control" : "memory.events";
    AUTO_FD int dir = path ? open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    AUTO_FD int fd = dir < 0 ? -1 : openat (dir, name, O_RDONLY | O_CLOEXEC);

    if (!path || (fd < 0 && errno == ENOENT))
        return 0;
    int there = fd < 0 ? -1 : read_kills (fd, kills);
    return there < 0 ? error_set (err, "RT-CGROUP-OOM", errno, "read '%s/%s'", path, name) : there;
}
