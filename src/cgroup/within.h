/* SPDX-License-Identifier: Apache-2.0 */
/*
 * within: is a process in the directories that it was put into?
 */
#ifndef RT_CGROUP_WITHIN_H
#define RT_CGROUP_WITHIN_H

#include "base/arena.h"
#include "base/error.h"
#include "oci-spec/types.h"

/* Is the process, of which /proc/PID/cgroup says `text`, in each of the directories `paths` or
 * below it? 1. 0: *outside is the one that it is not in, and *instead where the kernel says that it
 * is ("/a/b", of that hierarchy; in the arena). -1: the text is not understood, RT-CGROUP-LAYOUT.
 */
int cgroup_within (struct arena *arena, const struct oci_map *paths, const char *text,
                   const struct oci_pair **outside, const char **instead, struct error *err);

#endif
