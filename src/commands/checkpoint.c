/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint: a running container becomes files.
 */
#include "images_request.h"

#include <string.h>

struct checkpoint_options {
    struct images_options images;
    const char *parent_path;
    bool leave_running;
    bool pre_dump;
    bool tcp_skip_in_flight;
    bool link_remap;
    const char *page_server;
    const char *status_fd;
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
    OPTION_STRING ("page-server", NULL, struct checkpoint_options, page_server, "ADDRESS:PORT",
                   "send the memory to the `criu page-server` there; with --lazy-pages serve it "
                   "there"),
    OPTION_STRING ("status-fd", NULL, struct checkpoint_options, status_fd, "FD",
                   "a descriptor of the caller's that gets a NUL byte when --lazy-pages serves"),
};

/* "host:27", "[::1]:27" */
static int read_page_server (struct arena *arena, const char *word, struct images_request *request,
                             struct error *err)
{
    const char *colon = word ? strrchr (word, ':') : NULL;
    size_t length = colon ? (size_t)(colon - word) : 0;
    uint64_t port;

    if (!word)
        return 0;
    if (length == 0 || (length == 2 && word[0] == '[') ||
        text_to_uint64 (colon + 1, UINT16_MAX, &port) < 0 || port == 0)
        return error_set (err, "RT-USAGE", 0, "--page-server %s is not ADDRESS:PORT", word);
    bool bracketed = length > 2 && word[0] == '[' && word[length - 1] == ']';
    if (!bracketed && memchr (word, ':', length)) {
        error_set (err, "RT-USAGE", 0, "--page-server %s is not ADDRESS:PORT", word);
        return error_hint (err, "an address of IPv6 stands in brackets: [::1]:27");
    }
    request->page_address = arena_copy (arena, word + bracketed, length - 2 * (size_t)bracketed);
    request->page_port = (int)port;
    return 0;
}

static int read_status_fd (const char *word, int *fd, struct error *err)
{
    uint64_t number;

    *fd = -1;
    if (!word)
        return 0;
    if (text_to_uint64 (word, INT32_MAX, &number) < 0)
        return error_set (err, "RT-USAGE", 0, "--status-fd %s is no descriptor", word);
    *fd = (int)number;
    return 0;
}

static int checkpoint (struct invocation *invocation, struct error *err)
{
    const struct checkpoint_options *options = invocation->options;
    struct checkpoint_request request = {.globals = invocation->globals,
                                         .id = invocation->arguments[0],
                                         .leave_running = options->leave_running,
                                         .pre_dump = options->pre_dump};

    if (images_request_fill (invocation, "checkpoint", &options->images, &request.images, err) <
            0 ||
        read_page_server (invocation->arena, options->page_server, &request.images, err) < 0 ||
        read_status_fd (options->status_fd, &request.status_fd, err) < 0)
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
