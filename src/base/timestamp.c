/* SPDX-License-Identifier: Apache-2.0 */
/* timestamp: see timestamp.h. */
#include "base/timestamp.h"

#include <stdio.h>
#include <time.h>

void timestamp_now (char out[TIMESTAMP_SIZE])
{
    struct timespec now;
    struct tm utc;
    char seconds[24];

    (void)clock_gettime (CLOCK_REALTIME, &now);
    (void)gmtime_r (&now.tv_sec, &utc);
    (void)strftime (seconds, sizeof (seconds), "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf (out, TIMESTAMP_SIZE, "%s.%09ldZ", seconds, now.tv_nsec);
}
