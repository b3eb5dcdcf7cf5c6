/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_entry: see process_entry.h.
 */
#include "process_entry.h"

#include "base/text.h"
#include "kernel/fds.h"
#include "kernel/procfd.h"
#include "kernel/selfcopy.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_PRESERVED 3

int process_fill_standard (void)
{
    return fds_fill_standard ();
}

int process_listen_fds (unsigned int *count, struct error *err)
{
    const char *pid = getenv ("LISTEN_PID");
    const char *fds = getenv ("LISTEN_FDS");
    uint64_t number;
    /* Meant for another process: what systemd's own library says to that. */
    if (!fds || !pid || text_to_uint64 (pid, INT_MAX, &number) < 0 ||
        number != (uint64_t)getpid ()) {
        *count = 0;
        return 0;
    }
    if (text_to_uint64 (fds, INT_MAX - FIRST_PRESERVED, &number) < 0)
        return error_set (err, "RT-FDS-LISTEN", 0, "LISTEN_FDS is no number: `%s`", fds);
    *count = (unsigned int)number;
    return 0;
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
