/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd_name: the unit that a container gets under the systemd driver. Pure; private to cgroup/.
 *
 * There linux.cgroupsPath is not a path but "slice:prefix:name", as runc began it and all engines
 * write it: the unit prefix-name.scope below `slice`.
 */
#ifndef RT_CGROUP_SYSTEMD_NAME_H
#define RT_CGROUP_SYSTEMD_NAME_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>

struct systemd_name {
    const char *unit;  /* "libpod-12ab.scope", or "a-b.slice" where the name is that of a slice */
    const char *slice; /* the one it lies in; NULL for a slice, whose name says that */
    bool is_slice;
};

/* cgroups_path NULL: rt-ID.scope. An empty slice is system.slice, or user.slice of the user's
 * manager; an empty prefix is none. Errors point at /linux/cgroupsPath. */
int systemd_name_make (struct arena *arena, const char *cgroups_path, const char *id,
                       bool user_manager, struct systemd_name *name, struct error *err);

/* "a-b.slice" lies at "/a.slice/a-b.slice", "-.slice" at "" (systemd.slice(5)). */
int systemd_slice_path (struct arena *arena, const char *slice, const char **path,
                        struct error *err);

#endif
