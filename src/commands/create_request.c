/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create_request: see create_request.h.
 */
#include "create_request.h"

#include "document.h"
#include "globals.h"
#include "lifecycle/rootless.h"
#include "path.h"

#include <unistd.h>

/* What systemd passed to this very process (sd_listen_fds(3)). */
static int find_listen_fds (struct passed_fds *fds, struct error *err)
{
    const char *pid = getenv ("LISTEN_PID");
    const char *count = getenv ("LISTEN_FDS");
    uint64_t number;
    *fds = (struct passed_fds){0};
    if (!count || !pid || text_to_uint64 (pid, INT_MAX, &number) < 0 ||
        number != (uint64_t)getpid ())
        return 0; /* meant for another process */
    if (text_to_uint64 (count, FDS_MAX, &number) < 0)
        return error_set (err, "RT-FDS-LISTEN", 0, "LISTEN_FDS is no number of descriptors: `%s`",
                          count);
    fds->listen = (unsigned int)number;
    fds->names = getenv ("LISTEN_FDNAMES");
    return 0;
}

int find_passed_fds (uint64_t preserve_fds, struct passed_fds *fds, struct error *err)
{
    if (find_listen_fds (fds, err) < 0)
        return -1;
    fds->count = fds->listen + (unsigned int)preserve_fds; /* both at most FDS_MAX */
    return 0;
}

int create_inherits (const void *options, unsigned int *count, struct error *err)
{
    const struct create_options *create = options;
    struct passed_fds fds;
    if (find_passed_fds (create->preserve_fds, &fds, err) < 0)
        return -1;
    *count = fds.count;
    return 0;
}

static struct oci_config *load_config (struct arena *arena, const char *bundle, const char *file,
                                       struct error *err)
{
    static const char hint[] = "a bundle has a config.json; give the bundle's directory with "
                               "--bundle, or make one with rt spec";
    const char *path = file[0] == '/' ? file : arena_printf (arena, "%s/%s", bundle, file);
    size_t length;
    const char *text = document_read (arena, path, hint, &length, err);
    if (!text)
        return NULL;
    AUTO_FINDINGS struct findings findings = {0};
    struct oci_config *config = oci_config_parse (arena, document_name (path), text, length,
                                                  findings_gather, &findings, err);
    if (!config)
        findings_tell_others (&findings);
    return config;
}

int create_request_fill (const struct invocation *invocation, const struct create_options *options,
                         struct create_request *request, struct error *err)
{
    struct arena *arena = invocation->arena;
    struct create_request filled = {.globals = invocation->globals,
                                    .no_pivot = options->no_pivot,
                                    .no_new_keyring = options->no_new_keyring};
    if (find_passed_fds (options->preserve_fds, &filled.fds, err) < 0)
        return -1;
    const struct {
        const char *given;
        const char **absolute;
        const char *option;
    } paths[] = {
        {options->pid_file, &filled.pid_file, "--pid-file"},
        {options->console_socket, &filled.console_socket, "--console-socket"},
        {options->pidfd_socket, &filled.pidfd_socket, "--pidfd-socket"},
    };
    for (size_t i = 0; i < LENGTH (paths); i++)
        if (paths[i].given &&
            !(*paths[i].absolute = path_absolute (arena, paths[i].given, paths[i].option, err)))
            return -1;
    filled.bundle = path_resolve (arena, options->bundle ? options->bundle : ".", "bundle", err);
    if (!filled.bundle)
        return -1;
    filled.config =
        load_config (arena, filled.bundle, options->config ? options->config : "config.json", err);
    if (!filled.config)
        return -1;
    if (rootless_complete (arena, filled.config, getenv ("PATH"), err) < 0) {
        request->config = filled.config;
        return create_request_locate (request, err);
    }
    if (invocation->root_is_default &&
        globals_make_default_root (invocation->globals->state_root, err) < 0)
        return -1;
    *request = filled;
    return 0;
}

int create_request_locate (const struct create_request *request, struct error *err)
{
    const struct oci_config *config = request->config;
    if (err->pointer[0] != '\0' && err->file[0] == '\0') {
        (void)snprintf (err->file, sizeof err->file, "%s", config->file);
        oci_locate_error (config->text, config->text_length, err);
    }
    return -1;
}
