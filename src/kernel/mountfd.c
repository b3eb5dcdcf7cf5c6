/* SPDX-License-Identifier: Apache-2.0 */
/* mountfd: see mountfd.h. */
#include "kernel/mountfd.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/clone.h"
#include "kernel/inroot.h"
#include "kernel/nsroot.h"
#include "kernel/procfd.h"
#include "kernel/procfs.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define FSCONFIG_VALUE_MAX 255

static const struct {
    unsigned long ms;
    uint64_t attr;
} attr_of_ms[] = {
    {MS_RDONLY, MOUNT_ATTR_RDONLY},
    {MS_NOSUID, MOUNT_ATTR_NOSUID},
    {MS_NODEV, MOUNT_ATTR_NODEV},
    {MS_NOEXEC, MOUNT_ATTR_NOEXEC},
    {MS_NODIRATIME, MOUNT_ATTR_NODIRATIME},
    {MS_NOATIME, MOUNT_ATTR_NOATIME},
    {MS_STRICTATIME, MOUNT_ATTR_STRICTATIME},
#ifdef MS_NOSYMFOLLOW
    {MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW},
#endif
};

static const struct {
    unsigned long ms;
    const char *key;
} superblock_words[] = {
    {MS_RDONLY, "ro"},     {MS_SYNCHRONOUS, "sync"},  {MS_DIRSYNC, "dirsync"},
    {MS_MANDLOCK, "mand"}, {MS_LAZYTIME, "lazytime"},
};

static unsigned long ms_of_attr (uint64_t attr)
{
    unsigned long ms = 0;

    for (size_t i = 0; i < sizeof (attr_of_ms) / sizeof (attr_of_ms[0]); i++)
        if (attr & attr_of_ms[i].attr)
            ms |= attr_of_ms[i].ms;
    /* The old call takes "no atime flag" for relatime; say it, so that a remount changes it. */
    if (!(attr & MOUNT_ATTR__ATIME))
        ms |= MS_RELATIME;
    return ms;
}

void mountfd_close (struct mountfd *mount)
{
    drop_fd (&mount->fd);
}

/* What the file system said about the option that it refused: lines of "e fstype: text". */
static void read_message (int fs, char *message, size_t size)
{
    ssize_t length = read (fs, message, size - 1);

    if (length <= 0) {
        message[0] = '\0';
        return;
    }
    message[length] = '\0';
    message[strcspn (message, "\n")] = '\0';
    if (message[0] && message[1] == ' ')
        memmove (message, message + 2, strlen (message + 2) + 1);
}

/* One word of data, "key" or "key=value" or key="value". The word is cut in place. */
static int configure_word (int fs, char *word)
{
    char *value = strchr (word, '=');

    if (!value)
        return sys_fsconfig (fs, FSCONFIG_SET_FLAG, word, NULL, 0);
    *value++ = '\0';
    size_t length = strlen (value);
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
        value[length - 1] = '\0';
        value++;
    }
    return sys_fsconfig (fs, FSCONFIG_SET_STRING, word, value, 0);
}

/* Words of data are split at commas, but for those in quotes: context="a:b:c,d" is one. */
static int configure_data (int fs, const char *data)
{
    AUTO_FREE char *copy = strdup (data);
    bool quoted = false;

    if (!copy)
        return -1;
    for (char *word = copy, *at = copy;; at++) {
        if (*at == '"')
            quoted = !quoted;
        if (*at && (*at != ',' || quoted))
            continue;
        bool last = *at == '\0';
        *at = '\0';
        if (word[0] && configure_word (fs, word) < 0)
            return -1;
        if (last)
            return 0;
        word = at + 1;
    }
}

