/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inroot: see inroot.h.
 *
 * Two ways to resolve. The kernel's: openat2 with RESOLVE_IN_ROOT. Ours, for hosts where openat2 is
 * missing or denied: a walk that opens one component at a time with O_PATH | O_NOFOLLOW, reads
 * links itself and keeps the descriptors of the directories above it, so that ".." is a step back
 * on our own stack and never a question to the file system.
 */
#include "kernel/inroot.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "kernel/procfd.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define RESOLVE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define LINKS_MAX 40 /* the kernel's own limit, MAXSYMLINKS */
#define DEPTH_MAX 255
#define RACE_TRIES 32

static bool openat2_is_missing;

/* The walk of the fallback: what is still to be resolved, and the directories passed so far. */
struct walk {
    int root;
    int stack[DEPTH_MAX]; /* owned */
    unsigned int depth;   /* 0 = at the root */
    unsigned int links;
    char rest[PATH_MAX];
};

static void walk_release (struct walk *walk)
{
    while (walk->depth)
        (void)close (walk->stack[--walk->depth]);
}

static int walk_here (const struct walk *walk)
{
    return walk->depth ? walk->stack[walk->depth - 1] : walk->root;
}

/* Cuts the first component off walk->rest. false: nothing is left. *last: nothing follows it. */
static bool walk_next (struct walk *walk, char *component, bool *last, bool *slash)
{
    const char *start = walk->rest + strspn (walk->rest, "/");
    size_t length = strcspn (start, "/");

    if (length == 0 || length > NAME_MAX)
        return false;
    memcpy (component, start, length);
    component[length] = '\0';
    const char *rest = start + length;
    *slash = *rest == '/';
    rest += strspn (rest, "/");
    *last = *rest == '\0';
    memmove (walk->rest, rest, strlen (rest) + 1);
    return true;
}

