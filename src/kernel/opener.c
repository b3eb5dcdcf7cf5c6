/* SPDX-License-Identifier: Apache-2.0 */
/* opener: see opener.h. */
#include "kernel/opener.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/interrupt.h"
#include "base/patience.h"
#include "base/text.h"
#include "kernel/clone.h"
#include "kernel/fds.h"
#include "kernel/inroot.h"
#include "kernel/pidfd.h"
#include "kernel/straggler.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#define MQUEUE_MAGIC 0x19800202 /* ipc/mqueue.c */

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3; vm.memfd_noexec may ask for it */
#endif

#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY)
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#define LINKS_MAX 40 /* the kernel's own limit, MAXSYMLINKS */

/* A mount or a rename elsewhere makes the kernel doubt what it has in memory. */
#define CACHED_TRIES 2

enum wish { WISH_DESCRIPTOR, WISH_BYTES, WISH_NAME };

struct request {
    enum wish wish;
    int flags;
    size_t limit;
    char path[PATH_MAX];
};

struct answer {
    enum { ANSWER_FAILED, ANSWER_OPENED, ANSWER_COPIED, ANSWER_NAMED, ANSWER_YOURS } kind;
    int errnum;
    struct opener_look look;
    char name[PATH_MAX];
};

static struct {
    pid_t pid;
    int pidfd;
    int line; /* -1 = there is no child */
} child = {.pidfd = -1, .line = -1};

/* -- the child -- */

static int look_asking (int fd, struct opener_look *look)
{
    struct stat st;

    if (fstat (fd, &st) < 0)
        return -1;
    *look = (struct opener_look){.mode = st.st_mode, .device = st.st_dev, .inode = st.st_ino};
    return 0;
}

static bool is_of_procfs (int fd)
{
    struct statfs fs;

    return fstatfs (fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Puts the target of the link `path` in its place. False: it is no link. */
static bool follow (char path[PATH_MAX])
{
    char target[PATH_MAX];
    ssize_t length = readlink (path, target, sizeof target - 1);

    if (length <= 0)
        return false;
    target[length] = '\0';
    char *slash = strrchr (path, '/');
    size_t before = target[0] == '/' || !slash ? 0 : (size_t)(slash - path) + 1;
    if (before + (size_t)length >= PATH_MAX)
        return false;
    memcpy (path + before, target, (size_t)length + 1);
    return true;
}

/* Is a procfs what lacks it? There this process has not the files that its parent has. */
static bool lacks_in_procfs (const char *path)
{
    char at[PATH_MAX];

    (void)snprintf (at, sizeof at, "%s", path);
    for (int steps = 0; steps < PATH_MAX; steps++) {
        if (steps < LINKS_MAX && follow (at))
            continue;
        AUTO_FD int fd = open (at, O_PATH | O_CLOEXEC);
        if (fd >= 0)
            return is_of_procfs (fd);
        char *slash = strrchr (at, '/');
        if (!slash || slash == at)
            return false;
        *slash = '\0';
    }
    return false;
}

static bool is_the_parents (const struct request *request, int errnum)
{
    return errnum == ELOOP || sys_is_missing (errnum) ||
           (errnum == ENOENT && lacks_in_procfs (request->path));
}

/* Finds it and asks its file system, which answers from no cache how full it is. -1: *answer says
 * what to tell the parent. */
static int find (const struct request *request, struct answer *answer)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC |
                                    ((unsigned int)request->flags & (O_DIRECTORY | O_NOFOLLOW)),
                           .resolve = RESOLVE_NO_MAGICLINKS};
    AUTO_FD int fd = sys_openat2 (AT_FDCWD, request->path, &how);

    if (fd < 0) {
        answer->errnum = errno;
        answer->kind = is_the_parents (request, errno) ? ANSWER_YOURS : ANSWER_FAILED;
        return -1;
    }
    /* O_PATH alone mounts no automount. */
    unsigned int at = request->flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
    int mounted = sys_open_tree (AT_FDCWD, request->path, OPEN_TREE_CLOEXEC | at);
    if (mounted >= 0) {
        drop_fd (&fd);
        fd = mounted;
    }
    if (is_of_procfs (fd)) {
        answer->kind = ANSWER_YOURS;
        return -1;
    }
    if (look_asking (fd, &answer->look) == 0)
        return take_fd (&fd);
    answer->errnum = errno;
    answer->kind = ANSWER_FAILED;
    return -1;
}

