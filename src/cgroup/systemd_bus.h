/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd_bus: a conversation with systemd over D-Bus. Private to cgroup/.
 *
 * Each conversation has one deadline: whatever the bus or systemd do, no call
 * waits beyond it.
 */
#ifndef RT_CGROUP_SYSTEMD_BUS_H
#define RT_CGROUP_SYSTEMD_BUS_H

#include "cgroup/systemd_properties.h"

struct systemd_bus;

#define AUTO_SYSTEMD_BUS __attribute__ ((cleanup (systemd_bus_release)))
void systemd_bus_release (struct systemd_bus **bus);

/* Connects, and waits until that is done. `address` as in DBUS_SYSTEM_BUS_ADDRESS. */
struct systemd_bus *systemd_bus_open (const char *address, int timeout_ms, struct error *err);

/* systemd's version, 252. */
int systemd_bus_version (struct systemd_bus *bus, int *version, struct error *err);

/* Starts a transient unit, and waits until it is there. One of that name that has failed earlier is
 * forgotten first; one that lives is an error. Properties of rt's own that this systemd does not
 * know are left out. */
int systemd_bus_start (struct systemd_bus *bus, const char *unit,
                       struct unit_properties *properties, struct error *err);

/* For as long as the unit lives. */
int systemd_bus_set (struct systemd_bus *bus, const char *unit,
                     const struct unit_properties *properties, struct error *err);

/* The unit's cgroup as systemd sees it, "/system.slice/rt-x.scope", in the arena; NULL: -1. */
const char *systemd_bus_control_group (struct systemd_bus *bus, const char *unit,
                                       struct arena *arena, struct error *err);

/* For people; of a unit that there is not, systemd says its name. NULL: -1. Lives as long as the
 * connection. */
const char *systemd_bus_description (struct systemd_bus *bus, const char *unit, struct error *err);

/* Lets systemd move a process into a directory of the unit ("" or "/container"), which takes no
 * privileges where the unit is the user's own. */
int systemd_bus_attach (struct systemd_bus *bus, const char *unit, const char *below, pid_t pid,
                        struct error *err);

/* Kills what is left in the unit, stops it, waits until it is gone, and makes systemd forget it.
 * One that is gone already is fine. */
int systemd_bus_stop (struct systemd_bus *bus, const char *unit, struct error *err);

#endif
