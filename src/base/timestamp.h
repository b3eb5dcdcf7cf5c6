/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timestamp: the time of day as records and logs write it.
 */
#ifndef RT_BASE_TIMESTAMP_H
#define RT_BASE_TIMESTAMP_H

#define TIMESTAMP_SIZE 40

struct date {
    int year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

/* That of the day so many days after the 1st of January 1970; not for days before it. */
struct date timestamp_date (long days);

/* Now, in UTC, as RFC 3339 with nanoseconds: "2026-02-03T04:05:06.123456789Z". */
void timestamp_now (char out[TIMESTAMP_SIZE]);

#endif
