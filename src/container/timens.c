/* SPDX-License-Identifier: Apache-2.0 */
/* timens: see timens.h. */
#include "container/timens.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/ns.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static int write_offsets (const struct oci_linux *linux, struct error *err)
{
    AUTO_TEXT struct text lines = {0};

    for (size_t i = 0; i < linux->time_offsets.count; i++) {
        const struct oci_time_offset *offset = &linux->time_offsets.items[i];
        text_printf (&lines, "%s %lld %u\n",
                     offset->clock == CLOCK_BOOTTIME ? "boottime" : "monotonic",
                     (long long)offset->secs, offset->nanosecs);
    }
    if (lines.length == 0)
        return 0;
    if (procfd_write ("self/timens_offsets", text_string (&lines), lines.length) < 0) {
        error_set (err, "RT-TIMENS", errno, "cannot set the offsets of the time namespace");
        return error_at (err, "/linux/timeOffsets");
    }
    return 0;
}

int timens_apply (const struct oci_linux *linux, struct error *err)
{
    if (ns_unshare (CLONE_NEWTIME) < 0)
        return ns_explain (CLONE_NEWTIME, errno, err);
    if (write_offsets (linux, err) < 0)
        return -1;
    AUTO_FD int made = ns_open_own ("time_for_children");
    if (made < 0 || ns_join (made, CLONE_NEWTIME) < 0)
        return error_set (err, "RT-TIMENS", errno, "cannot enter the new time namespace");
    return 0;
}
