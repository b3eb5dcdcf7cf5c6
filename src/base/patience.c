/* SPDX-License-Identifier: Apache-2.0 */
/* patience: see patience.h. */
#include "patience.h"

#include <time.h>

/* 0: nobody has set it. */
static int asked_ms;

void patience_set (int milliseconds)
{
    asked_ms = milliseconds;
}

int patience_ms (void)
{
    return asked_ms > 0 ? asked_ms : PATIENCE_DEFAULT_MS;
}

double patience_seconds (void)
{
    return (double)patience_ms () / 1000;
}

int patience_asked_ms (void)
{
    return asked_ms > 0 ? asked_ms : -1;
}

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