/* -1 with errno. */
static int copy_bytes (int fd, size_t limit)
{
    static char bytes[1 << 16];
    size_t copied = 0;
    AUTO_FD int copy =
        memfd_create ("rt:document", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (copy < 0 && errno == EINVAL)
        copy = memfd_create ("rt:document", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    while (copy >= 0 && copied <= limit) {
        ssize_t length = read (fd, bytes, sizeof bytes);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 || (length > 0 && fd_write_all (copy, bytes, (size_t)length) < 0))
            return -1;
        if (length == 0)
            break;
        copied += (size_t)length;
    }
    return copy < 0 || lseek (copy, 0, SEEK_SET) < 0 || fd_seal (copy, SEALS) < 0 ? -1
                                                                                  : take_fd (&copy);
}

static int open_bytes (const struct request *request, struct answer *answer)
{
    AUTO_FD int fd = open (request->path, READ_FLAGS | O_CLOEXEC);

    if (fd < 0 || look_asking (fd, &answer->look) < 0)
        return -1;
    if (!S_ISREG (answer->look.mode))
        return take_fd (&fd);
    answer->kind = ANSWER_COPIED;
    return copy_bytes (fd, request->limit);
}

/* What is sent: a descriptor, or -1 and nothing but *answer. */
static int grant (const struct request *request, struct answer *answer)
{
    AUTO_FD int found = find (request, answer);
    int sent = -1;

    if (found < 0)
        return -1;
    if (request->wish == WISH_NAME) {
        answer->kind = realpath (request->path, answer->name) ? ANSWER_NAMED : ANSWER_FAILED;
        answer->errnum = errno;
        return -1;
    }
    answer->kind = ANSWER_OPENED;
    sent = request->wish == WISH_BYTES ? open_bytes (request, answer) : take_fd (&found);
    if (sent < 0) {
        answer->kind = ANSWER_FAILED;
        answer->errnum = errno;
    }
    return sent;
}

static _Noreturn void serve (int line, pid_t parent)
{
    struct request request;
    struct answer answer;
    sigset_t all;

    (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl (PR_SET_NAME, "rt:opener");
    /* A signal to the terminal's group is the parent's, which then ends this process. */
    (void)sigfillset (&all);
    (void)sigprocmask (SIG_BLOCK, &all, NULL);
    if (fds_close_others (0, &line, 1) < 0 || getppid () != parent)
        _exit (1);
    for (;;) {
        size_t none = 0;
        if (fd_receive (line, &request, sizeof request, NULL, &none) <= 0)
            _exit (0);
        memset (&answer, 0, sizeof answer);
        AUTO_FD int fd = grant (&request, &answer);
        if (fd_send (line, &answer, sizeof answer, &fd, fd >= 0) < 0)
            _exit (1);
    }
}

/* -- rt itself -- */

static int begin (void)
{
    const struct clone_request request = {.cgroup = -1};
    bool in_cgroup;
    int pair[2];
    pid_t parent = getpid ();

    if (child.line >= 0)
        return 0;
    if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    AUTO_FD int line = pair[0];
    AUTO_FD int other = pair[1];
    pid_t pid = clone_child (&request, &child.pidfd, &in_cgroup);
    if (pid < 0)
        return -1;
    if (pid == 0)
        serve (other, parent);
    child.pid = pid;
    child.line = take_fd (&line);
    return 0;
}

static void forget (void)
{
    drop_fd (&child.line);
    drop_fd (&child.pidfd);
    child.pid = 0;
}

void opener_end (void)
{
    if (child.line < 0)
        return;
    (void)pidfd_signal (child.pidfd, SIGKILL);
    /* It waits for a wish, so nothing holds it. */
    (void)pidfd_wait_dead (child.pidfd, patience_ms ());
    (void)waitid (P_PIDFD, (id_t)child.pidfd, NULL, WEXITED | WNOHANG);
    forget ();
}

/* It may sleep for ever: its death is not waited for. */
static void give_up (void)
{
    (void)pidfd_signal (child.pidfd, SIGKILL);
    (void)waitid (P_PIDFD, (id_t)child.pidfd, NULL, WEXITED | WNOHANG);
    forget ();
}

static enum opener_outcome stalled (const char *path, struct error *err)
{
    AUTO_TEXT struct text words = {0};

    error_set (err, "RT-OPEN-STALLED", 0, "cannot open %s: the file system does not answer", path);
    if (straggler_describe (child.pid, &words))
        error_hint (err, "waited %g s for process %s, which asks it", patience_seconds (),
                    text_string (&words));
    else
        error_hint (err, "waited %g s", patience_seconds ());
    give_up ();
    return OPENER_STALLED;
}

/* REFUSED with the errno of what went wrong with the child. */
static enum opener_outcome converse (const struct request *request, struct answer *answer, int *fd,
                                     struct error *err)
{
    size_t count = 1;

    if (begin () < 0)
        return OPENER_REFUSED;
    struct pollfd ready = {.fd = child.line, .events = POLLIN};
    int sent = fd_send (child.line, request, sizeof *request, NULL, 0);
    int polled = sent < 0 ? -1 : interrupt_poll (&ready, 1, patience_ms ());
    if (polled == 0)
        return stalled (request->path, err);
    if (polled < 0) {
        bool interrupted = sent == 0 && errno == EINTR;
        int saved = errno;
        give_up ();
        errno = saved;
        return interrupted ? ((void)interrupt_error (err), OPENER_STALLED) : OPENER_REFUSED;
    }
    ssize_t length = fd_receive (child.line, answer, sizeof *answer, fd, &count);
    if (length == (ssize_t)sizeof *answer) {
        if (count == 0)
            *fd = -1;
        return OPENER_DONE;
    }
    if (length > 0 && count == 1)
        (void)close (*fd);
    int saved = length < 0 ? errno : EPIPE;
    give_up ();
    errno = saved;
    return OPENER_REFUSED;
}

/* What the kernel makes up itself, which answers always. */
static bool is_of_the_kernel (uint64_t mount)
{
    static const uint64_t magics[] = {SYSFS_MAGIC,         CGROUP2_SUPER_MAGIC, CGROUP_SUPER_MAGIC,
                                      DEVPTS_SUPER_MAGIC,  TMPFS_MAGIC,         PROC_SUPER_MAGIC,
                                      MQUEUE_MAGIC,        SECURITYFS_MAGIC,    BPF_FS_MAGIC,
                                      RDTGROUP_SUPER_MAGIC};
    uint64_t magic;

    if (mount == 0 || sys_mount_magic (mount, &magic) < 0)
        return false;
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (magics[i] == magic)
            return true;
    return false;
}

/* What the kernel knows without asking. */
static int look_cached (int fd, struct opener_look *look, bool *here)
{
    struct sys_known known;

    if (sys_known (fd, &known) < 0)
        return -1;
    *look = (struct opener_look){.mode = known.mode,
                                 .device = makedev (known.major, known.minor),
                                 .inode = (ino_t)known.inode};
    *here = known.here || is_of_the_kernel (known.mount);
    return 0;
}

static bool has_seals (int fd)
{
    int seals = fcntl (fd, F_GET_SEALS);

    return seals >= 0 && (seals & SEALS) == SEALS;
}

/* Is the descriptor that came what was said of it? A copy cannot be changed any more. */
static bool is_as_told (const struct request *request, const struct answer *answer, int fd)
{
    struct opener_look look;
    bool here;

    if (answer->kind == ANSWER_NAMED)
        return fd < 0 && memchr (answer->name, '\0', sizeof answer->name) &&
               answer->name[0] == '/' && request->wish == WISH_NAME;
    if (fd < 0 || request->wish == WISH_NAME)
        return false;
    if (answer->kind == ANSWER_COPIED)
        return request->wish == WISH_BYTES && S_ISREG (answer->look.mode) && has_seals (fd);
    if (answer->kind != ANSWER_OPENED ||
        ((request->flags & O_DIRECTORY) && !S_ISDIR (answer->look.mode)))
        return false;
    if (look_cached (fd, &look, &here) < 0)
        return sys_is_missing (errno);
    return (look.mode & S_IFMT) == (answer->look.mode & S_IFMT) &&
           look.device == answer->look.device && look.inode == answer->look.inode;
}

/* As any program does: it may sleep. */
static enum opener_outcome open_here (const struct request *request, struct answer *answer, int *fd)
{
    if (request->wish == WISH_NAME)
        return realpath (request->path, answer->name) ? OPENER_DONE : OPENER_REFUSED;
    AUTO_FD int opened = open (request->path, request->flags | O_CLOEXEC);
    if (opened < 0 || look_asking (opened, &answer->look) < 0)
        return OPENER_REFUSED;
    *fd = take_fd (&opened);
    return OPENER_DONE;
}

static enum opener_outcome open_by_child (const struct request *request, struct answer *answer,
                                          int *fd, struct error *err)
{
    int sent = -1;
    enum opener_outcome outcome = converse (request, answer, &sent, err);
    AUTO_FD int received = sent;

    if (outcome != OPENER_DONE)
        return outcome;
    if (answer->kind == ANSWER_YOURS && received < 0)
        return open_here (request, answer, fd);
    if (answer->kind == ANSWER_FAILED || !is_as_told (request, answer, received)) {
        errno = answer->kind == ANSWER_FAILED && answer->errnum > 0 ? answer->errnum : EPROTO;
        return OPENER_REFUSED;
    }
    *fd = take_fd (&received);
    return OPENER_DONE;
}

enum cached { CACHED_FOUND, CACHED_FAILED, CACHED_UNKNOWN, CACHED_MISSING };

/* Asks no file system. FAILED: errno. */
static enum cached find_cached (const struct request *request, int *fd)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC |
                                    ((unsigned int)request->flags & (O_DIRECTORY | O_NOFOLLOW)),
                           .resolve = RESOLVE_CACHED};

    for (int try = 0; try < CACHED_TRIES; try++) {
        *fd = sys_openat2 (AT_FDCWD, request->path, &how);
        if (*fd >= 0)
            return CACHED_FOUND;
        if (sys_is_missing (errno))
            return CACHED_MISSING;
        if (errno == EINVAL) /* before Linux 5.12 */
            return CACHED_UNKNOWN;
        if (errno != EAGAIN)
            return CACHED_FAILED;
    }
    return CACHED_UNKNOWN;
}

