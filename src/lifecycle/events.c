/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: statistics at intervals and OOM kills, until the container stops. No lock
 * is held: a command that changes the container meanwhile is not kept waiting.
 */
#include "lifecycle/events.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "cgroup/oom_events.h"
#include "kernel/pidfd.h"
#include "lifecycle/existing.h"
#include "state/kills.h"

#include <errno.h>
#include <poll.h>
#include <sys/timerfd.h>

struct source {
    struct existing *existing;
    bool has_rdt;
    struct rdt rdt;
    events_reader *reader;
    void *context;
};

/* Of a container that asks for a class of service the group is in its document. */
static int find_rdt (struct source *source, struct error *err)
{
    const struct oci_config *config = existing_config (source->existing, err);

    if (!config)
        return -1;
    if (!config->linux.intel_rdt)
        return 0;
    rdt_plan (config->linux.intel_rdt, source->existing->record.id, RDT_MOUNT,
              &source->existing->arena, &source->rdt);
    source->has_rdt = true;
    return 0;
}

static int tell_stats (const struct source *source, struct error *err)
{
    const struct record *record = &source->existing->record;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text line = {0};
    struct events_stats stats = {.has_rdt = source->has_rdt};

    if (cgroup_stats_read (&arena, &record->cgroup, &stats.cgroup, err) < 0)
        return -1;
    if (source->has_rdt && rdt_stats_read (&arena, &source->rdt, &stats.rdt, err) < 0)
        return -1;
    int own = netcounters_read (&arena, record->pid, &stats.interfaces);
    if (own < 0)
        return error_set (err, "RT-EVENTS", errno, "read the network counters of process %d",
                          (int)record->pid);
    stats.has_interfaces = own > 0;
    events_stats_line (&line, record->id, &stats);
    return source->reader (source->context, &line, err);
}

/* Of a cgroup that is gone, what was left by the command that removed it. */
static int count_kills (struct oom_events *oom, int last_word, uint64_t *count, struct error *err)
{
    uint64_t total;
    int there = oom_events_count (oom, count, err);

    if (there != 0)
        return there < 0 ? -1 : 0;
    int left = last_word < 0 ? 0 : kills_read (last_word, &total);
    if (left < 0)
        return error_set (err, "RT-EVENTS", errno, "read `%s` in the state directory", KILLS_FILE);
    if (left > 0) {
        *count = oom_events_since (oom, total);
        return 0;
    }
    log_debug ("the cgroup was not removed by rt: its last OOM kills are not known for certain");
    *count = oom_events_guess (oom, *count);
    return 0;
}

static int tell_kills (const struct source *source, struct oom_events *oom, int last_word,
                       struct error *err)
{
    uint64_t count;

    if (count_kills (oom, last_word, &count, err) < 0)
        return -1;
    for (; count > 0; count--) {
        AUTO_TEXT struct text line = {0};
        events_oom_line (&line, source->existing->record.id);
        if (source->reader (source->context, &line, err) < 0)
            return -1;
    }
    return 0;
}

static int begin_ticks (int64_t interval, struct error *err)
{
    struct timespec span = {.tv_sec = (time_t)(interval / 1000000000),
                            .tv_nsec = (long)(interval % 1000000000)};
    struct itimerspec times = {span, span};
    AUTO_FD int timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    if (timer < 0 || timerfd_settime (timer, 0, &times, NULL) < 0)
        return error_set (err, "RT-EVENTS", errno, "make a timer");
    return take_fd (&timer);
}

/* One that fails is told of, and the next may be better: the container goes on, too. */
static int tell_tick (const struct source *source, int timer, int init, struct error *err)
{
    uint64_t ticks;
    struct error failure = {0};

    /* Ticks that there was no time for are one; and of a container that is gone nothing is left. */
    if (read (timer, &ticks, sizeof ticks) != sizeof ticks || pidfd_wait_dead (init, 0) == 1)
        return 0;
    if (tell_stats (source, &failure) == 0)
        return 0;
    if (text_equal (failure.code, "RT-OUTPUT")) {
        *err = failure;
        return -1;
    }
    char words[ERROR_WORDS];
    log_warning ("no statistics of container %s: %s", source->existing->record.id,
                 error_format (&failure, words, sizeof words));
    return 0;
}

static int follow (const struct source *source, int64_t interval, int output, struct error *err)
{
    const struct record *record = &source->existing->record;
    AUTO_OOM_EVENTS struct oom_events oom = OOM_EVENTS_INIT;
    enum { INIT, OOM, TIMER, OUTPUT, POLLED };

    AUTO_FD int init = pidfd_open_exact (record->pid, record->start_time);
    if (init < 0)
        return errno == ESRCH ? 0
                              : error_set (err, "RT-EVENTS", errno,
                                           "cannot open the init of container %s", record->id);
    AUTO_FD int last_word = kills_listen (source->existing->directory, err);
    if (error_is_set (err) || oom_events_open (&record->cgroup, &oom, err) < 0)
        return -1;
    if (oom.fd < 0)
        log_warning ("container %s has no memory cgroup: nobody hears when memory runs out",
                     record->id);
    AUTO_FD int timer = begin_ticks (interval, err);
    if (timer < 0)
        return -1;
    for (;;) {
        struct pollfd polled[POLLED] = {
            [INIT] = {.fd = init, .events = POLLIN},
            [OOM] = {.fd = oom.fd, .events = oom.control < 0 ? POLLPRI : POLLIN},
            [TIMER] = {.fd = timer, .events = POLLIN},
            [OUTPUT] = {.fd = output}, /* its reader went away */
        };
        if (poll (polled, POLLED, -1) < 0 && errno != EINTR)
            return error_set (err, "RT-EVENTS", errno, "wait for container %s", record->id);
        /* A kill that ends init comes before its end. */
        if ((polled[OOM].revents || polled[INIT].revents) &&
            tell_kills (source, &oom, last_word, err) < 0)
            return -1;
        if (polled[INIT].revents || polled[OUTPUT].revents)
            return 0;
        if (polled[TIMER].revents && tell_tick (source, timer, init, err) < 0)
            return -1;
    }
}

int lifecycle_events (const struct lifecycle_globals *globals, const char *id, int64_t interval,
                      int output, events_reader *reader, void *context, struct error *err)
{
    AUTO_EXISTING struct existing existing = EXISTING_INIT;
    struct source source = {.existing = &existing, .reader = reader, .context = context};

    if (existing_open (&existing, globals, id, false, err) < 0)
        return -1;
    if (existing.status == OCI_STATUS_STOPPED || existing.status == OCI_STATUS_CREATING)
        return existing_not_running (id, err);
    if (find_rdt (&source, err) < 0)
        return -1;
    return interval == 0 ? tell_stats (&source, err) : follow (&source, interval, output, err);
}
