/* SPDX-License-Identifier: Apache-2.0 */
/* restored_view: see restored_view.h. */
#include "lifecycle/restored_view.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/clone.h"
#include "kernel/mountfd.h"
#include "kernel/ns.h"
#include "kernel/pidfd.h"
#include "kernel/procfd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define TABLE_MAX (64u << 20)

void restored_view_close (struct restored_view *view)
{
    drop_fd (&view->root);
}

static int look_error (int errnum, const char *what, struct error *err)
{
    return error_set (err, "RT-RESTORE-MOUNT", errnum, "cannot see the restored mounts: %s", what);
}

/* In the child: an opened table stays that of this namespace, seen from its root. */
static _Noreturn void enter_and_send (int ns, int line)
{
    int errnum = 0;
    int fds[2] = {-1, -1};

    (void)prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (ns_join (ns, CLONE_NEWNS) < 0)
        errnum = errno;
    else {
        fds[0] = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        fds[1] = procfd_open ("self/mountinfo", O_RDONLY);
        if (fds[0] < 0 || fds[1] < 0)
            errnum = errno ? errno : EIO;
    }
    (void)fd_send (line, &errnum, sizeof (errnum), fds, errnum ? 0 : 2);
    _exit (0);
}

static int receive (int line, int fds[2], struct error *err)
{
    size_t count = 2;
    int errnum;
    ssize_t length = fd_receive (line, &errnum, sizeof (errnum), fds, &count);

    if (length < 0)
        return look_error (errno, "no word from the child", err);
    if (length != sizeof (errnum))
        return look_error (0, "the child has ended", err);
    if (errnum == 0 && count == 2)
        return 0;
    for (size_t i = 0; i < count; i++)
        drop_fd (&fds[i]);
    return look_error (errnum, "their namespace cannot be entered", err);
}

/* fds: the root of the namespace, and its table. */
static int ask_child (pid_t init, int fds[2], struct error *err)
{
    const struct clone_request request = {.cgroup = -1};
    AUTO_FD int ns = ns_open_process (init, "mnt");
    AUTO_FD int pidfd = -1;
    bool in_cgroup;
    int pair[2];

    if (ns < 0)
        return look_error (errno, "their namespace cannot be opened", err);
    if (fd_socketpair (SOCK_SEQPACKET, pair, err) < 0)
        return -1;
    AUTO_FD int here = pair[0];
    AUTO_FD int there = pair[1];
    pid_t pid = clone_child (&request, &pidfd, &in_cgroup);
    if (pid < 0)
        return look_error (errno, "no child can be made", err);
    if (pid == 0)
        enter_and_send (ns, there);
    drop_fd (&there);
    int failed = receive (here, fds, err);
    (void)pidfd_signal (pidfd, SIGKILL);
    while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return failed;
}

static int read_table (int fd, struct arena *arena, struct mount_views *views, struct error *err)
{
    size_t length;
    AUTO_FREE char *text = fd_read_all (fd, TABLE_MAX, &length, "mountinfo", err);

    return text ? mount_table_parse (text, arena, views, err) : -1;
}

int restored_view_host (struct mount_views *host, struct arena *arena, struct error *err)
{
    AUTO_FD int fd = procfd_open ("self/mountinfo", O_RDONLY);

    return fd < 0 ? look_error (errno, "rt's own table cannot be opened", err)
                  : read_table (fd, arena, host, err);
}

int restored_view_open (struct restored_view *view, pid_t init, struct arena *arena,
                        struct error *err)
{
    int fds[2];

    if (restored_view_host (&view->host, arena, err) < 0 || ask_child (init, fds, err) < 0)
        return -1;
    view->root = fds[0];
    view->init = init;
    AUTO_FD int table = fds[1];
    return read_table (table, arena, &view->mounts, err);
}

static bool has_mount (const struct mount_views *views, uint64_t id)
{
    for (size_t i = 0; i < views->count; i++)
        if (views->items[i].id == id)
            return true;
    return false;
}

