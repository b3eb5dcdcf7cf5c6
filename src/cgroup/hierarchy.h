/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hierarchy: the cgroup hierarchies of this host, and where they are mounted. Private to cgroup/.
 *
 * The layout follows from file system types below /sys/fs/cgroup and from /proc/self/cgroup, so
 * that the start of a container does not depend on how many mounts the host has. Hierarchies that
 * are mounted elsewhere are not found, and are treated as not mounted.
 */
#ifndef RT_CGROUP_HIERARCHY_H
#define RT_CGROUP_HIERARCHY_H

#include "cgroup/cgroup.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

/* The kernel has 16 controllers at most; the rest is for named hierarchies and v2. */
#define CGROUP_HIERARCHIES_MAX 32

struct hierarchy {
    const char *key;   /* as in the map: "" for v2, "cpu,cpuacct", "name=systemd" */
    const char *own;   /* the path of this process in it; below the mount where not writable */
    const char *mount; /* its directory; NULL = not mounted */
    bool writable;     /* by this process, at the root of the mount */
    bool delegated;    /* `own` is the user's to divide (v2_is_delegated) */
};

struct cgroup_host {
    enum cgroup_layout layout;
    const char *why; /* it is taken for that layout */
    struct hierarchy *items;
    size_t count;
};

/* The layout by the file system types (f_type, 0 = no such directory) of CGROUP_MOUNT and of
 * `unified` in it; *why: a constant string. Pure. */
enum cgroup_layout layout_decide (long top, long unified, const char **why);

/* What /proc/PID/cgroup says, "/a/b", below the directory `mount`; NULL where it cannot be named
 * there. Another string where the mount shows a part of the hierarchy only (the containers of some
 * engines without a cgroup namespace). */
const char *own_below_mount (struct arena *arena, const char *mount, const char *own);

/* UID-14: the user has no cgroups of their own, and did not ask for what needs one. */
bool request_forgives (const struct cgroup_request *request);

/* Takes /proc/self/cgroup apart; key and own only. Lines that make no sense are an error. */
int hierarchies_parse (struct arena *arena, const char *text, struct hierarchy **items,
                       size_t *count, struct error *err);

/* The same of `file`, a path below /proc ("self/cgroup"). */
int hierarchies_read (struct arena *arena, const char *file, struct hierarchy **items,
                      size_t *count, struct error *err);

/* Reads what is true of this host. `writable` is only asked for where `rootless`. */
int cgroup_host_read (struct arena *arena, bool rootless, struct cgroup_host *host,
                      struct error *err);

/* Is `controller` one of the words of a key ("cpu" in "cpu,cpuacct")? */
bool hierarchy_has (const char *key, const char *controller);

/* The directory of the hierarchy that has `controller` ("" for v2), or NULL. */
const char *cgroup_path_of (const struct oci_map *paths, const char *controller);
const struct oci_pair *cgroup_item_of (const struct oci_map *paths, const char *controller);

/* Does rt itself run in that directory, or below it? 1, 0; -1: it could not be looked at,
 * RT-CGROUP-LAYOUT, RT-CGROUP-PROCESSES. What freezes it or kills all in it would do so to rt, too.
 */
int self_is_in (const struct oci_pair *item, struct error *err);

/* Tells so in an error that was set; -1. */
int self_hint (struct error *err);

/* How long the mount's part of a path of the map is: "/sys/fs/cgroup/memory" of
 * "/sys/.../memory/a". */
size_t hierarchy_mount_length (const char *key, const char *path);

/* The pure half of cgroup_plan (). */
int cgroup_plan_on (struct arena *arena, const struct cgroup_request *request,
                    const struct cgroup_host *host, struct oci_map *paths, struct error *err);

/* What is new in a path, also where making it failed half way: `count` directories, the deepest of
 * which are the first `length` bytes. */
struct made {
    size_t count;
    size_t length;
};

/* Makes one directory with all that stands above it. */
int v1_make (const char *key, const char *path, struct made *made, struct error *err);
int v2_make (const char *path, struct made *made, struct error *err);

/* The last step of the path alone, without controllers: what stands above it is systemd's. */
int v2_make_last (const char *path, struct made *made, struct error *err);

/* Enables the controllers for the directory in the one above it. */
void v2_enable (const char *path);
/* Has systemd marked the directory (a file system path) as one that it leaves to its user? Its own
 * slices above are the user's, too, but there it takes controllers away again when it likes. */
bool v2_is_delegated (const char *path);

/* Moves all processes of a v2 directory into `callers` below it: only a directory without processes
 * may have controllers for those below (CGM-11). 0 when none is left. */
int v2_vacate (int dir);

/* CGM-18: the directory stood there already. */
int v1_check_fit (const char *key, const char *path, struct error *err);
int v2_check_fit (const char *path, struct error *err);

/* cgroup_freeze () with a time of its own. */
int freeze_within (const struct oci_map *paths, bool freeze, int timeout_ms, struct error *err);

/* An error that names it where a cgroup above this directory, which need not be there yet, is
 * frozen: a process that is born in it would not run. */
int freeze_check_above (const struct oci_pair *item, struct error *err);

/* Thaws what rt itself has frozen: a write that fails is made once more. No error where the cgroup
 * is gone. */
int thaw_again (const struct oci_map *paths, struct error *err);

/* cgroup_let_die () without asking first; no error where the cgroup is gone. */
int thaw_killed (const struct oci_map *paths, struct error *err);

/* Says why `controller` cannot be used at the v2 directory `path`; fills err and its hint. */
int v2_explain_missing (const char *path, const char *controller, const char *file,
                        struct error *err);

/* Is `word` one of the words of `list` (separated by spaces, tabs or newlines)? */
bool word_in_list (const char *list, const char *word);

#endif
