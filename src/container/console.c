/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: see console.h.
 */
#include "container/console.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "kernel/inroot.h"
#include "kernel/mountfd.h"
#include "kernel/owndev.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* linux/major.h has them, but not for user space of each libc. */
#define PTMX_MAJOR 5
#define PTMX_MINOR 2
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST 143

static bool is_on_devpts (int fd)
{
    struct statfs fs;
    return fstatfs (fd, &fs) == 0 && fs.f_type == DEVPTS_SUPER_MAGIC;
}

static bool is_ptmx (int fd)
{
    struct stat st;
    return is_on_devpts (fd) && fstat (fd, &st) == 0 && S_ISCHR (st.st_mode) &&
           st.st_rdev == makedev (PTMX_MAJOR, PTMX_MINOR);
}

static bool is_pts (int fd)
{
    struct stat st;
    return is_on_devpts (fd) && fstat (fd, &st) == 0 && S_ISCHR (st.st_mode) &&
           major (st.st_rdev) >= PTS_MAJOR_FIRST && major (st.st_rdev) <= PTS_MAJOR_LAST;
}

static int no_devpts (int errnum, struct error *err)
{
    error_set (err, "RT-CONSOLE-DEVPTS", errnum,
               "process.terminal needs a devpts of the container's own, and `/dev/pts` is none");
    return error_hint (err, "add {\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": "
                            "\"devpts\", \"options\": [\"nosuid\", \"noexec\", \"newinstance\", "
                            "\"ptmxmode=0666\", \"mode=0620\"]} to mounts, or set process.terminal "
                            "to false");
}

/* In the directory of a devpts only the kernel makes names, so what is opened there has no side
 * effects of the image's choice; but another device may have been laid over the name.
 * /dev/ptmx has nothing to add: the kernel gives the other side (TIOCGPTPEER) only where the same
 * devpts is on the `pts` beside it. */
static int open_ptmx (int root, struct error *err)
{
    AUTO_FD int devpts = inroot_open (root, "/dev/pts", O_PATH | O_DIRECTORY);
    if (devpts < 0)
        return no_devpts (errno, err);
    if (!is_on_devpts (devpts))
        return no_devpts (0, err);
    AUTO_FD int found = inroot_open (devpts, "ptmx", O_PATH | O_NOFOLLOW);
    if (found >= 0 && !is_ptmx (found))
        return error_set (err, "RT-CONSOLE-PTMX", 0, "`/dev/pts/ptmx` is not the devpts' own");
    AUTO_FD int ptmx = inroot_open (devpts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW);
    if (ptmx < 0)
        return error_set (err, "RT-CONSOLE-PTMX", errno, "open `/dev/pts/ptmx`");
    if (!is_ptmx (ptmx)) /* it was exchanged meanwhile */
        return error_set (err, "RT-CONSOLE-PTMX", 0, "`/dev/pts/ptmx` is not the devpts' own");
    return take_fd (&ptmx);
}

static int open_pts (int ptmx, struct error *err)
{
    int locked = 0;
    if (ioctl (ptmx, TIOCSPTLCK, &locked) < 0)
        return error_set (err, "RT-CONSOLE-PTS", errno, "unlock the pseudo-terminal");
    AUTO_FD int pts = ioctl (ptmx, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pts < 0)
        return error_set (err, "RT-CONSOLE-PTS", errno,
                          "open the other side of the pseudo-terminal");
    if (!is_pts (pts))
        return error_set (err, "RT-CONSOLE-PTS", 0,
                          "the other side of the pseudo-terminal is no terminal of a devpts");
    return take_fd (&pts);
}

/* Only the owner changes: the group is devpts' own (tty), and may have no number in here. A
 * terminal that cannot change hands is still the process's, by its descriptors 0, 1 and 2: EPERM
 * where its owner has no id in this user namespace (a devpts of the host's), EINVAL where `uid` has
 * none, EROFS on a read-only devpts. */
static int give_to (int pts, uid_t uid, struct error *err)
{
    struct stat st;
    if (fstat (pts, &st) == 0 && st.st_uid == uid)
        return 0;
    if (fchown (pts, uid, (gid_t)-1) == 0)
        return 0;
    if (errno != EPERM && errno != EINVAL && errno != EROFS)
        return error_set (err, "RT-CONSOLE-OWNER", errno, "give the terminal to user %u", uid);
    log_debug ("the terminal keeps its owner, user %u cannot have it: %s", uid,
               error_words (errno));
    return 0;
}

int console_open (int root, const struct oci_console_size *size, uid_t uid, struct console *console,
                  struct error *err)
{
    AUTO_FD int ptmx = open_ptmx (root, err);
    if (ptmx < 0)
        return error_at (err, "/process/terminal");
    AUTO_FD int pts = open_pts (ptmx, err);
    if (pts < 0)
        return error_at (err, "/process/terminal");

