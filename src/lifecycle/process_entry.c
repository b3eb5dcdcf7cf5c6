/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_entry: see process_entry.h.
 */
#include "process_entry.h"

#include "base/cleanup.h"
#include "kernel/fds.h"
#include "kernel/ns.h"
#include "kernel/selfcopy.h"

#include <errno.h>
#include <sys/stat.h>

/* A part of the kernel's interface (USER_NS_INIT_INO of linux/nsfs.h, Linux 6.18) since 3.8. */
#define FIRST_USER_NAMESPACE 0xeffffffdU
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

int process_in_user_namespace (void)
{
    static int answer =
        -1; /* asked several times in a start; rt itself stays where it was called */
    struct stat st;

    if (answer >= 0)
        return answer;
    AUTO_FD int own = ns_open_own ("user");
    /* Not by the maps: another one may map all ids to themselves, too (systemd's PrivateUsers=full
     * does). A kernel without user namespaces has no such file. */
    if (own < 0 ? errno != ENOENT : fstat (own, &st) < 0)
        return -1;
    answer = own >= 0 && st.st_ino != FIRST_USER_NAMESPACE;
    return answer;
}
