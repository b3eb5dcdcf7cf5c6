/* SPDX-License-Identifier: Apache-2.0 */
/* images: see images.h. */
#include "lifecycle/images.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/json_write.h"
#include "base/text.h"
#include "kernel/opener.h"
#include "lifecycle/plan.h"
#include "lifecycle/process_entry.h"
#include "oci-spec/annotations.h"
#include "oci-spec/json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STREAMS_FILE "descriptors.json"
#define STREAMS_MAX (64u << 10)

/* Images of --pre-dump before images of --pre-dump. */
#define PARENTS_MAX 256

void images_close (struct images *images)
{
    drop_fd (&images->images);
    drop_fd (&images->work);
    drop_fd (&images->config);
}

bool images_device_binds (const struct oci_config *config)
{
    struct plan plan;

    plan_namespaces (&config->linux, &plan);
    return plan.userns || process_in_user_namespace () == 1;
}

static bool ends_with (const char *name, const char *end)
{
    size_t length = strlen (name);

    return length > strlen (end) && text_equal (name + length - strlen (end), end);
}

/* Written by CRIU, beside *.img. */
static bool is_written (const char *name)
{
    static const char *const names[] = {"stats-dump", "stats-restore", "irmap-cache",
                                        "dump.log",   "restore.log",   "descriptors.json"};

    for (size_t i = 0; i < sizeof (names) / sizeof (names[0]); i++)
        if (text_equal (name, names[i]))
            return true;
    return ends_with (name, ".img");
}

