/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_table: are these the mounts of a document? Asked twice at a restore: of the images, before
 * CRIU mounts anything, and of the kernel's table, before anything runs.
 *
 * Each mount of the table must be one that the document asks for: at its place, of its type, with
 * at least its flags against writing, devices, programs and set-user-ID, and showing what it names
 * now. Each of the document's must be there. A container that may mount (CAP_SYS_ADMIN) may have
 * mounted more, of the kinds that show nothing of the host.
 */
#ifndef RT_LIFECYCLE_MOUNT_TABLE_H
#define RT_LIFECYCLE_MOUNT_TABLE_H

#include "base/arena.h"
#include "criu/image.h"
#include "lifecycle/external.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A mount as a table has it. NULL: the table does not say. */
struct mount_view {
    const char *point; /* as the container sees it */
    const char *type;
    const char *device; /* "254:0" */
    const char *root;   /* what of the file system is shown */
    const char *source;
    const char *key;   /* of images: the name of something external */
    const char *peers; /* "12": its group of shared mounts */
    uint64_t flags;    /* MOUNT_ATTR_RDONLY, NOSUID, NODEV, NOEXEC */
    unsigned int id;
};

struct mount_views {
    struct mount_view *items;
    size_t count;
    bool of_images; /* devices and roots are those of another host, keys count */
};

/* A mount that the document asks for. */
struct mount_wanted {
    const char *point;
    const char *pointer; /* into the document */
    const char *type;    /* NULL: any */
    const char *source;  /* of a file system on a device */
    const char *key;     /* its name, where it is external */
    const char *device;  /* what it has to show; NULL: not known */
    const char *root;
    uint64_t flags; /* that it must have */
    bool optional;  /* a mask of what may not be there */
    bool of_parent; /* a bind of what lies there */
    bool shared;    /* it may propagate */
    bool found;
};

struct mount_wanteds {
    struct mount_wanted *items;
    size_t count;
};

/* What of a path lies below another, "/b" or "" where it is the same; NULL: nothing. Both are
 * clean. Pure. */
const char *mount_table_below (const char *path, const char *above);

/* The text of /proc/PID/mountinfo. Pure. RT-RESTORE-MOUNT where it is none. */
int mount_table_parse (const char *text, struct arena *arena, struct mount_views *views,
                       struct error *err);

/* The same of mountpoints-N.img. Pure. */
void mount_table_of_image (const struct criu_mounts *mounts, struct arena *arena,
                           struct mount_views *views);

/* outside: what the document asks for. `root` is the container's root directory, or the root file
 * system, in which destinations are looked up; `host` the table of rt's own mount namespace, in
 * which the sources are. `sources`: those are looked at. */
int mount_table_want (const struct external *external, int root, const struct mount_views *host,
                      bool sources, struct arena *arena, struct mount_wanteds *wanted,
                      struct error *err);

/* Pure. `host` as above, for mounts that would propagate there; may be NULL. RT-RESTORE-MOUNT. */
int mount_table_compare (const struct mount_views *views, struct mount_wanteds *wanted,
                         const struct mount_views *host, bool may_mount, struct error *err);

#endif