static enum opener_outcome grant_wish (const struct request *request, struct answer *answer,
                                       int *fd, struct error *err)
{
    int opened = -1;
    enum cached cached = find_cached (request, &opened);
    AUTO_FD int found = opened;
    bool here;

    if (cached == CACHED_FAILED)
        return OPENER_REFUSED;
    if (cached == CACHED_MISSING || (cached == CACHED_FOUND && request->wish == WISH_NAME))
        return open_here (request, answer, fd);
    if (cached != CACHED_FOUND || look_cached (found, &answer->look, &here) < 0 || !here)
        return open_by_child (request, answer, fd, err);
    if (request->wish == WISH_DESCRIPTOR) {
        *fd = take_fd (&found);
        return OPENER_DONE;
    }
    *fd = inroot_reopen (found, request->flags);
    return *fd >= 0 ? OPENER_DONE : OPENER_REFUSED;
}

static enum opener_outcome grant_path (enum wish wish, const char *path, int flags, size_t limit,
                                       struct answer *answer, int *fd, struct error *err)
{
    struct request request = {.wish = wish, .flags = flags, .limit = limit};
    size_t length = strlen (path);

    if (length >= sizeof request.path) {
        errno = ENAMETOOLONG;
        return OPENER_REFUSED;
    }
    memcpy (request.path, path, length + 1);
    return grant_wish (&request, answer, fd, err);
}

