/* SPDX-License-Identifier: Apache-2.0 */
/* selfcopy_keep: see selfcopy_keep.h. */
#include "kernel/selfcopy_keep.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/selfcopy_mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define UNFINISHED "new."

enum {
    OTHERS_KEPT = 3,
    YOUNG_SECONDS = 60, /* another rt may be at work on it */
    PLACES = 2,
};

static int send_all (int exe, int copy, off_t *at, off_t size)
{
    while (*at < size) {
        ssize_t sent = sendfile (copy, exe, at, (size_t)(size - *at));
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent == 0)
            errno = EIO;
        if (sent <= 0)
            return -1;
    }
    return 0;
}

/* The limit is for what the caller writes, not for rt's program. The soft one may be set up to the
 * hard one, which is raised with CAP_SYS_RESOURCE only. -1 with EFBIG where it stays too low. */
static int send_beyond_limit (int exe, int copy, off_t *at, off_t size)
{
    struct rlimit before;
    struct rlimit lifted;

    if (getrlimit (RLIMIT_FSIZE, &before) < 0)
        return -1;
    lifted.rlim_max = before.rlim_max < (rlim_t)size ? (rlim_t)size : before.rlim_max;
    lifted.rlim_cur = lifted.rlim_max;
    if (setrlimit (RLIMIT_FSIZE, &lifted) < 0) {
        errno = EFBIG;
        return -1;
    }
    int failed = send_all (exe, copy, at, size);
    int saved = errno;
    /* The container is not to have more than the caller has. */
    if (setrlimit (RLIMIT_FSIZE, &before) < 0)
        return -1;
    errno = saved;
    return failed;
}

/* A write beyond RLIMIT_FSIZE is an error where the signal is ignored, and else the end of rt. What
 * rt was called with is there again when the copy is executed. */
int selfcopy_fill (int exe, int copy)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    struct stat st;
    off_t at = 0;

    if (fstat (exe, &st) < 0 || sigaction (SIGXFSZ, &ignore, &before) < 0)
        return -1;
    int failed = send_all (exe, copy, &at, st.st_size);
    if (failed && errno == EFBIG)
        failed = send_beyond_limit (exe, copy, &at, st.st_size);
    int saved = errno;
    if (sigaction (SIGXFSZ, &before, NULL) < 0)
        return -1;
    errno = saved;
    return failed;
}

static bool same_time (const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

/* Written, and closed: what is open for writing cannot be executed. */
static int write_copy (int exe, int directory, const char *name)
{
    struct stat before;
    struct stat after;
    AUTO_FD int copy =
        openat (directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (copy < 0 || fstat (exe, &before) < 0 || selfcopy_fill (exe, copy) < 0)
        return -1;
    const struct timespec times[2] = {before.st_mtim, before.st_mtim};
    if (fchmod (copy, SELFCOPY_MODE) < 0 || futimens (copy, times) < 0 || fsync (copy) < 0 ||
        fstat (exe, &after) < 0)
        return -1;
    /* It was written to meanwhile. */
    if (!same_time (&before.st_mtim, &after.st_mtim) || before.st_size != after.st_size) {
        errno = EAGAIN;
        return -1;
    }
    return 0;
}

/* A directory of rt's user, which no other user can look into. */
static int make_directory (int above, const char *name)
{
    struct stat st;

    if (fd_mkdir_at (above, name, SELFCOPY_DIRECTORY_MODE) < 0 && errno != EEXIST)
        return -1;
    AUTO_FD int fd = openat (above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat (fd, &st) < 0)
        return -1;
    if (st.st_uid != geteuid () || (st.st_mode & 07777) != SELFCOPY_DIRECTORY_MODE) {
        errno = EPERM;
        return -1;
    }
    return take_fd (&fd);
}

static bool is_young (const struct stat *st)
{
    return st->st_ctim.tv_sec + YOUNG_SECONDS > time (NULL);
}

static DIR *list (int directory)
{
    AUTO_FD int fd = openat (directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *found = fd < 0 ? NULL : fdopendir (fd);

    if (found)
        (void)take_fd (&fd);
    return found;
}

static bool is_entry (const struct dirent *entry)
{
    return !text_equal (entry->d_name, ".") && !text_equal (entry->d_name, "..");
}

/* What another rt has begun there and not ended. */
static void remove_unfinished (int directory)
{
    AUTO_DIR DIR *entries = list (directory);
    struct dirent *entry;
    struct stat st;

    while (entries && (entry = readdir (entries)) != NULL)
        if (text_starts_with (entry->d_name, UNFINISHED) &&
            fstatat (directory, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !is_young (&st))
            (void)unlinkat (directory, entry->d_name, 0);
}

static void remove_one (int base, const char *name)
{
    AUTO_FD int directory = openat (base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_DIR DIR *entries = directory < 0 ? NULL : list (directory);
    struct dirent *entry;

    while (entries && (entry = readdir (entries)) != NULL)
        if (is_entry (entry))
            (void)unlinkat (directory, entry->d_name, 0);
    (void)unlinkat (base, name, AT_REMOVEDIR);
}

/* How many of the others have changed later than this one. */
static int count_newer (int base, const char *key, const struct stat *than)
{
    AUTO_DIR DIR *entries = list (base);
    struct dirent *entry;
    struct stat st;
    int newer = 0;

    while (entries && (entry = readdir (entries)) != NULL)
        if (is_entry (entry) && !text_equal (entry->d_name, key) &&
            fstatat (base, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (st.st_ctim.tv_sec > than->st_ctim.tv_sec ||
             (st.st_ctim.tv_sec == than->st_ctim.tv_sec &&
              st.st_ctim.tv_nsec > than->st_ctim.tv_nsec)))
            newer++;
    return newer;
}

static void remove_stale (int base, const char *key)
{
    AUTO_DIR DIR *entries = list (base);
    struct dirent *entry;
    struct stat st;

    while (entries && (entry = readdir (entries)) != NULL)
        if (is_entry (entry) && !text_equal (entry->d_name, key) &&
            fstatat (base, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !is_young (&st) &&
            count_newer (base, key, &st) >= OTHERS_KEPT)
            remove_one (base, entry->d_name);
}

static int make_copy (int exe, int directory)
{
    struct timespec now;
    char name[64];

    (void)clock_gettime (CLOCK_MONOTONIC, &now);
    (void)snprintf (name, sizeof name, UNFINISHED "%d.%lld.%ld", (int)getpid (),
                    (long long)now.tv_sec, now.tv_nsec);
    if (write_copy (exe, directory, name) == 0 &&
        renameat (directory, name, directory, SELFCOPY_FILE) == 0)
        return 0;
    int saved = errno;
    (void)unlinkat (directory, name, 0);
    errno = saved;
    return -1;
}

static int keep_in (int exe, const struct selfcopy_place *place)
{
    AUTO_FD int base = make_directory (AT_FDCWD, place->base);
    AUTO_FD int directory = base < 0 ? -1 : make_directory (base, place->key);

    if (directory < 0)
        return -1;
    if (make_copy (exe, directory) < 0) {
        int saved = errno;
        (void)unlinkat (base, place->key, AT_REMOVEDIR);
        errno = saved;
        return -1;
    }
    remove_unfinished (directory);
    remove_stale (base, place->key);
    return 0;
}

int selfcopy_keep (int exe, char *const envp[])
{
    struct selfcopy_place place;

    errno = ENOENT;
    for (int i = 0; i < PLACES; i++)
        if (selfcopy_place (exe, envp, i, &place) == 0 && keep_in (exe, &place) == 0)
            return 0;
    return -1;
}
