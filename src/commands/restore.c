/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore: a container from the files that checkpoint has written.
 */
#include "create_request.h"
#include "images_request.h"
#include "state/record.h"

struct restore_options {
    struct create_options create; /* first, for CREATE_PLACE_ROWS */
    struct images_options images;
    const char *lsm_profile;
    const char *lsm_mount_context;
    bool detach;
    bool keep;
    bool no_subreaper;
    bool tcp_close;
};

static const struct option rows[] = {
    CREATE_PLACE_ROWS,
    IMAGES_OPTION_ROWS (struct restore_options),
    OPTION_FLAG ("tcp-close", NULL, struct restore_options, tcp_close,
                 "open TCP connections are closed ones"),
    OPTION_STRING ("lsm-profile", NULL, struct restore_options, lsm_profile, "TYPE:NAME",
                   "the label of its processes: apparmor:PROFILE or selinux:LABEL"),
    OPTION_STRING ("lsm-mount-context", NULL, struct restore_options, lsm_mount_context, "LABEL",
                   "the SELinux label of its mounts"),
    OPTION_FLAG ("detach", "d", struct restore_options, detach,
                 "return when the container runs, and leave it to itself"),
    OPTION_FLAG ("keep", NULL, struct restore_options, keep,
                 "leave the container for `rt state` and `rt delete` after its end"),
    OPTION_FLAG ("no-subreaper", NULL, struct restore_options, no_subreaper,
                 "leave what outlives the container's processes to another reaper"),
};

/* Without this CRIU would take the name of an unknown type for none at all. */
static int check_lsm_profile (const char *profile, struct error *err)
{
    if (!profile || text_starts_with (profile, "apparmor:") ||
        text_starts_with (profile, "selinux:"))
        return 0;
    error_set (err, "RT-USAGE", 0, "--lsm-profile %s: unknown type", profile);
    return error_hint (err, "apparmor:PROFILE or selinux:LABEL");
}

static int restore (struct invocation *invocation, struct error *err)
{
    const struct restore_options *options = invocation->options;
    struct images_request images;
    struct create_request request;

    if (record_check_id (invocation->arguments[0], err) < 0 ||
        check_lsm_profile (options->lsm_profile, err) < 0 ||
        images_request_fill (invocation, "restore", &options->images, &images, err) < 0 ||
        create_request_fill (invocation, &options->create, &request, err) < 0)
        return -1;
    images.tcp_close = options->tcp_close;
    images.lsm_profile = options->lsm_profile;
    images.lsm_mount_context = options->lsm_mount_context;
    request.id = invocation->arguments[0];
    request.detach = options->detach;
    request.keep = options->keep;
    request.no_subreaper = options->no_subreaper;
    return lifecycle_restore (&request, &images, &invocation->exit_status, err) == 0
               ? 0
               : create_request_locate (&request, err);
}

const struct command command_restore = {
    .name = "restore",
    .arguments = "ID",
    .min = 1,
    .max = 1,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct restore_options),
    .summary = "Make a container of what `rt checkpoint` has written",
    .details = "Everything but its processes comes from the bundle: mounts, limits, hooks. What\n"
               "the images say about their rights must be what its config.json allows; they\n"
               "must be files that only the caller can write.\n"
               "Without --detach rt waits for the container's end, as `rt run` does.",
    .run = restore,
};