enum opener_outcome opener_open (const char *path, int flags, int *fd, struct opener_look *look,
                                 struct error *err)
{
    struct answer answer;
    enum opener_outcome outcome =
        grant_path (WISH_DESCRIPTOR, path, flags | O_PATH, 0, &answer, fd, err);

    if (outcome == OPENER_DONE)
        *look = answer.look;
    return outcome;
}

enum opener_outcome opener_read (const char *path, size_t limit, int *fd, struct opener_look *look,
                                 struct error *err)
{
    struct answer answer;
    enum opener_outcome outcome =
        grant_path (WISH_BYTES, path, READ_FLAGS, limit, &answer, fd, err);

    if (outcome == OPENER_DONE)
        *look = answer.look;
    return outcome;
}

enum opener_outcome opener_resolve (const char *path, char resolved[PATH_MAX], struct error *err)
{
    struct answer answer;
    int fd = -1;
    enum opener_outcome outcome = grant_path (WISH_NAME, path, 0, 0, &answer, &fd, err);

    if (outcome == OPENER_DONE)
        memcpy (resolved, answer.name, sizeof answer.name);
    return outcome;
}

int opener_ask (const char *path, int flags, struct error *err)
{
    struct opener_look look;
    int fd = -1;
    enum opener_outcome outcome = opener_open (path, flags, &fd, &look, err);

    if (outcome == OPENER_DONE)
        (void)close (fd);
    return outcome == OPENER_STALLED ? -1 : 0;
}

int opener_ask_place (const char *path, struct error *err)
{
    char place[PATH_MAX];
    const char *slash = path ? strrchr (path, '/') : NULL;
    size_t length = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;

    if (!path || length >= sizeof place)
        return 0;
    (void)snprintf (place, sizeof place, "%.*s", length ? (int)length : 1, length ? path : ".");
    return opener_ask (place, O_DIRECTORY, err);
}
