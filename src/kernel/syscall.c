/* SPDX-License-Identifier: Apache-2.0 */
/* syscall: see syscall.h. */
#include "kernel/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/syscall.h>

/* Numbers that are the same on every architecture (include/uapi/asm-generic/unistd.h). */
#ifndef __NR_open_tree
#define __NR_open_tree 428
#define __NR_move_mount 429
#define __NR_fsopen 430
#define __NR_fsconfig 431
#define __NR_fsmount 432
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif
#ifndef __NR_clone3
#define __NR_clone3 435
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef __NR_openat2
#define __NR_openat2 437
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr 442
#endif
#ifndef __NR_statmount
#define __NR_statmount 457
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif
#ifndef STATMOUNT_SB_BASIC
#define STATMOUNT_SB_BASIC 1U
#endif

int sys_openat2 (int dir, const char *path, struct open_how *how)
{
    return (int)syscall (__NR_openat2, dir, path, how, sizeof (*how));
}

long sys_clone3 (struct clone_args *args)
{
    return syscall (__NR_clone3, args, sizeof (*args));
}

int sys_pidfd_open (pid_t pid, unsigned int flags)
{
    return (int)syscall (__NR_pidfd_open, pid, flags);
}

int sys_pidfd_send_signal (int pidfd, int signal)
{
    return (int)syscall (SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int sys_close_range (unsigned int first, unsigned int last, unsigned int flags)
{
    return (int)syscall (__NR_close_range, first, last, flags);
}

int sys_open_tree (int dir, const char *path, unsigned int flags)
{
    return (int)syscall (__NR_open_tree, dir, path, flags);
}

int sys_move_mount (int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
    return (int)syscall (__NR_move_mount, from_dir, from, to_dir, to, flags);
}

int sys_fsopen (const char *type, unsigned int flags)
{
    return (int)syscall (__NR_fsopen, type, flags);
}

int sys_fsconfig (int fd, unsigned int command, const char *key, const void *value, int aux)
{
    return (int)syscall (__NR_fsconfig, fd, command, key, value, aux);
}

int sys_fsmount (int fd, unsigned int flags, unsigned int attr)
{
    return (int)syscall (__NR_fsmount, fd, flags, attr);
}

int sys_mount_setattr (int dir, const char *path, unsigned int flags, struct mount_attr *attr,
                       size_t size)
{
    return (int)syscall (__NR_mount_setattr, dir, path, flags, attr, size);
}

int sys_mount_id (int fd, uint64_t *id)
{
    struct statx answer = {0};

    if (syscall (__NR_statx, fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &answer) < 0)
        return -1;
    if (!(answer.stx_mask & STATX_MNT_ID)) {
        errno = ENODATA;
        return -1;
    }
    *id = answer.stx_mnt_id;
    return 0;
}

int sys_known (int fd, struct sys_known *known)
{
    struct statx answer = {0};

    if (syscall (__NR_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
                 STATX_TYPE | STATX_MODE | STATX_INO | STATX_MNT_ID_UNIQUE, &answer) < 0)
        return -1;
    *known = (struct sys_known){
        .mode = answer.stx_mode,
        .major = answer.stx_dev_major,
        .minor = answer.stx_dev_minor,
        .inode = answer.stx_ino,
        .mount = answer.stx_mask & STATX_MNT_ID_UNIQUE ? answer.stx_mnt_id : 0,
        .here = (answer.stx_attributes_mask & STATX_ATTR_IMMUTABLE) != 0,
    };
    return 0;
}

int sys_mount_magic (uint64_t mount, uint64_t *magic)
{
    const struct {
        uint32_t size;
        uint32_t unused;
        uint64_t mount;
        uint64_t mask;
    } request = {.size = sizeof request, .mount = mount, .mask = STATMOUNT_SB_BASIC};
    struct {
        uint32_t size;
        uint32_t options;
        uint64_t mask;
        uint32_t device[2];
        uint64_t magic;
        uint64_t others[60];
    } answer = {0};

    if (syscall (__NR_statmount, &request, &answer, sizeof answer, 0) < 0)
        return -1;
    if (!(answer.mask & STATMOUNT_SB_BASIC)) {
        errno = ENODATA;
        return -1;
    }
    *magic = answer.magic;
    return 0;
}

int sys_pivot_root (const char *new_root, const char *put_old)
{
    return (int)syscall (SYS_pivot_root, new_root, put_old);
}

int sys_execveat (int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
    return (int)syscall (SYS_execveat, dir, path, argv, envp, flags);
}

bool sys_is_missing (int errnum)
{
    return errnum == ENOSYS || errnum == EPERM;
}
