/* SPDX-License-Identifier: Apache-2.0 */
/* The date that a record shows is the one that libc would tell (timestamp.h). */
#include "base/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_each_day_is_libcs (void **state)
{
    (void)state;
    for (long day = 0; day < 200000; day++) { /* to the year 2517 */
        time_t seconds = day * 24 * 60 * 60;
        struct tm utc;
        struct date date = timestamp_date (day);

        assert_non_null (gmtime_r (&seconds, &utc));
        assert_int_equal (date.year, utc.tm_year + 1900);
        assert_int_equal (date.month, utc.tm_mon + 1);
        assert_int_equal (date.day, utc.tm_mday);
    }
}

static void test_now_is_the_time_of_day (void **state)
{
    char text[TIMESTAMP_SIZE], *end;
    struct tm utc = {0};
    struct timespec before, after;

    (void)state;
    /* time () may be a tick behind this clock. */
    assert_int_equal (clock_gettime (CLOCK_REALTIME, &before), 0);
    timestamp_now (text);
    end = strptime (text, "%Y-%m-%dT%H:%M:%S", &utc);
    assert_non_null (end);
    assert_int_equal (*end, '.');
    assert_int_equal (strspn (end + 1, "0123456789"), 9);
    assert_string_equal (end + 10, "Z");
    assert_int_equal (clock_gettime (CLOCK_REALTIME, &after), 0);
    assert_true (timegm (&utc) >= before.tv_sec && timegm (&utc) <= after.tv_sec);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_each_day_is_libcs),
        cmocka_unit_test (test_now_is_the_time_of_day),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
