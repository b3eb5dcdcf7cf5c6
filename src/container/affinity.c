/* SPDX-License-Identifier: Apache-2.0 */
/* affinity: see affinity.h. */
#include "container/affinity.h"

#include "base/log.h"
#include "kernel/bitlist.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

/* More than any kernel has; it cuts what is too long. */
#define ALL_PROCESSORS 16384

int affinity_apply (const char *cpulist, struct error *err)
{
    AUTO_BITLIST struct bitlist list = {0};

    if (!cpulist)
        return 0;
    if (bitlist_parse (cpulist, &list) < 0)
        return error_set (err, "RT-AFFINITY-LIST", errno, "bad CPU list \"%s\"", cpulist);
    /* A cpu_set_t is an array of unsigned long, of any length. */
    if (sched_setaffinity (0, list.bits / 8, (const cpu_set_t *)list.words) == 0)
        return 0;
    error_set (err, "RT-AFFINITY-SET", errno, "cannot set CPU affinity \"%s\"", cpulist);
    if (errno == EINVAL)
        error_hint (err, "none of these processors is online and in the cpuset");
    return -1;
}

void affinity_reset (void)
{
    unsigned long all[ALL_PROCESSORS / 8 / sizeof (unsigned long)];

    memset (all, 0xff, sizeof (all));
    if (sched_setaffinity (0, sizeof (all), (const cpu_set_t *)all) < 0)
        log_debug ("cannot reset the CPU affinity: %s", error_words (errno));
}
