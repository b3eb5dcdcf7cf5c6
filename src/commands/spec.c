/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec: write a config.json to begin with.
 */
#include "base/cleanup.h"
#include "base/fdio.h"
#include "command.h"
#include "default_config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct spec_options {
    const char *bundle;
    const char *config;
    bool rootless;
};

static const struct option rows[] = {
    OPTION_STRING ("bundle", "b", struct spec_options, bundle, "DIR",
                   "write to DIR (default: the current directory)"),
    OPTION_STRING ("config", "f", struct spec_options, config, "FILE",
                   "write FILE, in that directory if it is relative, instead of config.json"),
    OPTION_FLAG ("rootless", NULL, struct spec_options, rootless,
                 "for a caller without privileges"),
};

static int write_new (const char *path, const struct text *text, struct error *err)
{
    AUTO_FD int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        return error_set (err, "RT-SPEC-EXISTS", 0, "`%s` already exists", path);
    if (fd < 0 || fd_write_all (fd, text->bytes, text->length) < 0)
        return error_set (err, "RT-SPEC-WRITE", errno, "write `%s`", path);
    return 0;
}

static int spec (struct invocation *invocation, struct error *err)
{
    const struct spec_options *options = invocation->options;
    struct rootless_owner owner = {geteuid (), getegid ()};
    AUTO_TEXT struct text text = {0};
    default_config_write (&text, options->rootless ? &owner : NULL);
    const char *path = options->config ? options->config : "config.json";
    if (options->bundle && path[0] != '/')
        path = arena_printf (invocation->arena, "%s/%s", options->bundle, path);
    return write_new (path, &text, err);
}

const struct command command_spec = {
    .name = "spec",
    .arguments = "",
    .min = 0,
    .max = 0,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct spec_options),
    .summary = "Write a config.json to begin with",
    .run = spec,
};