static DIR *list (int directory, struct error *err)
{
    int fd = openat (directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir (fd);

    if (!listing) {
        cleanup_fd (&fd);
        error_set (err, "RT-IMAGES-OPEN", errno, "cannot list the directory of the images");
    }
    return listing;
}

static bool is_private (const struct stat *st)
{
    return S_ISREG (st->st_mode) && st->st_uid == geteuid () && (st->st_mode & 077) == 0 &&
           st->st_nlink == 1;
}

/* `logs`: a log alone, which is all that CRIU writes into a --work-path. */
static int remove_old (int directory, bool logs, struct error *err)
{
    AUTO_DIR DIR *listing = list (directory, err);
    const struct dirent *entry;
    struct stat st;

    if (!listing)
        return -1;
    while ((entry = readdir (listing)) != NULL) {
        const char *name = entry->d_name;
        if (!is_written (name) || (logs && !ends_with (name, ".log")) ||
            (fstatat (directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_private (&st)))
            continue;
        if (unlinkat (directory, name, 0) < 0 && errno != ENOENT)
            return error_set (err, "RT-IMAGES-WRITE", errno, "cannot remove the old %s", name);
    }
    return 0;
}

/* Can another user than the caller write to it? A group of the caller's own is the caller. */
static bool is_shared (const struct stat *st)
{
    return st->st_uid != geteuid () || (st->st_mode & S_IWOTH) ||
           ((st->st_mode & S_IWGRP) && st->st_gid != getegid ());
}

static int check_owner (int fd, const char *path, const char *option, struct error *err)
{
    struct stat st;

    if (fstat (fd, &st) < 0)
        return error_set (err, "RT-IMAGES-OPEN", errno, "cannot stat %s", path);
    if (!is_shared (&st))
        return 0;
    error_set (err, "RT-IMAGES-OWNER", 0, "others can write to the directory %s of %s", path,
               option);
    return error_hint (err, "images are judged before CRIU reads them: copy them to a directory of "
                            "root's with mode 0700");
}

static int open_directory (const char *path, const char *option, bool make, bool *made,
                           struct error *err)
{
    *made = make && mkdir (path, 0700) == 0;
    if (make && !*made && errno != EEXIST)
        return error_set (err, "RT-IMAGES-MAKE", errno, "cannot make the directory %s of %s", path,
                          option);
    AUTO_FD int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set (err, "RT-IMAGES-OPEN", errno, "cannot open the directory %s of %s", path,
                          option);
    /* mkdir obeys the umask. */
    if (*made && fchmod (fd, 0700) < 0)
        return error_set (err, "RT-IMAGES-MAKE", errno, "cannot set the mode of %s", path);
    return check_owner (fd, path, option, err) < 0 ? -1 : take_fd (&fd);
}

static int check_files (int directory, struct error *err)
{
    AUTO_DIR DIR *listing = list (directory, err);
    const struct dirent *entry;
    struct stat st;

    if (!listing)
        return -1;
    while ((entry = readdir (listing)) != NULL) {
        if (!ends_with (entry->d_name, ".img"))
            continue;
        if (fstatat (directory, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return error_set (err, "RT-IMAGES-FILE", errno, "cannot stat the image %s",
                              entry->d_name);
        if (!S_ISREG (st.st_mode))
            return error_set (err, "RT-IMAGES-FILE", 0, "the image %s is no regular file",
                              entry->d_name);
    }
    return 0;
}

int images_check_files (const struct images *images, struct error *err)
{
    AUTO_FD int at = fcntl (images->images, F_DUPFD_CLOEXEC, 0);
    struct stat st;

    for (unsigned int depth = 0; at >= 0; depth++) {
        if (check_files (at, err) < 0)
            return -1;
        int parent = openat (at, "parent", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0 && errno == ENOENT && fstatat (at, "parent", &st, AT_SYMLINK_NOFOLLOW) < 0)
            return 0;
        drop_fd (&at);
        at = parent;
        if (depth == PARENTS_MAX)
            return error_set (err, "RT-IMAGES-FILE", ELOOP, "images have parents without an end");
        if (at >= 0 && fstat (at, &st) == 0 && is_shared (&st))
            return error_set (err, "RT-IMAGES-OWNER", 0,
                              "others can write to the directory of earlier images, parent");
    }
    return error_set (err, "RT-IMAGES-OPEN", errno, "cannot open the earlier images, parent");
}

int images_open_file (const struct images *images, const char *name, bool *absent,
                      struct error *err)
{
    struct stat st;
    AUTO_FD int fd =
        openat (images->images, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (absent)
        *absent = fd < 0 && errno == ENOENT;
    if (absent && *absent)
        return -1;
    if (fd < 0 || fstat (fd, &st) < 0)
        return error_set (err, "RT-IMAGES-FILE", errno, "cannot open %s of the images", name);
    if (!S_ISREG (st.st_mode))
        return error_set (err, "RT-IMAGES-FILE", 0, "%s of the images is no regular file", name);
    if (!is_shared (&st))
        return take_fd (&fd);
    error_set (err, "RT-IMAGES-OWNER", 0, "others can write to %s of the images", name);
    return error_hint (err, "images are judged before CRIU reads them: chown root, chmod go-w");
}

/* CRIU would only find out when the container is stopped already. */
static int check_parent (const struct images_request *request, int images, struct error *err)
{
    struct stat st;

    if (!request->parent)
        return 0;
    if (request->parent[0] == '/') {
        error_set (err, "RT-IMAGES-PARENT", 0, "--parent-path %s is not relative", request->parent);
        return error_hint (err, "it is looked for from --image-path on: ../NAME");
    }
    if (fstatat (images, request->parent, &st, 0) < 0)
        return error_set (err, "RT-IMAGES-PARENT", errno, "--parent-path %s, from %s on",
                          request->parent, request->images);
    return S_ISDIR (st.st_mode)
               ? 0
               : error_set (err, "RT-IMAGES-PARENT", ENOTDIR, "--parent-path %s, from %s on",
                            request->parent, request->images);
}

int images_ask (const struct images_request *request, struct error *err)
{
    return opener_ask (request->images, O_DIRECTORY, err) < 0 ||
                   (request->work && opener_ask (request->work, O_DIRECTORY, err) < 0)
               ? -1
               : 0;
}

int images_open (const struct images_request *request, bool make, struct images *images,
                 struct error *err)
{
    const char *work = request->work ? request->work : request->images;
    struct images opened = IMAGES_INIT;

    opened.work_path = work;
    opened.images = open_directory (request->images, "--image-path", make, &opened.made, err);
    opened.work = opened.images < 0 ? -1
                                    : open_directory (work, "--work-path", request->work != NULL,
                                                      &opened.made_work, err);
    if (opened.work < 0 || check_parent (request, opened.images, err) < 0 ||
        (make && remove_old (opened.images, false, err) < 0) ||
        remove_old (opened.work, true, err) < 0) {
        images_undo_make (request, &opened);
        images_close (&opened);
        return -1;
    }
    *images = opened;
    return 0;
}

/* Nothing but what CRIU or rt has written. */
static void empty (int directory)
{
    struct error ignored;
    AUTO_DIR DIR *listing = list (directory, &ignored);
    const struct dirent *entry;

    while (listing && (entry = readdir (listing)) != NULL)
        if (text_equal (entry->d_name, "parent") ||
            (is_written (entry->d_name) && !ends_with (entry->d_name, ".log")))
            (void)unlinkat (directory, entry->d_name, 0);
}

void images_undo_make (const struct images_request *request, const struct images *images)
{
    if (images->made && images->images >= 0)
        empty (images->images);
    /* With a log, or files of a user's own in it, it stays. */
    if (images->made_work)
        (void)rmdir (request->work);
    if (images->made)
        (void)rmdir (request->images);
}

static bool hooks_furnish_network (const struct oci_config *config)
{
    const struct oci_namespace *network = oci_config_namespace (config, CLONE_NEWNET);

    return network && !network->path &&
           (config->hooks[OCI_HOOK_PRESTART].count > 0 ||
            config->hooks[OCI_HOOK_CREATE_RUNTIME].count > 0);
}

void images_options (const struct images_request *request, const struct oci_config *config,
                     const struct images *images, const char *log_file,
                     struct criu_options *options)
{
    *options = (struct criu_options){
        .images = images->images,
        .work = images->work,
        .log_file = log_file,
        .parent = request->parent,
        .lsm_profile = request->lsm_profile,
        .lsm_mount_context = request->lsm_mount_context,
        .tcp_established = request->tcp_established,
        .tcp_close = request->tcp_close,
        .tcp_skip_in_flight = request->tcp_skip_in_flight,
        .external_sockets = request->external_sockets,
        .shell_job = request->shell_job,
        .file_locks = request->file_locks,
        .link_remap = request->link_remap,
        .auto_dedup = request->auto_dedup,
        .orphan_terminal = true,
        .external_masters = true,
        .cgroups = request->cgroups ? request->cgroups : CRIU_CGROUPS_IGNORE,
        .network_lock = request->network_lock,
        .lazy_pages = request->lazy_pages,
        .page_address = request->page_address,
        .page_port = request->page_port,
        .empty_ns = hooks_furnish_network (config) ? CLONE_NEWNET : request->empty_ns,
    };
}

int images_write_streams (const struct images *images, const char *const streams[3],
                          struct error *err)
{
    AUTO_TEXT struct text text = {0};
    struct json_writer writer = {.out = &text};

    json_open (&writer, NULL, '[');
    for (int i = 0; i < 3; i++)
        json_string (&writer, NULL, streams[i]);
    json_close (&writer, ']');
    (void)unlinkat (images->images, STREAMS_FILE, 0);
    AUTO_FD int fd = openat (images->images, STREAMS_FILE,
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fd_write_all (fd, text.bytes, text.length) < 0)
        return error_set (err, "RT-IMAGES-WRITE", errno, "cannot write " STREAMS_FILE);
    return 0;
}

int images_read_streams (const struct images *images, struct arena *arena, const char *streams[3],
                         struct error *err)
{
    size_t length;
    int count = 0;

    streams[0] = streams[1] = streams[2] = "";
    bool absent;
    AUTO_FD int fd = images_open_file (images, STREAMS_FILE, &absent, err);
    if (fd < 0)
        return absent ? 0 : -1;
    AUTO_FREE char *text = fd_read_all (fd, STREAMS_MAX, &length, STREAMS_FILE, err);
    if (!text)
        return -1;
    const struct json *list = json_parse (arena, STREAMS_FILE, text, length, err);
    if (!list)
        return -1;
    if (list->type != JSON_ARRAY)
        return error_set (err, "RT-IMAGES-READ", 0, STREAMS_FILE " is not a list");
    json_each (item, list) {
        if (item->type != JSON_STRING)
            return error_set (err, "RT-IMAGES-READ", 0,
                              STREAMS_FILE " has something other than strings");
        if (count < 3)
            streams[count++] = arena_string (arena, item->text);
    }
    return 0;
}