    unsigned int number;
    if (ioctl (ptmx, TIOCGPTN, &number) < 0) {
        error_set (err, "RT-CONSOLE-PTS", errno, "ask for the number of the pseudo-terminal");
        return error_at (err, "/process/terminal");
    }
    if (size) {
        struct winsize window = {.ws_row = size->height, .ws_col = size->width};
        if (ioctl (ptmx, TIOCSWINSZ, &window) < 0) {
            error_set (err, "RT-CONSOLE-SIZE", errno, "set the terminal's size to %ux%u",
                       size->height, size->width);
            return error_at (err, "/process/consoleSize");
        }
    }
    if (give_to (pts, uid, err) < 0)
        return error_at (err, "/process/user/uid");

    (void)snprintf (console->name, sizeof console->name, "/dev/pts/%u", number);
    console->ptmx = take_fd (&ptmx);
    console->pts = take_fd (&pts);
    return 0;
}

/* Opens the file `name` in `dir`, made where missing. A link of the image is taken away: followed,
 * it would have a file made, or covered, in a place of the image's choice (CVE-2026-88264). */
static int make_place (int dir, const char *name)
{
    for (int attempt = 0; attempt < 8; attempt++) {
        AUTO_FD int place = inroot_open (dir, name, O_PATH | O_NOFOLLOW);
        struct stat st;
        if (place >= 0 && fstat (place, &st) < 0)
            return -1;
        if (place >= 0 && S_ISDIR (st.st_mode)) {
            errno = EISDIR;
            return -1;
        }
        if (place >= 0 && !S_ISLNK (st.st_mode))
            return take_fd (&place);
        if (place >= 0 && unlinkat (dir, name, 0) < 0 && errno != ENOENT)
            return -1;
        if (place < 0 && errno != ENOENT)
            return -1;
        if (mknodat (dir, name, S_IFREG | 0600, 0) < 0 && errno != EEXIST)
            return -1;
    }
    errno = EAGAIN; /* another process changes it all the time */
    return -1;
}

/* In a directory of the host, which is left as it is. */
static int find_place (int dir, const char *name)
{
    AUTO_FD int place = inroot_open (dir, name, O_PATH | O_NOFOLLOW);
    struct stat st;

    if (place < 0 || fstat (place, &st) < 0)
        return -1;
    if (S_ISDIR (st.st_mode) || S_ISLNK (st.st_mode)) {
        errno = S_ISDIR (st.st_mode) ? EISDIR : ELOOP;
        return -1;
    }
    return take_fd (&place);
}

int console_bind (int root, const struct mountfd_ids *own, const struct console *console,
                  struct error *err)
{
    char name[NAME_MAX + 1];

    AUTO_FD int dir = inroot_make_parent (root, "/dev/console", name);
    int is_own = dir < 0 ? -1 : owndev_is_own (dir, own);
    AUTO_FD int place = is_own < 0 ? -1 : is_own ? make_place (dir, name) : find_place (dir, name);
    if (place < 0 && is_own == 0) {
        error_set (err, "RT-CONSOLE-BIND", errno,
                   "find `/dev/console` for process.terminal in the host's /dev");
        error_hint (err, "rt makes and removes nothing there");
        return error_at (err, "/process/terminal");
    }
    if (place < 0) {
        error_set (err, "RT-CONSOLE-BIND", errno, "make `/dev/console` for process.terminal");
        if (err->errnum == EROFS)
            error_hint (err, "the root file system is read-only and has no /dev/console: mount a "
                             "tmpfs on /dev, or put an empty file there");
        return error_at (err, "/process/terminal");
    }
    if (mountfd_bind_onto (console->pts, place) < 0) {
        error_set (err, "RT-CONSOLE-BIND", errno, "bind `%s` onto `/dev/console`", console->name);
        return error_at (err, "/process/terminal");
    }
    return 0;
}

/* dup2 drops the close-on-exec mark, but not where both are the same. */
static int become_stream (int pts, int stream)
{
    return pts == stream ? fcntl (pts, F_SETFD, 0) : dup2 (pts, stream);
}

int console_streams (const struct console *console, struct error *err)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (become_stream (console->pts, stream) < 0)
            return error_set (err, "RT-CONSOLE-STREAMS", errno, "make `%s` the standard streams",
                              console->name);
    return 0;
}

int console_attach (const struct console *console, struct error *err)
{
    if (getsid (0) != getpid () && setsid () < 0)
        return error_set (err, "RT-CONSOLE-SESSION", errno, "begin a session of its own");
    if (ioctl (console->pts, TIOCSCTTY, 0) < 0) {
        error_set (err, "RT-CONSOLE-SESSION", errno, "make `%s` the controlling terminal",
                   console->name);
        return error_at (err, "/process/terminal");
    }
    return console_streams (console, err);
}

int console_send (int socket, int ptmx, const char *name, struct error *err)
{
    if (fd_send (socket, name, strlen (name), &ptmx, 1) < 0)
        return error_set (err, "RT-CONSOLE-SEND", errno,
                          "send the terminal `%s` over the console "
                          "socket",
                          name);
    return 0;
}
