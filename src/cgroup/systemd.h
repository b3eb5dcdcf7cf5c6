/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd: the cgroup driver that lets systemd make the container's cgroup, as a transient scope
 * (config-linux.md leaves it to the runtime; engines ask for it with --systemd-cgroup).
 *
 * systemd owns the tree of cgroups on its hosts, and would undo what others do in it. A scope with
 * Delegate=yes is a subtree that it leaves alone; the limits are told to it nevertheless, since it
 * writes what it knows of the scope itself again at each daemon-reload.
 *
 * On v2 the container lies one level lower, in `container` below the scope
 * (run.oci.systemd.subgroup names another, or none): so its limits and device rules are in a
 * directory that systemd does not write to. On v1 it lies in the scope, in all hierarchies.
 *
 * The order of a start:
 *
 *   systemd_plan ()    pure; its unit and bus belong into the record before
 *   systemd_start ()   the scope, held by a process of rt's; the directories, for the record
 *   cgroup_place ()    as with the other driver
 *   ... the container's process is born there, or is brought by systemd_join () ...
 *   systemd_settle ()  the holder goes, the scope's controllers come
 *   cgroup_limit ()    with systemd_round_quota ()
 *
 * and from then on all verbs work on the directories. systemd_stop () ends the unit, whatever line
 * rt was killed at; until it has been called, something may be left.
 */
#ifndef RT_CGROUP_SYSTEMD_H
#define RT_CGROUP_SYSTEMD_H

#include "cgroup/cgroup.h"

struct systemd_unit {
    const char *name; /* NULL: another driver */
    const char *slice;
    bool is_slice;
    const char *bus;      /* the address of system's or the user's bus */
    const char *subgroup; /* NULL = none; of v2 only */
    const char *id;       /* of the container, for people who read `systemctl status` */
    const struct oci_map *annotations;
    int holder;      /* pidfd; -1 = none */
    bool late_tasks; /* TasksMax has to wait until the holder is gone */
};

#define SYSTEMD_UNIT_NONE                                                                          \
    {                                                                                              \
        .holder = -1                                                                               \
    }

/* Which bus: `address` is what the environment says (NULL: nothing); else the usual one. */
const char *systemd_bus_address (struct arena *arena, const char *address, const char *runtime_dir,
                                 bool user);

/* The unit's name and place; touches nothing. With request->driver other than systemd's: none. */
int systemd_plan (struct arena *arena, const struct cgroup_request *request,
                  struct systemd_unit *unit, struct error *err);

/* Starts the unit with its limits. *paths are its directories, in the arena: not yet made, but for
 * what systemd has made. A failure has undone itself. */
int systemd_start (struct arena *arena, struct systemd_unit *unit,
                   const struct cgroup_request *request, struct oci_map *paths, struct error *err);

/* cgroup_join_v2 (), and another way for whom the files forbid it: systemd moves the process into
 * the directory of its unit. An ordinary user whose rt was not started by his own systemd needs
 * that. `unit` NULL: of another driver. */
int systemd_join (const char *bus, const char *unit, const struct oci_map *paths, pid_t pid,
                  struct error *err);

/* Once a process of the container is in: ends the holder, enables the controllers for the subgroup.
 * Does nothing the second time. */
int systemd_settle (struct systemd_unit *unit, const struct oci_map *paths,
                    const struct oci_resources *resources, struct error *err);
/* The holder alone, on the way back. */
void systemd_release (struct systemd_unit *unit);

/* New limits of a living unit, for update: beside cgroup_limit (), with resources that were
 * completed as for that. What is not in `resources` stays, and so do the device rules. */
int systemd_set (const char *bus, const char *unit, const struct oci_map *paths,
                 const struct oci_resources *resources, struct error *err);

/* What the files are to hold, where systemd is told the same: its quotas are whole percents. */
const struct oci_resources *systemd_resources (struct arena *arena,
                                               const struct oci_resources *resources);

/* Kills what is left, ends the unit and lets systemd forget it. Gone already is fine. */
int systemd_stop (const char *bus, const char *unit, struct error *err);

/* Is there a unit of this container's own, known by its description? 1, and *paths are its
 * directories, in the arena; 0: none, or another container's or session's of this name. Only of
 * `unit`'s plan. */
int systemd_find_own (struct arena *arena, const struct systemd_unit *unit, bool rootless,
                      struct oci_map *paths, struct error *err);

/* systemd_stop () for a start that was cut off, whose record names a unit that may never have
 * become its own: one of this name that belongs to others (a login session, another engine's
 * container) is left alone. Known by its description. */
int systemd_stop_own (const char *bus, const char *unit, const char *id,
                      const struct oci_map *annotations, struct error *err);

#endif
