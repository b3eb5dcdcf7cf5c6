/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status: see status.h.
 */
#include "status.h"

#include "gate.h"
#include "kernel/pidfd.h"
#include "kernel/procfd.h"

#include <errno.h>

/* A process id is only a name until its start time agrees; a zombie runs nothing any more. 1 alive,
 * 0 dead, -1: no look at it. */
static int is_alive (pid_t pid, uint64_t start_time, struct error *err)
{
    uint64_t found;
    char state;

    if (pid <= 0)
        return 0;
    /* Without /proc every process would seem to be gone. */
    if (procfd_root () < 0)
        return error_set (err, "RT-STATE-PROCESS", errno, "open /proc to look at process %d",
                          (int)pid);
    errno = EIO; /* what an empty file leaves */
    if (pidfd_start_time (pid, &found, &state) == 0)
        return found == start_time && state != 'Z' && state != 'X';
    if (errno == ENOENT || errno == ESRCH)
        return 0;
    return error_set (err, "RT-STATE-PROCESS", errno, "look whether process %d is alive", (int)pid);
}

int status_of (int dir, const struct record *record, bool frozen, enum oci_status *status,
               struct error *err)
{
    bool creating = record->phase == RECORD_CREATING;
    int alive = creating ? is_alive (record->creator, record->creator_start_time, err)
                         : is_alive (record->pid, record->start_time, err);
    int shut = alive == 1 && !creating ? gate_is_shut (dir, err) : 0;

    if (alive < 0 || shut < 0)
        return -1;
    if (!alive)
        *status = OCI_STATUS_STOPPED;
    else if (creating)
        *status = OCI_STATUS_CREATING;
    else if (shut)
        *status = OCI_STATUS_CREATED;
    else
        *status = frozen ? OCI_STATUS_PAUSED : OCI_STATUS_RUNNING;
    return 0;
}
