/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: does the kernel say of a process what the plan says? Asked by the parent, while the
 * process waits for its word right before execve; nothing that the process itself says counts. A
 * difference is an error, and the caller kills the process: it has not executed anything of the
 * container yet.
 *
 * struct verify is the plan in plain fields. Zeroed, with filters -1, it compares nothing; each
 * field says what makes it compare. start, exec and restore fill it by the functions below:
 *
 *   start   verify_init, verify_document, verify_made       ... verify_process (, verify_executed)
 *   exec    verify_init, verify_document, verify_joined     ... verify_process (, verify_executed)
 *
 * and set `cgroup` themselves.
 *
 * Three outcomes: 0, it is as planned. RT-VERIFY-UID, -GID, -GROUPS, -CAPS, -NNP, -SECCOMP, -LABEL,
 * -NAMESPACE, -ROOT, -CGROUP with the place in the document: it is not. RT-VERIFY-LOOK: the kernel
 * did not let rt look, with its errno; or the process has ended.
 *
 * What can be denied to a parent without CAP_SYS_PTRACE (an ordinary user, or a root that has lost
 * it; kernel/procdir.h says when) are the links ns/ and root, and nothing else. `may_look` false
 * lets those denials (EACCES) pass, and no other failure. What all may read is then asked instead:
 * in how many pid namespaces the process is, which maps its user namespace has (its ids are
 * compared through them), and which mounts it sees. Whether its net, ipc, uts, cgroup and time
 * namespaces are the planned ones remains unseen.
 */
#ifndef RT_LIFECYCLE_VERIFY_H
#define RT_LIFECYCLE_VERIFY_H

#include "base/arena.h"
#include "base/error.h"
#include "container/namespaces.h"
#include "container/rootfs.h"
#include "kernel/procdir.h"
#include "kernel/process_status.h"
#include "oci-spec/config.h"
#include "state/record.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define VERIFY_NAMESPACES 8

/* What the parent is itself: a child starts from there. */
struct verify_parent {
    /* False: the process is another one's child (`start` after `create`). Then filters and bounding
     * set are compared with the document alone, and the caller's groups, the namespaces that are
     * VERIFY_OWN, and a no_new_privs that is not asked for are not compared. */
    bool known;
    bool no_ambient;     /* SECBIT_NO_CAP_AMBIENT_RAISE */
    unsigned int looked; /* bit N: that namespace of its own is known; else it is looked up */
    ino_t namespaces[VERIFY_NAMESPACES]; /* their numbers; 0: this kernel has no such kind */
    struct process_status status;
};

enum verify_is {
    VERIFY_ANY,   /* not compared */
    VERIFY_OWN,   /* the parent's own */
    VERIFY_OTHER, /* not the parent's own; of the root: another directory or another mount */
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
    uint64_t mount; /* VERIFY_EXACT: the number of the mount; 0 = not compared */
};

enum verify_groups {
    VERIFY_GROUPS_ANY,
    VERIFY_GROUPS_SET,   /* exactly the document's; where it has none and the user namespace denies
                          * setgroups, the parent's own */
    VERIFY_GROUPS_CALLER /* the parent's own */
};

/* The order of verify.namespaces. */
extern const struct verify_kind {
    const char *file; /* "mnt", in ns/ */
    int type;         /* CLONE_NEW* */
} verify_kinds[VERIFY_NAMESPACES];

struct verify {
    struct arena *arena; /* for what is read; NULL: it is forgotten at once */
    struct verify_parent parent;
    bool may_look;
    uint64_t known_caps; /* all that this kernel has; the sets of the document are cut to them */

    const struct oci_user *user; /* ids inside the user namespace; NULL = not compared */
    enum verify_groups groups;   /* compared with `user` only */

    bool compare_caps;
    const struct oci_capabilities *caps; /* NULL = all five sets are empty */

    bool compare_nnp;
    bool no_new_privs; /* false: as the parent's */

    int filters; /* how many more than the parent has; -1 = not compared */

    const char *apparmor; /* for the next execve; NULL or "" = not compared */
    const char *selinux;

    const struct oci_linux *linux; /* where namespaces stand in the document; NULL = nowhere */
    struct verify_namespace namespaces[VERIFY_NAMESPACES];
    struct verify_root root;
    struct verify_root or_root; /* another one that it may have; VERIFY_ANY: none */

    const struct oci_map *cgroup; /* in these directories or below; NULL or empty = not compared */
};

/* The signals that a child of this process finds with another action than the default (bit 0 is
 * signal 1), as verify_init has read it. */
static inline uint64_t verify_signals (const struct verify *verify)
{
    return verify->parent.status.ignored | verify->parent.status.caught;
}

/* Compares nothing yet. Reads what this process is: `of_parent`, see verify_parent.known. What it
 * reads lives in the arena. */
int verify_init (struct verify *verify, struct arena *arena, bool of_parent, struct error *err);

/* What the documents say: user, groups, capabilities, no_new_privs, labels, and `filters` (1 where
 * the document's filter is loaded by then, 0 where it has none, -1 where it comes later). `config`
 * is the container's, `process` that of exec or config->process. */
void verify_document (struct verify *verify, const struct oci_config *config,
                      const struct oci_process *process, int filters);

/* outside: looks up all namespaces of the parent's own now, while the child is at work, so that
 * verify_process () need not while it waits. */
int verify_look_at_own (struct verify *verify, struct error *err);

/* start: namespaces without a path are made, those with one joined, all others the parent's; the
 * root is the directory that root.path was when it was resolved. After namespaces_prepare and
 * rootfs_prepare, before a descriptor of `joined` is taken.
 */
int verify_made (struct verify *verify, const struct oci_config *config,
                 const struct namespaces *joined, const struct rootfs *rootfs, struct error *err);

/* exec: all namespaces are those of the container's init now: an init that leaves one before the
 * process has joined makes an error of it. `root`: a descriptor of the directory that is entered;
 * -1: that of the mount namespace comes with it, which is not the parent's. Then it is init's now,
 * or the one that init was created with: an init may have left that by chroot or pivot_root. */
int verify_joined (struct verify *verify, const struct oci_config *config,
                   const struct record *record, int pidfd, int root, struct error *err);

/* outside: the root directory that a process has now; inode 0 where this rt may not look. */
int verify_look_root (pid_t pid, int pidfd, struct procdir_root *root, struct error *err);

/* That of a type (CLONE_NEW*), for a caller that knows more of it. */
struct verify_namespace *verify_namespace (struct verify *verify, int type);

/* outside: compares the process, of which `pidfd` is the pidfd. Some 30 system calls. */
int verify_process (const struct verify *verify, pid_t pid, int pidfd, struct error *err);

/* outside, when the program has been executed (pidfd_has_executed): the AppArmor profile, which the
 * kernel may not have told before (container/apparmor.h). */
int verify_executed (const struct verify *verify, pid_t pid, int pidfd, struct error *err);

/* The pure part: ids, groups, sets, no_new_privs, filters, and in how many pid namespaces it is. */
struct verify_view {
    bool own_userns; /* its user namespace is the parent's; else these are its maps */
    struct process_id_map uid;
    struct process_id_map gid;
    bool setgroups_denied; /* there */
};
int verify_status (const struct verify *verify, const struct process_status *status,
                   const struct verify_view *view, struct error *err);

/* The index of a namespace in the document in "/linux/namespaces/N", or "/linux/namespaces". */
int verify_namespace_error (const struct verify *verify, int type, struct error *err,
                            const char *format, ...) __attribute__ ((format (printf, 4, 5)));

#endif
