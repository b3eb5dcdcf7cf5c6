/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: does the kernel say of a process what the plan says? Asked by the parent, while the
 * process waits for its word right before execve; nothing that the process itself says counts. A
 * difference is an error, and the caller kills the process: it has not executed anything of the
 * container yet.
 *
 * struct verify is the plan in plain fields. Zeroed, it compares nothing; each field says what
 * makes it compare. start, exec and restore fill it by the functions below.
 *
 * Three outcomes: 0 it is as planned; RT-VERIFY-UID, -GID, -GROUPS, -CAPS, -NNP, -SECCOMP, -LABEL,
 * -NAMESPACE, -ROOT, -CGROUP with the place in the document: it is not; RT-VERIFY-LOOK: the kernel
 * did not let rt look, with its errno.
 *
 * What can be denied to a parent without CAP_SYS_PTRACE (an ordinary user, or root that has lost
 * it; procdir.h says when): the links ns/ and root, and nothing else. `may_look` false lets those
 * denials (EACCES) pass, and no other failure. Then all the same is asked of files that all may
 * read: how many pid namespaces the process is in, which maps its user namespace has (its ids are
 * compared through them), and which mounts it sees. What remains unseen is whether its net, ipc,
 * uts, cgroup and time namespaces are the planned ones.
 */
#ifndef RT_LIFECYCLE_VERIFY_H
#define RT_LIFECYCLE_VERIFY_H

#include "base/arena.h"
#include "base/error.h"
#include "cgroup/cgroup.h"
#include "container/namespaces.h"
#include "kernel/process_status.h"
#include "oci-spec/config.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the parent is itself: a child starts from there. */
struct verify_parent {
    bool known; /* false: it was another process's child (`start` after `create`). Then filters and
                   bounding set are compared with the document alone, and the caller's groups and
                   what is VERIFY_OWN are not compared */
    uint64_t bounding;
    bool no_new_privs;
    bool no_ambient; /* SECBIT_NO_CAP_AMBIENT_RAISE */
    int filters;     /* -1: the kernel does not tell */
    const uint32_t *groups;
    size_t group_count;
};

enum verify_is {
    VERIFY_ANY,   /* not compared */
    VERIFY_OWN,   /* the parent's own */
    VERIFY_OTHER, /* not the parent's own */
    VERIFY_EXACT  /* the one that is named */
};

struct verify_namespace {
    enum verify_is is;
    ino_t inode; /* VERIFY_EXACT: of the namespace's file */
};

struct verify_root {
    enum verify_is is;
    dev_t device; /* VERIFY_EXACT */
    ino_t inode;
    uint64_t mount; /* VERIFY_EXACT: number of the mount; 0 = not compared */
};

enum verify_groups {
    VERIFY_GROUPS_ANY,
    VERIFY_GROUPS_SET,   /* exactly the document's; where the user namespace denies setgroups and
                            the document has none, the parent's own */
    VERIFY_GROUPS_CALLER /* the parent's own */
};

/* In the order of this table: mnt, pid, net, ipc, uts, user, cgroup, time. */
#define VERIFY_NAMESPACES 8

struct verify {
    struct verify_parent parent;
    bool may_look; /* see above */

    const struct oci_user *user; /* ids inside; NULL = not compared */
    enum verify_groups groups;   /* with `user` */

    bool compare_caps;
    const struct oci_capabilities *caps; /* NULL = all five sets are empty */

    bool compare_nnp;
    bool no_new_privs; /* false: as the parent's */

    int filters; /* how many more than the parent; -1 = not compared */

    const char *apparmor; /* for the next execve; NULL or "" = not compared */
    const char *selinux;

    const struct oci_linux *linux; /* where namespaces stand in the document; NULL = nowhere */
    struct verify_namespace namespaces[VERIFY_NAMESPACES];
    struct verify_root root;

    const struct oci_map *cgroup; /* in these directories or below; NULL or empty = not compared */
};

/* Compares nothing yet; reads what this process is. `of_parent` false: see verify_parent.known. */
int verify_init (struct verify *verify, struct arena *arena, bool of_parent, struct error *err);

/* What the documents say: user, groups, capabilities, no_new_privs, filters, labels. `has_filter`:
 * a program of the document's filter is loaded. `config` is the container's, `process` that of
 * exec or config->process. */
void verify_document (struct verify *verify, const struct oci_config *config,
                      const struct oci_process *process, bool has_filter);

/* start: namespaces without a path are made, those with one joined, all others the parent's; the
 * root is not the parent's. After namespaces_prepare, while all its descriptors are there. */
int verify_made (struct verify *verify, const struct oci_config *config,
                 const struct namespaces *joined, struct error *err);

/* exec: all namespaces are those of the container's init. `pidfd` of init; read right before the
 * process joins. The root is init's where `root` (a descriptor) is not -1, else that of its mount
 * namespace. */
int verify_joined (struct verify *verify, pid_t init, int pidfd, int root, struct error *err);

/* That of a type (CLONE_NEW*), for who knows better. */
struct verify_namespace *verify_namespace (struct verify *verify, int type);

/* outside: compares the process. `pidfd` is its own. Some 30 system calls. */
int verify_process (const struct verify *verify, pid_t pid, int pidfd, struct error *err);

/* outside, when the program has been executed: the label it has now. For AppArmor, as kernels of
 * before 2026 show a reader its own label for the next execve instead of the process's: then
 * verify_process cannot compare it. Compares only where `verify` has a label. */
int verify_executed (const struct verify *verify, pid_t pid, int pidfd, struct error *err);

/* The pure part: `status` of the process, with the maps of its user namespace (NULL: it is the
 * reader's), and whether that denies setgroups. */
struct verify_maps {
    const struct process_id_map *uid;
    const struct process_id_map *gid;
    bool setgroups_denied;
};
int verify_status (const struct verify *verify, const struct process_status *status,
                   const struct verify_maps *maps, struct error *err);

#endif
