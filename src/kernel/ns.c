/* SPDX-License-Identifier: Apache-2.0 */
/* ns: see ns.h. */
#include "kernel/ns.h"

#include "base/cleanup.h"
#include "kernel/clone.h"
#include "kernel/pidfd.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

int ns_open (const char *path)
{
    struct statfs fs;
    AUTO_FD int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return -1;
    if (fstatfs (fd, &fs) < 0)
        return -1;
    if (fs.f_type != NSFS_MAGIC) {
        errno = EINVAL;
        return -1;
    }
    return take_fd (&fd);
}

int ns_open_process (pid_t pid, const char *name)
{
    char path[48];
    int root = procfd_root ();

    if (root < 0)
        return -1;
    (void)snprintf (path, sizeof (path), "%d/ns/%s", pid, name);
    return openat (root, path, O_RDONLY | O_CLOEXEC);
}

int ns_open_root (pid_t pid)
{
    char path[32];
    int root = procfd_root ();

    if (root < 0)
        return -1;
    (void)snprintf (path, sizeof (path), "%d/root", pid);
    return openat (root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int ns_open_own (const char *name)
{
    char path[32];
    int root = procfd_root ();

    if (root < 0)
        return -1;
    (void)snprintf (path, sizeof (path), "self/ns/%s", name);
    return openat (root, path, O_RDONLY | O_CLOEXEC);
}

int ns_type (int ns)
{
    return ioctl (ns, NS_GET_NSTYPE);
}

int ns_join (int ns, int type)
{
    return setns (ns, type);
}

/* Reading what the link says takes half the time of looking at what it leads to. */
int ns_is_shared (pid_t pid, const char *name)
{
    char own[64], other[64]; /* "mnt:[4026531841]" */
    char path[48];
    int root = procfd_root ();

    if (root < 0)
        return -1;
    (void)snprintf (path, sizeof (path), "self/ns/%s", name);
    ssize_t own_length = readlinkat (root, path, own, sizeof (own));
    if (own_length < 0)
        return errno == ENOENT ? 1 : -1;
    (void)snprintf (path, sizeof (path), "%d/ns/%s", pid, name);
    ssize_t other_length = readlinkat (root, path, other, sizeof (other));
    if (other_length < 0)
        return -1;
    return own_length == other_length && memcmp (own, other, (size_t)own_length) == 0;
}

int ns_is_own (const char *path, const char *name)
{
    struct stat st[2];
    AUTO_FD int own = ns_open_own (name);
    AUTO_FD int other = own < 0 ? -1 : ns_open (path);

    if (other < 0 || fstat (own, &st[0]) < 0 || fstat (other, &st[1]) < 0)
        return -1;
    return st[0].st_dev == st[1].st_dev && st[0].st_ino == st[1].st_ino;
}

int ns_join_process (int pidfd, int types)
{
    return setns (pidfd, types);
}

int ns_unshare (int type)
{
    return unshare (type);
}

/* The name of one of them that this kernel was built without. */
static const char *find_missing (int types)
{
    static const struct {
        int type;
        const char *name;
    } all[] = {
        {CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWIPC, "ipc"}, {CLONE_NEWNET, "net"},
        {CLONE_NEWNS, "mnt"},        {CLONE_NEWPID, "pid"}, {CLONE_NEWTIME, "time"},
        {CLONE_NEWUSER, "user"},     {CLONE_NEWUTS, "uts"},
    };

    for (size_t i = 0; i < sizeof (all) / sizeof (*all); i++) {
        if (!(types & all[i].type))
            continue;
        AUTO_FD int own = ns_open_own (all[i].name);
        if (own < 0 && errno == ENOENT)
            return all[i].name;
    }
    return NULL;
}

int ns_explain (int types, int errnum, struct error *err)
{
    /* The kernel asks for the right to make one before it sees that it has none. */
    const char *missing = errnum == EINVAL || errnum == EPERM ? find_missing (types) : NULL;

    if (missing) {
        error_set (err, "RT-NS-MAKE", 0, "this kernel has no %s namespaces", missing);
        return error_at (err, "/linux/namespaces");
    }
    error_set (err, "RT-NS-MAKE", errnum, "cannot make the container's namespaces");
    error_at (err, "/linux/namespaces");
    if (errnum == ENOSPC)
        return error_hint (err, "a limit of /proc/sys/user/max_*_namespaces is reached");
    if (errnum == EPERM && geteuid () != 0)
        return error_hint (err, "without root, a user namespace is needed: `rt spec --rootless`");
    if (errnum == EPERM && (types & CLONE_NEWUSER))
        return error_hint (err, "below a chroot the kernel makes no user namespace");
    return -1;
}

int ns_is_owned_by (int ns, int user_ns)
{
    struct stat owner;
    struct stat wanted;
    AUTO_FD int fd = ioctl (ns, NS_GET_USERNS);

    if (fd < 0)
        return errno == EPERM ? 0 : -1;
    if (fstat (fd, &owner) < 0 || fstat (user_ns, &wanted) < 0)
        return -1;
    return owner.st_dev == wanted.st_dev && owner.st_ino == wanted.st_ino;
}

int ns_loopback_up (void)
{
    struct ifreq request = {.ifr_name = "lo"};
    /* Any family's socket takes the interface calls; AF_UNIX is there without networking too. */
    AUTO_FD int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || ioctl (fd, SIOCGIFFLAGS, &request) < 0)
        return -1;
    request.ifr_flags |= IFF_UP;
    return ioctl (fd, SIOCSIFFLAGS, &request);
}

static int write_map (pid_t pid, const char *file, const char *map)
{
    char path[48];

    (void)snprintf (path, sizeof (path), "%d/%s", pid, file);
    return procfd_write (path, map, strlen (map));
}

int ns_user_with_maps (const char *uid_map, const char *gid_map)
{
    struct clone_request request = {.flags = CLONE_NEWUSER, .cgroup = -1};
    AUTO_FD int pidfd = -1;
    bool in_cgroup;
    int ns = -1;

    pid_t pid = clone_child (&request, &pidfd, &in_cgroup);
    if (pid < 0)
        return -1;
    if (pid == 0) {
        (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            (void)pause ();
    }
    if (write_map (pid, "uid_map", uid_map) == 0 && write_map (pid, "gid_map", gid_map) == 0)
        ns = ns_open_process (pid, "user");

    int saved = errno;
    (void)pidfd_signal (pidfd, SIGKILL);
    while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
        ;
    errno = saved;
    return ns;
}
