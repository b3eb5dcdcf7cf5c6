/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create_request: see create_request.h.
 */
#include "create_request.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "globals.h"
#include "lifecycle/process_entry.h"
#include "oci-spec/json.h"
#include "path.h"

#include <fcntl.h>
#include <unistd.h>

int create_inherits (const void *options, unsigned int *count, struct error *err)
{
    const struct create_options *create = options;
    unsigned int listen_fds;
    if (process_listen_fds (&listen_fds, err) < 0)
        return -1;
    uint64_t sum = create->preserve_fds + listen_fds;
    if (sum > INT_MAX / 2)
        return error_set (err, "RT-USAGE", 0,
                          "--preserve-fds %llu: there are no so many descriptors",
                          (unsigned long long)create->preserve_fds);
    *count = (unsigned int)sum;
    return 0;
}

/* All that is wrong with the document is told; the first finding is the verb's error and is told
 * last, by main (). */
struct findings {
    size_t count;
    struct text others; /* one line each */
};

static void gather (void *context, const struct error *finding)
{
    struct findings *findings = context;
    if (findings->count++ == 0)
        return;
    char line[2048];
    error_format (finding, line, sizeof line);
    text_add (&findings->others, line, strlen (line) + 1);
}

static void tell_others (const struct findings *findings)
{
    const char *line = text_string (&findings->others);
    for (size_t i = 1; i < findings->count; i++) {
        log_text (LOG_LEVEL_ERROR, line);
        line += strlen (line) + 1;
    }
}

static struct oci_config *load_config (struct arena *arena, const char *bundle, const char *file,
                                       struct error *err)
{
    const char *path = file[0] == '/' ? file : arena_printf (arena, "%s/%s", bundle, file);
    AUTO_FD int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        bool missing = errno == ENOENT;
        error_set (err, "RT-CONFIG-OPEN", errno, "open `%s`", path);
        if (missing)
            error_hint (err,
                        "a bundle has a config.json; give the bundle's directory with --bundle, "
                        "or make one with rt spec");
        return NULL;
    }
    size_t length;
    AUTO_FREE char *bytes = fd_read_all (fd, JSON_SIZE_MAX, &length, path, err);
    if (!bytes)
        return NULL;
    const char *text = arena_copy (arena, bytes, length);

    const char *slash = strrchr (path, '/');
    struct findings findings = {0};
    struct oci_config *config =
        oci_config_parse (arena, slash + 1, text, length, gather, &findings, err);
    if (!config)
        tell_others (&findings);
    text_release (&findings.others);
    return config;
}

/* Who gets the terminal must be clear before anything is made. */
static int check_console (const struct create_request *request, bool detached, struct error *err)
{
    bool terminal = request->config->process && request->config->process->terminal;
    if (terminal && detached && !request->console_socket) {
        error_set (
            err, "RT-CONSOLE-SOCKET", 0,
            "the container wants a terminal and nobody stays in front of it: cannot allocate "
            "tty without --console-socket");
        error_hint (err, "give --console-socket, or run it in the foreground");
        return error_at (err, "/process/terminal");
    }
    if (request->console_socket && !terminal) {
        error_set (err, "RT-CONSOLE-SOCKET", 0,
                   "--console-socket was given, but the container has no terminal");
        return error_at (err, "/process/terminal");
    }
    if (request->console_socket && !detached)
        return error_set (err, "RT-CONSOLE-SOCKET", 0,
                          "--console-socket is of use only with --detach or with create");
    return 0;
}

int create_request_fill (const struct invocation *invocation, const struct create_options *options,
                         bool detached, struct create_request *request, struct error *err)
{
    struct arena *arena = invocation->arena;
    struct create_request filled = {.globals = invocation->globals,
                                    .no_pivot = options->no_pivot,
                                    .no_new_keyring = options->no_new_keyring};
    if (create_inherits (options, &filled.preserve_fds, err) < 0)
        return -1;
    if (options->pid_file &&
        !(filled.pid_file = path_absolute (arena, options->pid_file, "--pid-file", err)))
        return -1;
    if (options->console_socket && !(filled.console_socket = path_absolute (
                                         arena, options->console_socket, "--console-socket", err)))
        return -1;
    filled.bundle = path_resolve (arena, options->bundle ? options->bundle : ".", "bundle", err);
    if (!filled.bundle)
        return -1;
    filled.config =
        load_config (arena, filled.bundle, options->config ? options->config : "config.json", err);
    if (!filled.config || check_console (&filled, detached, err) < 0)
        return -1;
    if (invocation->root_is_default &&
        globals_make_default_root (invocation->globals->state_root, err) < 0)
        return -1;
    *request = filled;
    return 0;
}
