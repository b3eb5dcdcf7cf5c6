/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image: the files in which CRIU writes processes down, as far as they decide about rights. What
 * CRIU does with an image it does as root, long before rt can look at the outcome; so rt reads
 * these first.
 *
 * A file is two numbers that say what it is, then entries: four bytes of length and a message of
 * Protocol Buffers (images/ of CRIU's sources, whose field numbers these are). The reader is
 * stricter than CRIU's own: a field that may stand once and stands twice, a number that is too
 * large for its field and one of another kind are no image. So there is one reading, and CRIU's is
 * it.
 *
 * All functions are pure. The bytes must be there for as long as what is read from them; lists and
 * strings are in the arena. 0, or -1: these bytes are no such image.
 */
#ifndef RT_CRIU_IMAGE_H
#define RT_CRIU_IMAGE_H

#include "base/arena.h"
#include "criu/protobuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct criu_number {
    bool present;
    uint32_t value;
};

struct criu_numbers {
    const uint32_t *items;
    size_t count;
};

/* The kinds of namespaces, in the order of their fields. */
enum criu_ns {
    CRIU_NS_PID,
    CRIU_NS_NET,
    CRIU_NS_IPC,
    CRIU_NS_UTS,
    CRIU_NS_MNT,
    CRIU_NS_USER,
    CRIU_NS_CGROUP,
    CRIU_NS_TIME,
    CRIU_NS_KINDS
};

/* inventory.img: whose namespaces the numbers are that mean "the host's". */
struct criu_inventory {
    struct criu_number version; /* 2 since CRIU 1.7: other files have two numbers at their head */
    bool has_root_ids;
    struct criu_number root_ids[CRIU_NS_KINDS];
};
int criu_inventory_read (const void *bytes, size_t length, struct arena *arena,
                         struct criu_inventory *inventory);

/* ids-PID.img: the namespaces of a process. */
int criu_ids_read (const void *bytes, size_t length, struct arena *arena,
                   struct criu_number ids[CRIU_NS_KINDS]);

/* pstree.img */
struct criu_process {
    struct criu_number pid;
    struct criu_number parent;   /* 0: none */
    struct criu_numbers threads; /* with the first, which is pid */
};
struct criu_tree {
    struct criu_process *items;
    size_t count;
};
int criu_tree_read (const void *bytes, size_t length, struct arena *arena, struct criu_tree *tree);

/* core-TID.img: one thread. */
struct criu_core {
    bool dead; /* it ends before it could do anything, and has no credentials */
    bool has_credentials;
    uint32_t uids[4]; /* real, effective, saved, of files; as its user namespace counts */
    uint32_t gids[4];
    struct criu_numbers groups;
    uint64_t inheritable;
    uint64_t permitted;
    uint64_t effective;
    uint64_t bounding;
    uint64_t ambient;
    bool no_new_privs;
    uint32_t seccomp_mode;             /* SECCOMP_MODE_* */
    struct criu_number seccomp_filter; /* the last one that it has loaded, in seccomp.img */
};
int criu_core_read (const void *bytes, size_t length, struct arena *arena, struct criu_core *core);

/* seccomp.img */
struct criu_filter {
    struct protobuf program;     /* struct sock_filter, one after the other */
    struct criu_number previous; /* which one was loaded before it */
};
struct criu_filters {
    struct criu_filter *items;
    size_t count;
};
int criu_filters_read (const void *bytes, size_t length, struct arena *arena,
                       struct criu_filters *filters);

/* mountpoints-NS.img */
struct criu_mount {
    const char *type;  /* as mount(2) calls it; "" where CRIU does not know it */
    const char *point; /* as the container sees it */
    const char *root;  /* what of the file system is shown */
    const char *source;
    const char *key; /* by which rt names something external; NULL = none */
    uint32_t device;
    uint32_t flags; /* MS_* */
    bool plugin;    /* a plug-in of CRIU makes it */
};
struct criu_mounts {
    struct criu_mount *items;
    size_t count;
};
int criu_mounts_read (const void *bytes, size_t length, struct arena *arena,
                      struct criu_mounts *mounts);

/* cgroup.img, which counts only where CRIU is asked to believe it. -1 too where it leads out of the
 * directories that it names: every name is one component. `groups`: the paths that it says. */
struct criu_groups {
    const char **items;
    size_t count;
};
int criu_cgroups_read (const void *bytes, size_t length, struct arena *arena,
                       struct criu_groups *groups);

#endif
