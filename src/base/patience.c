/* SPDX-License-Identifier: Apache-2.0 */
/* patience: see patience.h. */
#include "patience.h"

#include <stddef.h>
#include <time.h>

#define NS_PER_MS 1000000

/* What undoing has after the span: as long again, but neither too short for a process to die nor
 * longer than without --timeout. */
#define UNDO_MIN_MS 1000

/* A child says first why it gave up: it has a little less time than its parent. */
#define CHILD_LESS 8
#define CHILD_LESS_MAX_MS 250

static struct {
    int asked_ms; /* 0: --timeout was not given */
    int64_t deadline_ns;
    bool undoes;  /* the span is over, and the deadline is that of undoing */
    int child_ms; /* in a child: what was left at its birth; else 0 */
} span;

static int64_t now_ns (void)
{
    struct timespec now;

    (void)clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int ms_until (int64_t deadline_ns)
{
    int64_t left = deadline_ns - now_ns ();

    return left <= 0 ? 0 : (int)((left + NS_PER_MS - 1) / NS_PER_MS);
}

static void end_after (int milliseconds)
{
    span.deadline_ns = now_ns () + (int64_t)milliseconds * NS_PER_MS;
}

void patience_set (int milliseconds)
{
    span.asked_ms = milliseconds;
    span.undoes = false;
    span.child_ms = 0;
    if (milliseconds > 0)
        end_after (milliseconds);
}

static int at_least_1 (int milliseconds)
{
    return milliseconds > 0 ? milliseconds : 1;
}

/* In a time namespace that it has joined, a child's clock is another one: then it has the whole,
 * and its parent decides. */
static int left_in_child (void)
{
    int left = ms_until (span.deadline_ns);

    return left > 0 && left < span.child_ms ? left : span.child_ms;
}

int patience_ms (void)
{
    if (span.asked_ms <= 0)
        return PATIENCE_DEFAULT_MS;
    if (span.child_ms > 0)
        return left_in_child ();
    int left = ms_until (span.deadline_ns);
    if (left == 0 && !span.undoes) {
        span.undoes = true;
        left = span.asked_ms < UNDO_MIN_MS ? UNDO_MIN_MS : span.asked_ms;
        if (left > PATIENCE_DEFAULT_MS)
            left = PATIENCE_DEFAULT_MS;
        end_after (left);
    }
    return at_least_1 (left);
}

double patience_seconds (void)
{
    return (double)(span.asked_ms > 0 ? span.asked_ms : PATIENCE_DEFAULT_MS) / 1000;
}

int patience_asked_ms (void)
{
    return span.asked_ms > 0 ? patience_ms () : -1;
}

void patience_allow (int64_t milliseconds)
{
    const int64_t most = INT64_MAX / 2 / NS_PER_MS;

    if (milliseconds > 0)
        span.deadline_ns += (milliseconds < most ? milliseconds : most) * NS_PER_MS;
}

int64_t patience_pause (void)
{
    return now_ns ();
}

void patience_resume (int64_t paused)
{
    span.deadline_ns += now_ns () - paused;
}

void patience_in_child (void)
{
    if (span.asked_ms <= 0 || span.child_ms > 0)
        return;
    int left = patience_ms ();
    int less = left / CHILD_LESS < CHILD_LESS_MAX_MS ? left / CHILD_LESS : CHILD_LESS_MAX_MS;

    span.child_ms = at_least_1 (left - less);
    end_after (span.child_ms);
}

struct wait wait_begin (int timeout_ms)
{
    return (struct wait){.deadline_ns = now_ns () + (int64_t)timeout_ms * NS_PER_MS,
                         .step_ns = 250000};
}

int wait_left (const struct wait *wait)
{
    return ms_until (wait->deadline_ns);
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
