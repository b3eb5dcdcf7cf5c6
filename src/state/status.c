/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status: see status.h.
 */
#include "status.h"

#include "gate.h"
#include "kernel/pidfd.h"

/* A process id is only a name until its start time agrees; a zombie runs nothing any more. */
static bool is_alive (pid_t pid, uint64_t start_time)
{
    uint64_t found;
    char state;
    return pid > 0 && pidfd_start_time (pid, &found, &state) == 0 && found == start_time &&
           state != 'Z' && state != 'X';
}

enum oci_status status_of (int dir, const struct record *record, bool frozen)
{
    if (record->phase == RECORD_CREATING)
        return is_alive (record->creator, record->creator_start_time) ? OCI_STATUS_CREATING
                                                                      : OCI_STATUS_STOPPED;
    if (!is_alive (record->pid, record->start_time))
        return OCI_STATUS_STOPPED;
    if (gate_is_shut (dir))
        return OCI_STATUS_CREATED;
    return frozen ? OCI_STATUS_PAUSED : OCI_STATUS_RUNNING;
}
