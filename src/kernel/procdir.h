/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procdir: the directory of one process in our own /proc (procfd.h), opened once. It stays that
 * process's: when the process has been reaped, whatever is asked fails with ESRCH or ENOENT, also
 * where its number was given to another one.
 *
 * Files that all may read: status, stat, cgroup, uid_map, gid_map, setgroups, mountinfo, attr/.
 * Links ask for more: the reader must be allowed to trace the process, which is denied (EACCES)
 * - where their user or group ids differ, without CAP_SYS_PTRACE in the user namespace of the
 *   process. The maker of that namespace has it;
 * - and where the process is not dumpable (PR_SET_DUMPABLE, or it has changed its ids), without
 *   CAP_SYS_PTRACE in the user namespace in which its program was executed. Of a child that has not
 *   executed anything yet that is our own one: so an ordinary user is denied, root and the root of
 *   a rootless engine are not.
 *
 * All functions: -1 with errno on failure.
 */
#ifndef RT_KERNEL_PROCDIR_H
#define RT_KERNEL_PROCDIR_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Of `pid`; where `pidfd` is not -1, only if it stands for a process that has not been reaped: then
 * the directory is that of the same process. ESRCH. */
int procdir_open (pid_t pid, int pidfd);

/* Of this process. */
int procdir_open_own (void);

/* A whole file, terminated, in the arena; NULL with errno. EFBIG: longer than the kernel makes it.
 */
const char *procdir_read (int process, const char *name, struct arena *arena);

/* The inode number of a namespace, by the name of its file in ns/ ("mnt"). All are on one file
 * system, so the number is enough. ENOENT: the process has ended, or there is no such kind. */
int procdir_namespace (int process, const char *kind, ino_t *inode);

struct procdir_root {
    dev_t device;
    ino_t inode;
    uint64_t mount; /* the number of its mount, as in mountinfo */
};

/* The root directory. */
int procdir_root (int process, struct procdir_root *root);

/* The same of an opened directory. */
int procdir_root_of (int directory, struct procdir_root *root);

/* The number of the first mount that the process sees, in mountinfo: equal for two of one mount
 * namespace and one root, and for no others. 0: it sees none. All may read it. */
int procdir_first_mount (int process, uint64_t *mount);

/* May this process look at links of its children, whatever they have done to themselves: has it
 * CAP_SYS_PTRACE where it lives? A security module may still say no. */
bool procdir_may_trace (void);

#endif
