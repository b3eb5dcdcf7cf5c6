/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timestamp: the time of day as records and logs write it.
 */
#ifndef RT_BASE_TIMESTAMP_H
#define RT_BASE_TIMESTAMP_H

#define TIMESTAMP_SIZE 40

/* Now, in UTC, as RFC 3339 with nanoseconds: "2026-02-03T04:05:06.123456789Z". */
void timestamp_now (char out[TIMESTAMP_SIZE]);

#endif
