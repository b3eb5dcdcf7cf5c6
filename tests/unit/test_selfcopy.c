/* SPDX-License-Identifier: Apache-2.0 */
/* selfcopy_keep: which copies of rt's program stay. Root only, in a mount namespace of its own. */
#include "kernel/selfcopy_keep.h"
#include "kernel/selfcopy_mount.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PROGRAMS = 7, KEPT = 4 };

static char *none[] = {NULL};
static time_t later; /* seconds that the clock is ahead */

time_t time (time_t *now)
{
    struct timespec clock;

    (void)clock_gettime (CLOCK_REALTIME, &clock);
    if (now)
        *now = clock.tv_sec + later;
    return clock.tv_sec + later;
}

static int program (int number)
{
    int fd = memfd_create ("program", MFD_CLOEXEC);
    char text[32];
    int length = snprintf (text, sizeof text, "text of %d", number);

    assert_int_equal (pwrite (fd, text, (size_t)length, 0), length);
    return fd;
}

static const char *path_of (int program, const char *file)
{
    static char path[512];
    struct selfcopy_place place;

    assert_int_equal (selfcopy_place (program, none, 0, &place), 0);
    (void)snprintf (path, sizeof path, "%s/%s/%s", place.base, place.key, file);
    return path;
}

static bool is_kept (int program)
{
    return access (path_of (program, SELFCOPY_FILE), F_OK) == 0;
}

/* A file system's clock goes in steps. */
static void await_tick (void)
{
    struct timespec before, now;

    (void)clock_gettime (CLOCK_REALTIME_COARSE, &before);
    do
        (void)clock_gettime (CLOCK_REALTIME_COARSE, &now);
    while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
}

/* rows: HDN-01 */
static void the_newest_stay (void **state)
{
    int programs[PROGRAMS];

    (void)state;
    later = 0;
    for (int i = 0; i < PROGRAMS; i++) {
        programs[i] = program (i);
        assert_int_equal (selfcopy_keep (programs[i], none), 0);
        for (int k = 0; k <= i; k++) /* another rt may just be making them */
            assert_true (is_kept (programs[k]));
        await_tick ();
    }
    later = 3600;
    assert_int_equal (selfcopy_keep (programs[PROGRAMS - 1], none), 0);
    for (int i = 0; i < PROGRAMS; i++) {
        assert_int_equal (is_kept (programs[i]), i >= PROGRAMS - KEPT);
        (void)close (programs[i]);
    }
}

/* rows: HDN-01 */
static void what_was_begun_goes_later (void **state)
{
    int given = program (0);

    (void)state;
    later = 0;
    assert_int_equal (selfcopy_keep (given, none), 0);
    int left = open (path_of (given, "new.1"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true (left >= 0);
    (void)close (left);
    assert_int_equal (selfcopy_keep (given, none), 0);
    assert_int_equal (access (path_of (given, "new.1"), F_OK), 0);
    later = 3600;
    assert_int_equal (selfcopy_keep (given, none), 0);
    assert_int_equal (access (path_of (given, "new.1"), F_OK), -1);
    assert_true (is_kept (given));
    (void)close (given);
}

/* rows: HDN-01. It is one by its mount, too. */
static void a_copy_that_can_be_written_is_none (void **state)
{
    int given = program (0);

    (void)state;
    assert_int_equal (selfcopy_keep (given, none), 0);
    int copy = open (path_of (given, SELFCOPY_FILE), O_RDONLY | O_CLOEXEC);
    assert_false (selfcopy_is_copy (copy));
    (void)close (copy);
    assert_int_equal (mount (NULL, "/run", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
    copy = open (path_of (given, SELFCOPY_FILE), O_RDONLY | O_CLOEXEC);
    assert_true (selfcopy_is_copy (copy));
    assert_false (selfcopy_is_copy (given));
    (void)close (copy);
    (void)close (given);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_newest_stay),
        cmocka_unit_test (what_was_begun_goes_later),
        cmocka_unit_test (a_copy_that_can_be_written_is_none),
    };

    if (geteuid () != 0 || unshare (CLONE_NEWNS) < 0 ||
        mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount ("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0) {
        print_message ("SKIP: needs root and a mount namespace\n");
        return 77;
    }
    return cmocka_run_group_tests (tests, NULL, NULL);
}
