/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup: where a container's processes are counted and limited (config-linux.md, "Control
 * groups").
 *
 * A container has one directory in each hierarchy of the host: that is one on a v2 host, and one
 * for each v1 hierarchy (and the v2 one where it is mounted) on v1 and hybrid hosts. The set is
 * decided once by cgroup_plan () and kept in the container's record as a map from the hierarchy
 * ("" for v2, "memory", "cpu,cpuacct", "name=systemd") to the directory's absolute path. All other
 * verbs take that map, so they work when config.json is gone. An empty map means no cgroups.
 */
#ifndef RT_CGROUP_CGROUP_H
#define RT_CGROUP_CGROUP_H

#include "base/arena.h"
#include "base/error.h"
#include "oci-spec/resources.h"

#include <stdbool.h>
#include <sys/types.h>

enum cgroup_layout { CGROUP_NONE, CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 };
enum cgroup_driver { CGROUP_DRIVER_FS, CGROUP_DRIVER_SYSTEMD, CGROUP_DRIVER_DISABLED };

struct cgroup_request {
    enum cgroup_driver driver;
    const char *id;
    const char *cgroups_path;              /* linux.cgroupsPath; NULL = absent */
    const struct oci_resources *resources; /* NULL = absent */
    bool rootless; /* permission errors are forgiven where nothing was asked for (UID-14) */
    /* of the systemd driver (systemd.h) */
    const struct oci_map *annotations;
    const char *bus; /* the address where systemd is found */
    bool user_bus;   /* which is the user's own systemd */
};

/* Detects the layout of this host from mounts and /proc/self/cgroup; once per process. */
enum cgroup_layout cgroup_layout (void);

/* Decides the directories. Touches nothing. Of the systemd driver there are none yet: systemd_start
 * () will know. */
int cgroup_plan (struct arena *arena, const struct cgroup_request *request, struct oci_map *paths,
                 struct error *err);

/* Touches nothing: directories that exist already must hold no process and must not be frozen
 * (CGM-18), nor may a cgroup above them be. Before they are written into a record, since what
 * stands there is the container's to kill and remove. */
int cgroup_check (const struct oci_map *paths, struct error *err);

/* Makes the directories (with controllers enabled in v2 parents, cpuset filled on v1). Directories
 * that exist are accepted when they hold no process and are not frozen (CGM-18). Undoes itself on
 * failure. Where permission was missing and is forgiven (UID-14), those hierarchies leave the map:
 * it may be empty afterwards. Record the map again. */
int cgroup_place (struct oci_map *paths, const struct cgroup_request *request, struct error *err);

/* Applies all limits and the device rules; before any process of the container's own runs in it
 * (and see cgroup_limits_first ()). Errors point into /linux/resources. With an empty map limits
 * are errors, but device rules are left out: nothing could hold them, and every document has some.
 * `in_userns`: the container's processes live in a user namespace that is not the initial one,
 * where they cannot make device nodes anyway: then it is no error that rt may not load device
 * rules. pids.limit 0 is a limit: from then on clone3 into the cgroup fails with EAGAIN (as in any
 * container that has reached its limit); clone outside and use cgroup_join (), which the kernel
 * lets pass. */
int cgroup_limit (const struct oci_map *paths, const struct oci_resources *resources,
                  bool in_userns, struct error *err);

/* New limits for a container that runs, in any state of its freezer: those that `change` has, and
 * no others. The device rules in it are left out. All or none: where one is refused, or does not
 * hold when it is read again, the others are put back, and the error says so. What is limited
 * together must be asked for together: memory.swap with the limit beside it, as on v2 the one is
 * counted from the other. With `undo` (in the arena) a later failure takes all back; 0, or -1 with
 * a warning for each that could not be. */
struct cgroup_undo;
int cgroup_update (struct arena *arena, const struct oci_map *paths,
                   const struct oci_resources *change, struct cgroup_undo **undo,
                   struct error *err);
int cgroup_update_undo (const struct oci_map *paths, const struct cgroup_undo *undo);

/* Must cgroup_limit () be called while nobody is inside? The device rules of v1 are lines that are
 * written one by one, after one that denies everything: who opens its terminal meanwhile is
 * refused. On v2 a program takes over at once, and the limits can be set while the root is built.
 */
bool cgroup_limits_first (const struct oci_map *paths);

/* The v2 directory for CLONE_INTO_CGROUP: a descriptor, or -1 with errno (ENOENT: no v2 hierarchy).
 */
int cgroup_open_v2 (const struct oci_map *paths);
const char *cgroup_path_v2 (const struct oci_map *paths); /* NULL: no v2 hierarchy */

/* The directory through which all processes can be frozen; NULL: there is none. */
const char *cgroup_path_freezer (const struct oci_map *paths);

/* What of the directory `path` of the hierarchy `key` lies below the mount: "/a/b". Pure. */
const char *cgroup_path_below_mount (const char *key, const char *path);

/* Moves a process into all directories; `skip_v2` where CLONE_INTO_CGROUP has done that. Costs 10
 * ms and more: the kernel waits for a grace period to move somebody else. */
int cgroup_join (const struct oci_map *paths, pid_t pid, bool skip_v2, struct error *err);

