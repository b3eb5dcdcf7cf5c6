/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply: knobs become writes, for a new container (cgroup_limit) and for one that runs
 * (cgroup_update). Private to cgroup/.
 */
#ifndef RT_CGROUP_APPLY_H
#define RT_CGROUP_APPLY_H

#include "cgroup/hierarchy.h"
#include "cgroup/knob.h"

/* The container's directories, each opened when the first knob wants it. */
struct directories {
    const struct oci_map *paths;
    int fds[CGROUP_HIERARCHIES_MAX];
};

#define AUTO_DIRECTORIES __attribute__ ((cleanup (directories_close)))
void directories_init (struct directories *directories, const struct oci_map *paths);
void directories_close (struct directories *directories);

/* knobs_for (), and an error where there is something to write and no cgroup to write it to. */
int knobs_decide (const struct oci_map *paths, const struct oci_resources *resources,
                  struct knobs *knobs, struct error *err);

/* checkBeforeUpdate (CGR-13): before anything is written. */
int knobs_check_usage (struct directories *directories, const struct knobs *knobs,
                       struct error *err);

/* How many knobs from `first` on depend on each other, so that the kernel decides their order. */
size_t knobs_group (const struct knobs *knobs, size_t first);

/* Writes them in order, reads them back, and stops at the first failure; each knob that the kernel
 * has taken is marked, also the one that failed when it was read. */
int knobs_write (struct directories *directories, struct knobs *knobs, struct error *err);

/* The whole of a file in the knob's directory, its own or another: the caller's to free; NULL where
 * it cannot be read. */
char *knob_read (struct directories *directories, const struct knob *knob, const char *file);

/* explain.c: what it means that there is no such file, or that the kernel refuses the value, at
 * the directory `item`. -1. */
int knob_explain_missing (const struct oci_pair *item, const struct knob *knob, struct error *err);
int knob_explain_write (int dir, const struct oci_pair *item, const struct knob *knob, int errnum,
                        struct error *err);

#endif
