/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdt: linux.intelRdt, a share of the processor's caches and of its memory bandwidth
 * (config-linux.md, "IntelRdt"; the kernel's Documentation/filesystems/resctrl).
 *
 * A directory of resctrl is a class of service, which processes are put into and which may have
 * monitoring groups below. What is named by closID belongs to the administrator: rt makes it where
 * it is missing and never takes it away. A class without a name of its own, and each monitoring
 * group, is the container's and goes with it.
 */
#ifndef RT_CONTAINER_RDT_H
#define RT_CONTAINER_RDT_H

#include "base/arena.h"
#include "base/error.h"
#include "oci-spec/linux.h"

#include <stdbool.h>
#include <sys/types.h>

#define RDT_MOUNT "/sys/fs/resctrl"

struct rdt {
    const struct oci_intel_rdt *config;
    const char *mount;
    const char *group;   /* below mount; "." is the class that everything is in by default */
    const char *monitor; /* below mount; NULL = none */
    const char *own;     /* the one directory that ends with the container; NULL = none */
    bool exists;         /* the group was there before */
    bool made_group;     /* by rdt_make; for rdt_undo */
    bool made_monitor;
};

/* outside: is there a resctrl at all? */
int rdt_check_mount (const char *mount, struct error *err);

/* outside, before anything is made: which directories the container needs, and whether a class that
 * exists has what is asked for. */
int rdt_prepare (const struct oci_intel_rdt *config, const char *id, const char *mount,
                 struct arena *arena, struct rdt *rdt, struct error *err);

/* outside: the directories, all or none. */
int rdt_make (struct rdt *rdt, struct error *err);

/* outside, once: the schemata, and init. */
int rdt_grant (const struct rdt *rdt, pid_t pid, struct error *err);

/* outside: a further process. rdt needs only what rdt_plan decides. */
int rdt_join (const struct rdt *rdt, pid_t pid, struct error *err);

/* outside: new schemata for the class of a container that runs; NULL leaves one as it is, and so
 * does the kernel with all other lines. Both or none. *before (in the arena) is for the undo, which
 * a later failure wants. */
int rdt_update (const struct rdt *rdt, const char *l3_cache_schema, const char *mem_bw_schema,
                struct arena *arena, const char **before, struct error *err);
void rdt_update_undo (const struct rdt *rdt, const char *before);

/* Where a container's processes belong. Pure. */
void rdt_plan (const struct oci_intel_rdt *config, const char *id, const char *mount,
               struct arena *arena, struct rdt *rdt);

/* outside, after a failure: takes away what rdt_make has made of a class with a name, which
 * rdt_remove will not. */
void rdt_undo (struct rdt *rdt);

/* outside: takes away what was the container's own (rdt->own). It may be gone already. */
int rdt_remove (const char *own, struct error *err);

#endif
