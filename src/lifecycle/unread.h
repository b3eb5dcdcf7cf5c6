/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unread: a container whose record is lost or damaged. What it has is found out from its stored
 * document and from the kernel.
 */
#ifndef RT_LIFECYCLE_UNREAD_H
#define RT_LIFECYCLE_UNREAD_H

#include "lifecycle/existing.h"

/* outside. Fills the record with what destroy () and kill need, of what is left of the record
 * itself (its process is known by pid and start time, or is 0), the stored document, the cgroup
 * directories that are there, and systemd's units. Where these do not say whether a process lives:
 * an error (RT-STATE-DAMAGED) that says what to do by hand. A directory that another container's
 * record has as well is an error, too. `why`: what is wrong with the record. */
int unread_complete (struct existing *existing, const struct lifecycle_globals *globals,
                     const char *id, const struct error *why, struct error *err);

#endif