static int configure (int fs, const char *source, const char *data, unsigned long sb_flags)
{
    if (source && sys_fsconfig (fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
        return -1;
    for (size_t i = 0; i < sizeof (superblock_words) / sizeof (superblock_words[0]); i++)
        if ((sb_flags & superblock_words[i].ms) &&
            sys_fsconfig (fs, FSCONFIG_SET_FLAG, superblock_words[i].key, NULL, 0) < 0)
            return -1;
    if (data && configure_data (fs, data) < 0)
        return -1;
    return sys_fsconfig (fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

/* fsconfig takes values of up to 255 bytes (an overlay's lowerdir may be longer); mount(2) takes a
 * page. */
static bool fits_fsconfig (const char *data)
{
    while (data) {
        if (strcspn (data, ",") > FSCONFIG_VALUE_MAX)
            return false;
        data = strchr (data, ',');
        if (data)
            data++;
    }
    return true;
}

int mountfd_make (struct mountfd *mount, const char *type, const char *source, const char *data,
                  unsigned long sb_flags, uint64_t attr, char *message, size_t size)
{
    if (message)
        message[0] = '\0';
    bool fits = fits_fsconfig (data);
    bool other_pid_ns = mount->pid_ns >= 0 && strcmp (type, "proc") == 0;
    AUTO_FD int fs = !fits          ? -1
                     : other_pid_ns ? procfs_open (mount->pid_ns)
                                    : sys_fsopen (type, FSOPEN_CLOEXEC);
    if (other_pid_ns && fs < 0)
        return -1; /* mount (2) could not show that pid namespace */
    if (!fits || (fs < 0 && sys_is_missing (errno))) {
        mount->by_mount = true;
        mount->type = type;
        mount->source = source ? source : "none";
        mount->data = data;
        mount->flags = sb_flags | ms_of_attr (attr);
        return 0;
    }
    if (fs < 0)
        return -1;
    if (configure (fs, source, data, sb_flags) < 0) {
        int saved = errno;
        if (message)
            read_message (fs, message, size);
        errno = saved;
        return -1;
    }
    int fd = sys_fsmount (fs, FSMOUNT_CLOEXEC, (unsigned int)attr);
    if (fd < 0)
        return -1;
    mount->fd = fd;
    return 0;
}

int mountfd_bind (struct mountfd *mount, int dir, const char *path, int flags)
{
    unsigned int at =
        (path[0] ? 0 : AT_EMPTY_PATH) | (flags & MOUNTFD_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0);
    unsigned int recursive = flags & MOUNTFD_RECURSIVE ? AT_RECURSIVE : 0;
    int fd = sys_open_tree (dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive | at);

    if (fd < 0 && sys_is_missing (errno)) {
        if (path[0])
            fd = openat (dir, path,
                         O_PATH | O_CLOEXEC | (flags & MOUNTFD_NOFOLLOW ? O_NOFOLLOW : 0));
        else
            fd = fcntl (dir, F_DUPFD_CLOEXEC, 3);
        mount->by_mount = true;
        mount->recursive = recursive != 0;
    }
    if (fd < 0)
        return -1;
    mount->fd = fd;
    return 0;
}

#define MOUNTINFO_MAX (64 << 20)

int mountfd_pins_namespaces (void)
{
    struct error failure = {0};
    AUTO_FD int fd = procfd_open ("self/mountinfo", O_RDONLY);
    AUTO_FREE char *mountinfo =
        fd < 0 ? NULL : fd_read_all (fd, MOUNTINFO_MAX, NULL, "mountinfo", &failure);

    if (!mountinfo)
        return -1;
    /* The fourth field; blanks in names are escaped. */
    return strstr (mountinfo, " mnt:[") != NULL;
}

int mountfd_allow_bind (const char *path, bool nofollow)
{
    char at[PATH_MAX];

    /* A link that is meant itself is on the mount of its directory. */
    if (nofollow) {
        size_t length = strlen (path);
        if (length >= sizeof (at)) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy (at, path, length + 1);
    } else if (!realpath (path, at)) {
        return -1;
    }
    /* Upwards, until it is the root of a mount. */
    while (mount (NULL, at, NULL, MS_PRIVATE, NULL) < 0) {
        char *slash = strrchr (at, '/');
        if (errno != EINVAL || !slash || at[1] == '\0')
            return -1;
        slash[slash == at] = '\0';
    }
    return 0;
}

/* The child's part: the copy and 0, or an errno. */
static _Noreturn void copy_apart (int line, const char *path, int flags, unsigned long propagation)
{
    struct mountfd copy = MOUNTFD_INIT;
    struct error err = {0};
    int answer = 0;

    (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (propagation && nsroot_propagate (propagation, NULL, &err) < 0)
        answer = err.errnum;
    else if ((propagation && mountfd_allow_bind (path, flags & MOUNTFD_NOFOLLOW) < 0) ||
             mountfd_bind (&copy, AT_FDCWD, path, flags) < 0)
        answer = errno;
    else if (copy.by_mount)
        answer = ENOSYS;
    (void)fd_send (line, &answer, sizeof (answer), &copy.fd, answer == 0);
    _exit (0);
}

int mountfd_bind_apart (struct mountfd *mount, const char *path, int flags,
                        unsigned long propagation)
{
    const struct clone_request request = {.flags = CLONE_NEWNS, .cgroup = -1};
    AUTO_FD int pidfd = -1;
    bool in_cgroup;
    int pair[2];
    int answer = EPIPE;
    size_t count = 1;

    if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    pid_t pid = clone_child (&request, &pidfd, &in_cgroup);
    if (pid == 0)
        copy_apart (pair[1], path, flags, propagation);
    int saved = errno;
    (void)close (pair[1]);
    AUTO_FD int line = pair[0];
    if (pid < 0) {
        errno = saved;
        return -1;
    }
    *mount = (struct mountfd)MOUNTFD_INIT;
    if (fd_receive (line, &answer, sizeof (answer), &mount->fd, &count) < 0)
        answer = errno;
    while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
        ;
    errno = answer;
    return answer ? -1 : 0;
}

int mountfd_idmap (struct mountfd *mount, int userns, bool recursive)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns};

    if (mount->by_mount) {
        errno = ENOSYS;
        return -1;
    }
    return sys_mount_setattr (mount->fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
                              sizeof (attr));
}

static void fd_path (int fd, char path[32])
{
    (void)snprintf (path, 32, "/proc/self/fd/%d", fd);
}

static int attach_by_mount (struct mountfd *mount_, int target, int root, const char *path)
{
    char to[32];
    char from[32];

    fd_path (target, to);
    if (mount_->type) {
        if (mount (mount_->source, to, mount_->type, mount_->flags, mount_->data) < 0)
            return -1;
    } else {
        fd_path (mount_->fd, from);
        if (mount (from, to, NULL, MS_BIND | (mount_->recursive ? MS_REC : 0), NULL) < 0)
            return -1;
    }
    int attached =
        root == AT_FDCWD ? open (path, O_PATH | O_CLOEXEC) : inroot_open (root, path, O_PATH);
    if (attached < 0)
        return -1;
    drop_fd (&mount_->fd);
    mount_->fd = attached;
    return 0;
}

int mountfd_attach (struct mountfd *mount, int target, int root, const char *path)
{
    if (mount->by_mount)
        return attach_by_mount (mount, target, root, path);
    return sys_move_mount (mount->fd, "", target, "",
                           MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

unsigned long mountfd_flags (int fd)
{
    static const struct {
        unsigned long st;
        unsigned long ms;
    } table[] = {
        {ST_RDONLY, MS_RDONLY},     {ST_NOSUID, MS_NOSUID},         {ST_NODEV, MS_NODEV},
        {ST_NOEXEC, MS_NOEXEC},     {ST_NODIRATIME, MS_NODIRATIME}, {ST_NOATIME, MS_NOATIME},
        {ST_RELATIME, MS_RELATIME},
    };
    struct statvfs fs;
    unsigned long flags = 0;

    if (fstatvfs (fd, &fs) < 0)
        return 0;
    for (size_t i = 0; i < sizeof (table) / sizeof (table[0]); i++)
        if (fs.f_flag & table[i].st)
            flags |= table[i].ms;
    return flags;
}

/* Linux before 5.12: the remount takes all flags, so those that stay must be named too. */
static int remount (int fd, uint64_t set, uint64_t clear)
{
    unsigned long flags = mountfd_flags (fd);
    char path[32];

    if (clear & MOUNT_ATTR__ATIME)
        flags &= ~(unsigned long)(MS_NOATIME | MS_RELATIME | MS_STRICTATIME);
    flags &= ~(ms_of_attr (clear) & ~(unsigned long)MS_RELATIME);
    flags |= ms_of_attr (set) & ~(unsigned long)(clear & MOUNT_ATTR__ATIME ? 0 : MS_RELATIME);
    fd_path (fd, path);
    return mount (NULL, path, NULL, MS_REMOUNT | MS_BIND | flags, NULL);
}

int mountfd_setattr (int mount, uint64_t set, uint64_t clear, bool recursive)
{
    struct mount_attr attr = {.attr_set = set, .attr_clr = clear};

    if (!set && !clear)
        return 0;
    int result = sys_mount_setattr (mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
                                    &attr, sizeof (attr));
    if (result == 0 || !sys_is_missing (errno))
        return result;
    if (recursive) {
        errno = ENOSYS;
        return -1;
    }
    return remount (mount, set, clear);
}

int mountfd_propagate (int fd, unsigned long propagation)
{
    struct mount_attr attr = {.propagation = propagation & ~(unsigned long)MS_REC};
    char path[32];

    int result = sys_mount_setattr (
        fd, "", AT_EMPTY_PATH | (propagation & MS_REC ? AT_RECURSIVE : 0), &attr, sizeof (attr));
    if (result == 0 || !sys_is_missing (errno))
        return result;
    fd_path (fd, path);
    return mount (NULL, path, NULL, propagation, NULL);
}

int mountfd_propagate_root (unsigned long propagation)
{
    return mount (NULL, "/", NULL, propagation, NULL);
}

int mountfd_pivot (int root)
{
    if (fchdir (root) < 0 || sys_pivot_root (".", ".") < 0)
        return -1;
    /* "." is the old root now, laid over the new one; the host is gone with it. */
    if (umount2 (".", MNT_DETACH) < 0)
        return -1;
    return chdir ("/");
}

int mountfd_move_over_root (int root)
{
    return fchdir (root) < 0 || mount (".", "/", NULL, MS_MOVE, NULL) < 0 ? -1 : 0;
}

int mountfd_enter (int directory)
{
    if (fchdir (directory) < 0 || chroot (".") < 0)
        return -1;
    return chdir ("/");
}

int mountfd_reconfigure (int fd, const char *data, unsigned long sb_flags)
{
    char path[32];

    fd_path (fd, path);
    return mount (NULL, path, NULL, MS_REMOUNT | mountfd_flags (fd) | sb_flags, data);
}

int mountfd_bind_onto (int source, int target)
{
    char from[32];
    char to[32];
    AUTO_MOUNTFD struct mountfd copy = MOUNTFD_INIT;

    if (mountfd_bind (&copy, source, "", 0) < 0)
        return -1;
    if (!copy.by_mount)
        return sys_move_mount (copy.fd, "", target, "",
                               MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    fd_path (source, from);
    fd_path (target, to);
    return mount (from, to, NULL, MS_BIND, NULL);
}

int mountfd_id (int fd, uint64_t *id)
{
    char fdinfo[32];

    if (sys_mount_id (fd, id) == 0)
        return 0;
    if (errno != ENODATA && !sys_is_missing (errno))
        return -1;
    /* A kernel or an outer filter without statx: the same number is in fdinfo. */
    (void)snprintf (fdinfo, sizeof (fdinfo), "self/fdinfo/%d", fd);
    return procfd_mount (fdinfo, id);
}

int mountfd_share_mount (int one, int other)
{
    uint64_t id[2];

    if (mountfd_id (one, &id[0]) < 0 || mountfd_id (other, &id[1]) < 0)
        return -1;
    return id[0] == id[1];
}

int mountfd_is_same (int one, int other)
{
    struct stat st[2];

    if (fstat (one, &st[0]) < 0 || fstat (other, &st[1]) < 0)
        return -1;
    if (st[0].st_dev != st[1].st_dev || st[0].st_ino != st[1].st_ino)
        return 0;
    return mountfd_share_mount (one, other);
}

int mountfd_is_among (int fd, const struct mountfd_ids *ids)
{
    uint64_t id;

    if (mountfd_id (fd, &id) < 0)
        return -1;
    for (size_t i = 0; i < ids->count; i++)
        if (ids->items[i] == id)
            return 1;
    return 0;
}
