/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timestamp: see timestamp.h. libc's gmtime_r reads /etc/localtime first, whatever it is asked: a
 * dozen system calls for something that needs none.
 */
#include "base/timestamp.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

enum { DAY = 24 * 60 * 60, FEBRUARY = 1 };

static bool is_leap (int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

struct date timestamp_date (long days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct date date = {.year = 1970, .month = 0};

    for (; days >= 365 + is_leap (date.year); date.year++)
        days -= 365 + is_leap (date.year);
    for (int length;; days -= length, date.month++) {
        length = lengths[date.month] + (date.month == FEBRUARY && is_leap (date.year));
        if (days < length)
            break;
    }
    date.month++;
    date.day = (int)days + 1;
    return date;
}

void timestamp_now (char out[TIMESTAMP_SIZE])
{
    struct timespec now;

    (void)clock_gettime (CLOCK_REALTIME, &now);
    struct date date = timestamp_date (now.tv_sec / DAY);
    long second = now.tv_sec % DAY;
    (void)snprintf (out, TIMESTAMP_SIZE, "%04d-%02d-%02dT%02ld:%02ld:%02ld.%09ldZ", date.year,
                    date.month, date.day, second / 3600, second / 60 % 60, second % 60,
                    now.tv_nsec);
}
