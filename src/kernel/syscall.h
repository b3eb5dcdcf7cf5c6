/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall: the calls that libc 2.31 to 2.36 does not wrap, one thin function each, with errno; and
 * the constants that older headers lack. Only kernel/ includes this file: everybody else uses the
 * abilities that are built on it.
 */
#ifndef RT_KERNEL_SYSCALL_H
#define RT_KERNEL_SYSCALL_H

#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

int sys_openat2 (int dir, const char *path, struct open_how *how);
long sys_clone3 (struct clone_args *args);
int sys_pidfd_open (pid_t pid, unsigned int flags);
int sys_pidfd_send_signal (int pidfd, int signal);
int sys_close_range (unsigned int first, unsigned int last, unsigned int flags);
int sys_open_tree (int dir, const char *path, unsigned int flags);
int sys_move_mount (int from_dir, const char *from, int to_dir, const char *to, unsigned int flags);
int sys_fsopen (const char *type, unsigned int flags);
int sys_fsconfig (int fd, unsigned int command, const char *key, const void *value, int aux);
int sys_fsmount (int fd, unsigned int flags, unsigned int attr);
int sys_mount_setattr (int dir, const char *path, unsigned int flags, struct mount_attr *attr,
                       size_t size);
/* The id of the mount that `fd` is on (STATX_MNT_ID, Linux 5.8). -1 with ENODATA: the kernel does
 * not say. */
int sys_mount_id (int fd, uint64_t *id);
/* What the kernel knows of an opened file without asking its file system, which may not answer. -1
 * with errno. `here`: it keeps chattr(1)'s attributes of this very file itself, which file systems
 * do that are on a disk or in memory of this machine, and an overlay of such; FUSE, NFS, CIFS, 9P
 * and Ceph do not. */
struct sys_known {
    uint32_t mode;
    uint32_t major;
    uint32_t minor;
    uint64_t inode;
    uint64_t mount; /* for sys_mount_magic (); 0 before Linux 6.8 */
    bool here;
};
int sys_known (int fd, struct sys_known *known);
/* The magic number (statfs(2)) of what is mounted there, by the kernel's own list of mounts. -1
 * with errno; ENOSYS before Linux 6.8. */
int sys_mount_magic (uint64_t mount, uint64_t *magic);
int sys_pivot_root (const char *new_root, const char *put_old);
int sys_execveat (int dir, const char *path, char *const argv[], char *const envp[], int flags);

/* The call is not there: ENOSYS, or EPERM of an outer seccomp profile (runc and Docker profiles
 * of before 2021 answer so). Ask only right after a call that needs no privilege of its own. */
bool sys_is_missing (int errnum);

#endif