/* Puts the target of a link in front of what is left. */
static int walk_into_link (struct walk *walk, int link)
{
    char target[PATH_MAX];

    if (++walk->links > LINKS_MAX) {
        errno = ELOOP;
        return -1;
    }
    ssize_t length = readlinkat (link, "", target, sizeof (target) - 1);
    if (length < 0)
        return -1;
    target[length] = '\0';

    /* What openat2 refuses as a magic link: the text of /proc/PID/cwd, root, exe and fd/N is only
     * what the place is called, and here it would be looked up as that. */
    struct statfs fs;
    if (target[0] == '/' && fstatfs (link, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) {
        errno = ELOOP;
        return -1;
    }

    size_t rest = strlen (walk->rest);
    if ((size_t)length + 1 + rest >= sizeof (walk->rest)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memmove (walk->rest + length + 1, walk->rest, rest + 1);
    memcpy (walk->rest, target, (size_t)length);
    walk->rest[length] = '/';
    if (rest == 0)
        walk->rest[length] = '\0';
    if (target[0] == '/')
        walk_release (walk);
    return 0;
}

/* One step. Returns 1 when `fd` is the last thing, 0 to go on, -1 errno. */
static int walk_step (struct walk *walk, const char *component, bool last, int flags, int *result)
{
    struct stat st;

    if (strcmp (component, ".") == 0)
        return 0;
    if (strcmp (component, "..") == 0) {
        if (walk->depth)
            (void)close (walk->stack[--walk->depth]);
        return 0;
    }

    AUTO_FD int fd = openat (walk_here (walk), component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat (fd, &st) < 0)
        return -1;
    if (S_ISLNK (st.st_mode) && !(last && (flags & O_NOFOLLOW)))
        return walk_into_link (walk, fd);
    if (last && !S_ISDIR (st.st_mode)) {
        *result = take_fd (&fd);
        return 1;
    }
    if (!S_ISDIR (st.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    if (walk->depth == DEPTH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    walk->stack[walk->depth++] = take_fd (&fd);
    return 0;
}

/* From an O_PATH descriptor to the flags that were asked for, through our own procfs: nothing of
 * the container is looked up again. */
int inroot_reopen (int fd, int flags)
{
    char path[32];

    if (flags & O_PATH)
        return fcntl (fd, F_DUPFD_CLOEXEC, 3);
    (void)snprintf (path, sizeof (path), "self/fd/%d", fd);
    return openat (procfd_root (), path, (flags & ~O_NOFOLLOW) | O_CLOEXEC);
}

static int open_by_walk (int root, const char *path, int flags, bool plain)
{
    struct walk walk = {.root = root, .links = plain ? LINKS_MAX : 0};
    char component[NAME_MAX + 1];
    bool last;
    bool slash = false;
    AUTO_FD int found = -1;
    int step = 0;

    size_t length = strlen (path);
    if (length >= sizeof (walk.rest)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy (walk.rest, path, length + 1);
    while (step == 0 && walk_next (&walk, component, &last, &slash))
        step = walk_step (&walk, component, last && !slash, flags, &found);
    if (step == 0 && walk.rest[strspn (walk.rest, "/")] != '\0') {
        errno = ENAMETOOLONG;
        step = -1;
    }
    if (step == 0) {
        int here = walk_here (&walk);
        found = fcntl (here, F_DUPFD_CLOEXEC, 3);
        step = found < 0 ? -1 : 0;
    }

    int saved = errno;
    walk_release (&walk);
    errno = saved;
    if (step < 0)
        return -1;

    struct stat st;
    if ((flags & O_DIRECTORY) && fstat (found, &st) == 0 && !S_ISDIR (st.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    return inroot_reopen (found, flags);
}

static int open_in_root (int root, const char *path, int flags, bool plain)
{
    struct open_how how = {.flags = (unsigned int)flags | O_CLOEXEC,
                           .resolve = RESOLVE | (plain ? RESOLVE_NO_SYMLINKS : 0)};

    if (flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY) {
        errno = EINVAL;
        return -1;
    }
    if (path[0] == '\0')
        path = ".";
    for (int try = 0; !openat2_is_missing && try < RACE_TRIES; try++) {
        int fd = sys_openat2 (root, path, &how);
        if (fd >= 0)
            return fd;
        if (sys_is_missing (errno))
            openat2_is_missing = true;
        /* EAGAIN: something was renamed during the walk, and the kernel cannot vouch for "..". */
        else if (errno != EAGAIN && errno != EINTR)
            return -1;
    }
    return open_by_walk (root, path, flags, plain);
}

int inroot_open (int root, const char *path, int flags)
{
    return open_in_root (root, path, flags, false);
}

int inroot_open_plain (int root, const char *path, int flags)
{
    return open_in_root (root, path, flags, true);
}

/* Splits the path at its last component. What stands before it is the caller's to free; NULL and
 * ENAMETOOLONG. */
static char *split (const char *path, char *name)
{
    size_t length = strlen (path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    size_t start = length;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (length - start > NAME_MAX || start >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    memcpy (name, path + start, length - start);
    name[length - start] = '\0';
    char *parent = strndup (path, start);
    if (!parent)
        memory_exhausted ();
    return parent;
}

static bool is_plain_name (const char *name)
{
    return name[0] != '\0' && strcmp (name, ".") != 0 && strcmp (name, "..") != 0;
}

static int make_missing (int root, const char *path,
                         int (*leaf) (int dir, const char *name, mode_t), mode_t mode,
                         unsigned int links);

/* Something is there. Only a link that leads nowhere still leaves something to make. Rare, and its
 * frame is three paths long: each page of it that the stack reaches would be a page fault. */
static __attribute__ ((noinline)) int
make_past_link (int root, const char *parent, int dir, const char *name,
                int (*leaf) (int dir, const char *name, mode_t), mode_t mode, unsigned int links)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat (dir, name, target, sizeof (target) - 1);

    if (length < 0)
        return errno == EINVAL || errno == ENOENT ? 0 : -1;
    target[length] = '\0';
    if (target[0] == '/')
        return make_missing (root, target, leaf, mode, links + 1);

    char joined[PATH_MAX * 2];
    (void)snprintf (joined, sizeof (joined), "%s%s", parent, target);
    return make_missing (root, joined, leaf, mode, links + 1);
}

/*
 * Makes what `path` lacks, from the first missing component on. It walks the path itself, since
 * with a dangling link the thing to be made is where the link points to, and each part of that may
 * be missing too. `leaf` makes the last component below a directory that is certain: 0 or -1
 * (EEXIST is fine).
 */
static int make_missing (int root, const char *path,
                         int (*leaf) (int dir, const char *name, mode_t), mode_t mode,
                         unsigned int links)
{
    char name[NAME_MAX + 1];

    if (links > LINKS_MAX) {
        errno = ELOOP;
        return -1;
    }
    AUTO_FREE char *parent = split (path, name);
    if (!parent)
        return -1;
    /* "made/..": what is before it may be missing. The last component itself is never made so. */
    if (!is_plain_name (name)) {
        AUTO_FD int before = parent[0] ? inroot_make_dir (root, parent, 0755, NULL) : -1;
        return parent[0] && before < 0 ? -1 : 0;
    }

    AUTO_FD int dir = inroot_open (root, parent, O_PATH | O_DIRECTORY);
    if (dir < 0 && errno == ENOENT) {
        AUTO_FD int made = inroot_make_dir (root, parent, 0755, NULL);
        if (made < 0)
            return -1;
        dir = take_fd (&made);
    }
    if (dir < 0)
        return -1;
    if (leaf (dir, name, mode) == 0)
        return 0;
    if (errno != EEXIST)
        return -1;
    return make_past_link (root, parent, dir, name, leaf, mode, links);
}

static int leaf_dir (int dir, const char *name, mode_t mode)
{
    if (mkdirat (dir, name, mode) < 0)
        return -1;
    AUTO_FD int fd = openat (dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    /* The umask may have taken bits away. A set-group-id bit that the parent gave stays. */
    struct stat st;
    if (fd >= 0 && fstat (fd, &st) == 0 && (st.st_mode & 01777) != (mode & 01777))
        (void)fchmod (fd, mode | (st.st_mode & S_ISGID));
    return 0;
}

static int leaf_file (int dir, const char *name, mode_t mode)
{
    AUTO_FD int fd = openat (dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return -1;
    (void)fchmod (fd, mode);
    return 0;
}

int inroot_make_dir (int root, const char *path, mode_t mode, bool *made)
{
    int fd = inroot_open (root, path, O_PATH | O_DIRECTORY);

    if (made)
        *made = fd < 0;
    for (int try = 0; fd < 0 && errno == ENOENT && try < RACE_TRIES; try++) {
        if (make_missing (root, path, leaf_dir, mode, 0) < 0)
            return -1;
        fd = inroot_open (root, path, O_PATH | O_DIRECTORY);
    }
    return fd;
}

int inroot_make_file (int root, const char *path, mode_t mode)
{
    int fd = inroot_open (root, path, O_PATH);

    for (int try = 0; fd < 0 && errno == ENOENT && try < RACE_TRIES; try++) {
        if (make_missing (root, path, leaf_file, mode, 0) < 0)
            return -1;
        fd = inroot_open (root, path, O_PATH);
    }
    struct stat st;
    if (fd >= 0 && fstat (fd, &st) == 0 && S_ISDIR (st.st_mode)) {
        (void)close (fd);
        errno = EISDIR;
        return -1;
    }
    return fd;
}

int inroot_make_parent (int root, const char *path, char *name)
{
    AUTO_FREE char *parent = split (path, name);

    if (!parent)
        return -1;
    if (!is_plain_name (name)) {
        errno = EINVAL;
        return -1;
    }
    return inroot_make_dir (root, parent, 0755, NULL);
}