/* The same for the v2 directory alone, if there is one: what CLONE_INTO_CGROUP could not do. */
int cgroup_join_v2 (const struct oci_map *paths, pid_t pid, struct error *err);

/* The cheap way into the v1 hierarchies (microseconds): rt opens the doors before it clones, the
 * child (with one thread; in whatever namespaces and with whatever ids) enters and closes them.
 * Nothing to do on v2: there it is born inside. */
#define CGROUP_DOORS_MAX 32
struct cgroup_doors {
    int fds[CGROUP_DOORS_MAX];
    size_t count;
};
int cgroup_open_doors (const struct oci_map *paths, struct cgroup_doors *doors, struct error *err);
int cgroup_enter (const struct cgroup_doors *doors, struct error *err);
void cgroup_close_doors (struct cgroup_doors *doors);

/* Where the caller itself is, in every hierarchy that is mounted: what a container lies in that has
 * no cgroups of its own. */
int cgroup_of_caller (struct arena *arena, struct oci_map *present, struct error *err);

/* The directories below `paths` that exec's --cgroup asks for (EXE-19, EXE-20): "PATH" in each
 * hierarchy, or "CONTROLLER[,CONTROLLER]:PATH" in theirs, which there is no such thing as on v2.
 * None asked for: `paths` itself. ".." is refused (CGM-32). Pure. */
int cgroup_below (struct arena *arena, const struct oci_map *paths, const char *const *asked,
                  size_t count, struct oci_map *below, struct error *err);

/* Where a process is at present, in the hierarchies of `paths`: init may have moved on, as systemd
 * does when it begins (EXE-22, EXE-23). */
int cgroup_of_process (struct arena *arena, const struct oci_map *paths, pid_t pid,
                       struct oci_map *present, struct error *err);

/* Makes the v2 directory of `below`, whose parent is the container's, moves init there, and enables
 * the controllers for it. Where there is more than v2 it is an error. */
int cgroup_descend (const struct oci_map *below, pid_t pid, struct error *err);

/* Gives the v2 directory and what the kernel lists as safe in it to the container's user (host id).
 * Only with a cgroup namespace of its own and a writable cgroup mount (CGM-19). */
int cgroup_delegate (const struct oci_map *paths, uid_t uid, struct error *err);

/* 1 frozen, 0 not (also where there is no cgroup any more), -1: it could not be looked at. */
int cgroup_frozen (const struct oci_map *paths, struct error *err);
/* Is each a directory below the root of its hierarchy? False for what no container was ever made
 * with: the root itself, where all of the host's processes are, or another place. Pure, but for the
 * layout of the host. */
bool cgroup_are_places (const struct oci_map *paths);

/* Waits until it is so, as long as patience.h says; what could not be frozen is thawed again.
 * Thawing below a cgroup that is frozen itself fails at once, and so does freezing one that rt
 * itself is in. */
int cgroup_freeze (const struct oci_map *paths, bool freeze, struct error *err);

/* RT-CGROUP-SELF where rt itself is in the directory through which all processes are frozen: it
 * would stand still with them, and could not end what it has begun. For what is frozen by another
 * program than this; cgroup_freeze () looks itself. */
int cgroup_check_freezable (const struct oci_map *paths, struct error *err);

/* What is frozen and was sent SIGKILL can die now: v1 has to be thawed for that, v2 does not. */
int cgroup_let_die (const struct oci_map *paths, struct error *err);

/* All processes in it and below it; the number, pids in the arena. 0 where the cgroup is gone. */
int cgroup_processes (struct arena *arena, const struct oci_map *paths, pid_t **pids, size_t *count,
                      struct error *err);

/* Of a container that seems to be stopped: RT-CGROUP-UNSEEN where the kernel says that there are
 * processes which the pid namespace of rt does not see. Only v2 says so. */
int cgroup_check_seen (const struct oci_map *paths, struct error *err);

/* SIGKILL for every process in it and below it, forks included, frozen or not, and for no other:
 * cgroup.kill (v2, Linux 5.14), or freeze, kill, thaw in rounds, as long as patience.h says; it is
 * thawed also where that fails. By numbers that were made sure of: cgroup/signal.h. Where rt itself
 * is in it, rt is left out, and only the last two ways are open, without the freezer: it has to
 * tell its caller what became of the others. */
int cgroup_kill (const struct oci_map *paths, struct error *err);

/* Another signal for every process in it and below it but rt itself, and for no other. `freeze`:
 * what runs is frozen meanwhile, so that nothing is forked past the signal, and it is thawed again
 * whatever comes; ask for it only where no other command can freeze or thaw at the same time. Where
 * that fails, or is not asked for, what is forked meanwhile may not get it. */
int cgroup_signal (const struct oci_map *paths, int signal, bool freeze, struct error *err);

/* A process that stays in a cgroup for longer than this has to be killed. */
#define CGROUP_EXITING_MS 2000

/* Removes the directories with all below them; what is gone already is fine. Processes that are
 * just exiting (EBUSY) are waited for, `timeout_ms` at most; then the error names those that are
 * left. If rt itself is one of them, the error comes at once. */
int cgroup_remove (const struct oci_map *paths, int timeout_ms, struct error *err);

#endif