static bool has_device (const struct mount_views *views, dev_t device)
{
    char name[32];

    (void)snprintf (name, sizeof (name), "%u:%u", major (device), minor (device));
    for (size_t i = 0; i < views->count; i++)
        if (text_equal (views->items[i].device, name))
            return true;
    return false;
}

static int place_error (const char *path, const char *what, struct error *err)
{
    error_set (err, "RT-RESTORE-RIGHTS", 0, "a restored process %s", what);
    (void)path;
    return error_hint (err, "these images are not of a container with this document");
}

static int unreadable (const char *path, struct error *err)
{
    return error_set (err, "RT-RESTORE-RIGHTS", errno, "cannot read /proc/%s", path);
}

static int check_directory (const struct restored_view *view, const char *path, const char *file,
                            bool must_be_root, struct error *err)
{
    struct stat st;
    struct stat root;
    char name[96];
    uint64_t id;

    (void)snprintf (name, sizeof (name), "%s/%s", path, file);
    AUTO_FD int fd = openat (procfd_root (), name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat (fd, &st) < 0 || fstat (view->root, &root) < 0)
        return unreadable (name, err);
    if (mountfd_id (fd, &id) < 0)
        return unreadable (name, err);
    if (!has_mount (&view->mounts, id))
        return place_error (path,
                            must_be_root ? "has a root outside of the container"
                                         : "stands outside of the container",
                            err);
    return !must_be_root || (st.st_dev == root.st_dev && st.st_ino == root.st_ino)
               ? 0
               : place_error (path, "has another root than the container", err);
}

static bool is_stream (const struct stat *st)
{
    struct stat own;

    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fstat (fd, &own) == 0 && own.st_dev == st->st_dev && own.st_ino == st->st_ino)
            return true;
    return false;
}

static int check_file (const struct restored_view *view, const char *path, const char *number,
                       struct error *err)
{
    char name[96];
    uint64_t id;
    struct stat st;

    (void)snprintf (name, sizeof (name), "%s/fdinfo/%.12s", path, number);
    if (procfd_mount (name, &id) < 0)
        return unreadable (name, err);
    if (has_mount (&view->mounts, id))
        return 0;
    (void)snprintf (name, sizeof (name), "%s/fd/%.12s", path, number);
    if (fstatat (procfd_root (), name, &st, 0) < 0)
        return unreadable (name, err);
    /* Pipes, sockets and memory lie on mounts of the kernel's own. */
    return has_device (&view->host, st.st_dev) && !is_stream (&st)
               ? place_error (path, "has a file of the host open", err)
               : 0;
}

static int check_files (const struct restored_view *view, const char *path, struct error *err)
{
    const struct dirent *entry;
    char name[96];

    (void)snprintf (name, sizeof (name), "%s/fd", path);
    int fd = procfd_open (name, O_RDONLY | O_DIRECTORY);
    AUTO_DIR DIR *listing = fd < 0 ? NULL : fdopendir (fd);
    if (!listing)
        return unreadable (name, err);
    while ((entry = readdir (listing)) != NULL)
        if (entry->d_name[0] != '.' && check_file (view, path, entry->d_name, err) < 0)
            return -1;
    return 0;
}

static bool is_in_namespace (const struct restored_view *view, const char *path)
{
    char name[96];
    char own[64];
    char other[64];

    (void)snprintf (name, sizeof (name), "%d/ns/mnt", view->init);
    if (procfd_link (name, own, sizeof (own)) < 0)
        return true;
    (void)snprintf (name, sizeof (name), "%s/ns/mnt", path);
    return procfd_link (name, other, sizeof (other)) < 0 || text_equal (own, other);
}

int restored_view_check (const struct restored_view *view, const char *path, bool may_chroot,
                         struct error *err)
{
    if (!is_in_namespace (view, path))
        return 0;
    return check_directory (view, path, "root", !may_chroot, err) < 0 ||
                   check_directory (view, path, "cwd", false, err) < 0 ||
                   check_files (view, path, err) < 0
               ? -1
               : 0;
}
