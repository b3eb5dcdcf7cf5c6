/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_entry: see process_entry.h.
 */
#include "process_entry.h"

#include "kernel/fds.h"
#include "kernel/procfd.h"
#include "kernel/selfcopy.h"

#include <errno.h>
#include <stdint.h>

#define FIRST_PRESERVED 3

int process_fill_standard (void)
{
    return fds_fill_standard ();
}

int process_guard_fds (unsigned int preserve_fds, struct error *err)
{
    int closed = fds_first_closed (FIRST_PRESERVED, preserve_fds);
    if (closed >= 0) {
        error_set (err, "RT-FDS-CLOSED", 0, "fd %d is not open: 3 to %u were to be handed on",
                   closed, FIRST_PRESERVED + preserve_fds - 1);
        return error_hint (err, "see --preserve-fds and LISTEN_FDS");
    }
    if (fds_cloexec_from (FIRST_PRESERVED + (int)preserve_fds) < 0)
        return error_set (err, "RT-FDS-CLOEXEC", errno,
                          "set close-on-exec on the inherited descriptors");
    return 0;
}

int process_protect (char *const argv[], struct error *err)
{
    return selfcopy_protect (argv, err);
}

bool process_in_user_namespace (void)
{
    char map[64];
    if (procfd_read ("self/uid_map", map, sizeof map) <= 0)
        return false; /* a kernel without user namespaces has no such file */
    /* The first namespace maps all ids to themselves, in one line of three padded numbers. */
    unsigned long long inside, outside, size;
    return sscanf (map, "%llu %llu %llu", &inside, &outside, &size) != 3 || inside != 0 ||
           outside != 0 || size != UINT32_MAX;
}
