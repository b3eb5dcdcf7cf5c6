/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oom_events on v1 where the cgroup is gone before its kills were told of: the kernel's word about
 * the removal comes from a worker, at any time. What the file of the cgroup says is this file's
 * pread ().
 */
#include "cgroup/oom_events.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

static int answer; /* errno of each read */

ssize_t pread (int fd, void *buffer, size_t size, off_t at)
{
    (void)fd, (void)buffer, (void)size, (void)at;
    errno = answer;
    return -1;
}

static int begin (void **state)
{
    static struct oom_events events;
    int pair[2];

    if (pipe2 (pair, O_CLOEXEC) < 0)
        return -1;
    (void)close (pair[1]);
    events = (struct oom_events){
        .fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK), .control = pair[0], .seen = 5};
    *state = &events;
    answer = ENODEV; /* gone */
    return 0;
}

static int end (void **state)
{
    oom_events_close (*state);
    return 0;
}

static void wake (const struct oom_events *events)
{
    uint64_t one = 1;
    assert_int_equal (write (events->fd, &one, sizeof one), sizeof one);
}

/* rows: VRB-54 */
static void the_last_word_is_believed_however_late_the_removal_is_told (void **state)
{
    struct oom_events *events = *state;
    struct error err = {0};
    uint64_t count;

    wake (events); /* a kill */
    assert_int_equal (oom_events_count (events, &count, &err), 0);
    assert_int_equal (oom_events_since (events, 6), 1);
    wake (events); /* the removal */
    assert_int_equal (oom_events_count (events, &count, &err), 0);
    assert_int_equal (oom_events_since (events, 6), 0);
    assert_int_equal (oom_events_count (events, &count, &err), 1);
    assert_int_equal (count, 0);
}

/* Somebody else has removed it, and left no word. */
static void one_wake_is_the_removal (void **state)
{
    struct oom_events *events = *state;
    struct error err = {0};
    uint64_t count;

    wake (events);
    assert_int_equal (oom_events_count (events, &count, &err), 0);
    assert_int_equal (count, 1);
    wake (events);
    assert_int_equal (oom_events_guess (events, count), 1);
    wake (events);
    assert_int_equal (oom_events_count (events, &count, &err), 0);
    assert_int_equal (oom_events_guess (events, count), 0);
    assert_int_equal (oom_events_guess (events, 0), 0);
}

static void a_counter_that_cannot_be_read_is_an_error (void **state)
{
    struct oom_events *events = *state;
    struct error err = {0};
    uint64_t count;

    answer = EIO;
    wake (events);
    assert_int_equal (oom_events_count (events, &count, &err), -1);
    assert_int_equal (err.errnum, EIO);
    int control = events->control;
    events->control = -1; /* as on v2 */
    assert_int_equal (oom_events_count (events, &count, &err), -1);
    answer = ENODEV;
    assert_int_equal (oom_events_count (events, &count, &err), 0);
    events->control = control;
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, begin, end)

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (the_last_word_is_believed_however_late_the_removal_is_told),
        TEST (one_wake_is_the_removal),
        TEST (a_counter_that_cannot_be_read_is_an_error),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
