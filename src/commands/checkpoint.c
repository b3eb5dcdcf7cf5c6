/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint: a running container becomes files.
 */
#include "images_request.h"

struct checkpoint_options {
    struct images_options images;
    const char *parent_path;
    bool leave_running;
    bool pre_dump;
    bool tcp_skip_in_flight;
    bool link_remap;
};

static const struct option rows[] = {
    IMAGES_OPTION_ROWS (struct checkpoint_options),
    OPTION_STRING ("parent-path", NULL, struct checkpoint_options, parent_path, "DIR",
                   "the images of a --pre-dump, from --image-path on: only what has changed "
                   "since then is written"),
    OPTION_FLAG ("leave-running", "R", struct checkpoint_options, leave_running,
                 "let the container run on afterwards"),
    OPTION_FLAG ("pre-dump", "P", struct checkpoint_options, pre_dump,
                 "write the memory alone, while the container runs on"),
    OPTION_FLAG ("tcp-skip-in-flight", NULL, struct checkpoint_options, tcp_skip_in_flight,
                 "without TCP connections that are just being made"),
    OPTION_FLAG ("link-remap", NULL, struct checkpoint_options, link_remap,
                 "with open files that were deleted"),
};

static int checkpoint (struct invocation *invocation, struct error *err)
{
    const struct checkpoint_options *options = invocation->options;
    struct checkpoint_request request = {.globals = invocation->globals,
                                         .id = invocation->arguments[0],
                                         .leave_running = options->leave_running,
                                         .pre_dump = options->pre_dump};

    if (images_request_fill (invocation, "checkpoint", &options->images, &request.images, err) < 0)
        return -1;
    request.images.parent = options->parent_path;
    request.images.tcp_skip_in_flight = options->tcp_skip_in_flight;
    request.images.link_remap = options->link_remap;
    return lifecycle_checkpoint (&request, err);
}

const struct command command_checkpoint = {
    .name = "checkpoint",
    .arguments = "ID",
    .min = 1,
    .max = 1,
    .containers = 1,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct checkpoint_options),
    .summary = "Write a running container to files and delete it",
    .details = "The program criu(8) does it: it has to be on the PATH, and rt has to be root.\n"
               "`rt restore` makes a container of them again, from the same bundle or a copy.",
    .run = checkpoint,
};
