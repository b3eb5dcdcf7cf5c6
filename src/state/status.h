/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status: what a container is doing now, derived each time from the record, the process (pid and
 * start time), the gate and the freezer. Nothing of it is stored.
 */
#ifndef RT_STATE_STATUS_H
#define RT_STATE_STATUS_H

#include "oci-spec/state.h"
#include "record.h"

/* `frozen` comes from the caller (cgroup_frozen), as state/ does not know cgroups. -1 where the
 * process or the gate could not be looked at: that is no death, and *status is untouched.
 * RECORD_CREATING: creating while its creator lives, else stopped (a create that was killed).
 * RECORD_CREATED: stopped without its process (zombies count as gone); created while the gate is
 * waited at; else running, or paused. */
int status_of (int dir, const struct record *record, bool frozen, enum oci_status *status,
               struct error *err);

#endif
