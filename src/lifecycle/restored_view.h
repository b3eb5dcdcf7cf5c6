/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restored_view: what the restored processes see of files: the mounts of their namespace, and that
 * nothing they stand in or have open lies outside of these. /proc/PID/mountinfo and /proc/PID/root
 * are those of a process that images may have put into a chroot; so the namespace itself is
 * entered, by a child of rt's, which sends what it finds and ends.
 */
#ifndef RT_LIFECYCLE_RESTORED_VIEW_H
#define RT_LIFECYCLE_RESTORED_VIEW_H

#include "lifecycle/mount_table.h"

#include <sys/types.h>

struct restored_view {
    int root; /* of the mount namespace; owned */
    pid_t init;
    struct mount_views mounts;
    struct mount_views host; /* of rt's own mount namespace */
};

#define RESTORED_VIEW_INIT                                                                         \
    {                                                                                              \
        .root = -1                                                                                 \
    }
#define AUTO_VIEW __attribute__ ((cleanup (restored_view_close)))
void restored_view_close (struct restored_view *view);

/* The table of rt's own mount namespace. */
int restored_view_host (struct mount_views *host, struct arena *arena, struct error *err);

/* outside: that of `init`. */
int restored_view_open (struct restored_view *view, pid_t init, struct arena *arena,
                        struct error *err);

/* outside: root and working directory of the thread /proc/PATH lie in these mounts, and no file
 * that it has open is one of the host's but rt's own standard streams. Its root is the root of the
 * namespace where it may not chroot. A thread in a mount namespace of its own is not looked at.
 * RT-RESTORE-RIGHTS. */
int restored_view_check (const struct restored_view *view, const char *path, bool may_chroot,
                         struct error *err);

#endif
