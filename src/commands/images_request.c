/* SPDX-License-Identifier: Apache-2.0 */
/* images_request: see images_request.h. */
#include "images_request.h"

#include "path.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

int images_request_fill (const struct invocation *invocation, const char *verb,
                         const struct images_options *options, struct images_request *request,
                         struct error *err)
{
    struct arena *arena = invocation->arena;
    if (geteuid () != 0) {
        error_set (err, "RT-CRIU-ROOT", EPERM, "cannot %s", verb);
        return error_hint (err, "CRIU has to be root");
    }
    struct images_request filled = {
        .tcp_established = options->tcp_established,
        .external_sockets = options->ext_unix_sk,
        .shell_job = options->shell_job,
        .file_locks = options->file_locks,
        .auto_dedup = options->auto_dedup,
        .lazy_pages = options->lazy_pages,
        .cgroups = options->manage_cgroups_mode,
        .network_lock = options->network_lock,
        .empty_ns = options->empty_ns ? CLONE_NEWNET : 0,
    };
    filled.images = path_absolute (arena, options->image_path ? options->image_path : "checkpoint",
                                   "--image-path", err);
    if (!filled.images)
        return -1;
    if (options->work_path &&
        !(filled.work = path_absolute (arena, options->work_path, "--work-path", err)))
        return -1;
    *request = filled;
    return 0;
}
