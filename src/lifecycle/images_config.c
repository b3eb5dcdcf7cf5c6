/* SPDX-License-Identifier: Apache-2.0 */
/* images_config: the file of options for CRIU; see images.h. */
#include "lifecycle/images.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "oci-spec/annotations.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const host_files[] = {"/etc/criu/rt.conf", "/etc/criu/runc.conf"};

/* Where an image's own files are: what is on the way may be none of them. */
struct forbidden {
    struct stat bundle;
    struct stat rootfs;
};

static bool is_same (const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Why what was opened may not decide; NULL: it may. */
static const char *find_fault (const struct stat *st, bool last, const struct forbidden *forbidden)
{
    if (last && !S_ISREG (st->st_mode))
        return "it is no regular file";
    if (st->st_uid != 0)
        return last ? "it is not root's" : "a directory on the way is not root's";
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return last ? "others can write to it" : "others can write to a directory on the way";
    if (is_same (st, &forbidden->bundle))
        return "it lies in the bundle";
    if (is_same (st, &forbidden->rootfs))
        return "it lies in the root file system";
    return NULL;
}

/* Component by component. The file, or -1 with errno, or with 0 and *fault. */
static int open_judged (const char *path, const struct forbidden *forbidden, const char **fault)
{
    AUTO_FD int at = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char name[NAME_MAX + 1];
    struct stat st;

    *fault = NULL;
    while (at >= 0) {
        bool last = path[strspn (path, "/")] == '\0';
        if (fstat (at, &st) < 0)
            return -1;
        errno = 0;
        if ((*fault = find_fault (&st, last, forbidden)) != NULL)
            return -1;
        if (last)
            return take_fd (&at);
        path += strspn (path, "/");
        size_t length = strcspn (path, "/");
        errno = ENAMETOOLONG;
        if (length > NAME_MAX)
            return -1;
        memcpy (name, path, length);
        name[length] = '\0';
        path += length;
        errno = 0;
        *fault = text_equal (name, "..") ? "it has .. in it" : NULL;
        if (*fault)
            return -1;
        bool file = path[strspn (path, "/")] == '\0';
        int next = openat (at, name,
                           (file ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY) |
                               O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 && (errno == ELOOP || errno == ENOTDIR) &&
            fstatat (at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK (st.st_mode)) {
            errno = 0;
            *fault = "there is a link on the way";
        }
        drop_fd (&at);
        at = next;
    }
    return -1;
}

static int config_error (const char *path, int errnum, const char *fault, bool asked,
                         struct error *err)
{
    if (fault)
        error_set (err, "RT-CRIU-CONFIG", 0, "CRIU may not read its options from %s: %s", path,
                   fault);
    else
        error_set (err, "RT-CRIU-CONFIG", errnum, "cannot open %s", path);
    if (fault)
        error_hint (err, "these options can run programs as root: the file and each directory on "
                         "its path must be root's alone");
    return asked ? error_at (err, "/annotations/" OCI_ANNOTATION_CRIU_CONFIG) : -1;
}

int images_config (const struct oci_config *config, const char *bundle, const char *rootfs,
                   struct images *images, struct arena *arena, const char **path, struct error *err)
{
    const char *asked = oci_annotation (config, OCI_ANNOTATION_CRIU_CONFIG);
    struct forbidden forbidden;
    const char *fault;

    *path = NULL;
    if (asked && asked[0] == '\0')
        return 0;
    if (stat (bundle, &forbidden.bundle) < 0)
        return error_set (err, "RT-CRIU-CONFIG", errno, "cannot stat the bundle %s", bundle);
    if (stat (rootfs, &forbidden.rootfs) < 0)
        return error_set (err, "RT-CRIU-CONFIG", errno, "cannot stat the root file system %s",
                          rootfs);
    if (asked && asked[0] != '/')
        return config_error (asked, 0, "it is no absolute path", true, err);
    int fd = asked ? open_judged (asked, &forbidden, &fault) : -1;
    if (asked && fd < 0)
        return config_error (asked, errno, fault, true, err);
    for (size_t i = 0; fd < 0 && i < sizeof (host_files) / sizeof (host_files[0]); i++) {
        fd = open_judged (host_files[i], &forbidden, &fault);
        if (fd < 0 && (fault || errno != ENOENT))
            return config_error (host_files[i], errno, fault, false, err);
    }
    if (fd < 0)
        return 0;
    images->config = fd;
    *path = arena_printf (arena, "/proc/%d/fd/%d", getpid (), fd);
    return 0;
}
