/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify: rt stands between the container and the service manager that NOTIFY_SOCKET names
 * (sd_notify(3)), a systemd unit with Type=notify. Outside.
 *
 * Only READY=1 goes through, and as a message of rt's own: the other words would let a container
 * choose what the host's service manager supervises (MAINPID), keeps (FDSTORE) or believes. Nor do
 * descriptors go through, or even arrive here: closing one can wait for whoever serves the file. A
 * sender's barrier (sd_notify_barrier(3)) is over when its message is read, since what was sent
 * before has gone on then.
 *
 *   run, in front     READY=1, whenever it is said. rt itself is what the unit supervises.
 *   run -d, start     rt waits for READY=1 or the end of the container's init, sends READY=1 and
 *                     MAINPID in one message, since rt ends now, and waits until the service
 *                     manager has read that (its barrier). An hour without READY=1, or what
 *                     --timeout says, is a failure: who waits for a container must not wait for
 *                     ever.
 *
 * A service manager that is not there, or does not listen, is a warning and no reason to fail
 * (sd_notify(3)); nobody is waited for then.
 */
#ifndef RT_LIFECYCLE_NOTIFY_H
#define RT_LIFECYCLE_NOTIFY_H

#include "base/error.h"
#include "oci-spec/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct notify {
    int container; /* where the container's processes send to; -1 = it offers nothing */
    int host;      /* connected to the service manager; -1 = none is told */
};

#define NOTIFY_INIT                                                                                \
    {                                                                                              \
        .container = -1, .host = -1                                                                \
    }
#define AUTO_NOTIFY __attribute__ ((cleanup (notify_release)))
void notify_release (struct notify *notify);

/* Pure: does rt serve this process, where NOTIFY_SOCKET is `address` (NULL = not set)? Not where
 * the document says itself where it has its socket, as podman's does. */
bool notify_is_wanted (const char *address, const struct oci_process *process);

/* Pure: has this datagram a line READY=1? */
bool notify_says_ready (const char *bytes, size_t length);

/* Sets notify->host, where notify->container is set: `address` is NOTIFY_SOCKET, an absolute path
 * or @NAME. */
void notify_connect (struct notify *notify, const char *address);

/* What has come from the container by now; does not wait for more. */
void notify_carry (const struct notify *notify);

/* Waits as described for `pid`, whose descriptor is `pidfd`. No command may hold the container's
 * lock meanwhile. RT-NOTIFY-READY. */
int notify_await (const struct notify *notify, pid_t pid, int pidfd, struct error *err);

#endif
