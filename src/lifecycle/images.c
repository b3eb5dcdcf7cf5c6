/* SPDX-License-Identifier: Apache-2.0 */
/* images: see images.h. */
#include "lifecycle/images.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/json_write.h"
#include "base/text.h"
#include "lifecycle/plan.h"
#include "lifecycle/process_entry.h"
#include "oci-spec/annotations.h"
#include "oci-spec/json.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#define STREAMS_FILE "descriptors.json"
#define STREAMS_MAX (64u << 10)

static const char *const config_files[] = {"/etc/criu/rt.conf", "/etc/criu/runc.conf"};

void images_close (struct images *images)
{
    drop_fd (&images->images);
    drop_fd (&images->work);
}

bool images_device_binds (const struct oci_config *config)
{
    struct plan plan;

    plan_namespaces (&config->linux, &plan);
    return plan.userns || process_in_user_namespace ();
}

static int open_directory (const char *path, const char *option, bool make, struct error *err)
{
    if (make && mkdir (path, 0700) < 0 && errno != EEXIST)
        return error_set (err, "RT-IMAGES-MAKE", errno, "cannot make the directory %s of %s", path,
                          option);
    int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set (err, "RT-IMAGES-OPEN", errno, "cannot open the directory %s of %s", path,
                          option);
    return fd;
}

int images_let_search (const struct images *images, struct images_mode *mode, struct error *err)
{
    struct stat st;

    *mode = (struct images_mode){0};
    if (fstat (images->images, &st) < 0)
        return error_set (err, "RT-IMAGES-OPEN", errno, "cannot stat the directory of the images");
    if (st.st_mode & S_IXOTH)
        return 0;
    if (fchmod (images->images, (st.st_mode & 07777) | S_IXOTH) < 0) {
        error_set (err, "RT-IMAGES-OPEN", errno,
                   "the container's root cannot search the directory of the images");
        return error_hint (err, "chmod o+x");
    }
    *mode = (struct images_mode){.changed = true, .before = st.st_mode & 07777};
    return 0;
}

void images_undo_search (const struct images *images, const struct images_mode *mode)
{
    if (mode->changed)
        (void)fchmod (images->images, mode->before);
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

int images_open (const struct images_request *request, bool make, struct images *images,
                 struct error *err)
{
    const char *work = request->work ? request->work : request->images;
    AUTO_FD int images_fd = open_directory (request->images, "--image-path", make, err);
    AUTO_FD int work_fd =
        images_fd < 0 ? -1 : open_directory (work, "--work-path", request->work != NULL, err);

    if (work_fd < 0 || check_parent (request, images_fd, err) < 0)
        return -1;
    *images = (struct images){
        .images = take_fd (&images_fd), .work = take_fd (&work_fd), .work_path = work};
    return 0;
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
        .cgroups = request->cgroups,
        .network_lock = request->network_lock,
        .empty_ns = hooks_furnish_network (config) ? CLONE_NEWNET : request->empty_ns,
    };
}

int images_config (const struct oci_config *config, const char **path, struct error *err)
{
    const char *asked = oci_annotation (config, OCI_ANNOTATION_CRIU_CONFIG);

    *path = NULL;
    if (asked && asked[0] == '\0')
        return 0;
    if (asked && access (asked, R_OK) < 0) {
        error_set (err, "RT-CRIU-CONFIG", errno, "cannot read %s", asked);
        return error_at (err, "/annotations/" OCI_ANNOTATION_CRIU_CONFIG);
    }
    *path = asked;
    for (size_t i = 0; !*path && i < sizeof (config_files) / sizeof (config_files[0]); i++)
        if (access (config_files[i], R_OK) == 0)
            *path = config_files[i];
    return 0;
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
    AUTO_FD int fd = openat (images->images, STREAMS_FILE,
                             O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
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
    AUTO_FD int fd = openat (images->images, STREAMS_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return error_set (err, "RT-IMAGES-READ", errno, "cannot open " STREAMS_FILE);
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
