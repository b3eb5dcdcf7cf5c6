/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: one more process in a container.
 */
#include "base/cleanup.h"
#include "command.h"
#include "create_request.h"
#include "document.h"
#include "oci-spec/names.h"
#include "path.h"
#include "state/record.h"

#include <ctype.h>

/* Where exec itself failed; what it executed has its own (EXE-26). */
#define EXIT_FAILED 255

/* (uid_t)-1 means "none" to the kernel. */
#define ID_LIMIT (UINT32_MAX - 1)

struct exec_options {
    const char *process;
    const char *cwd;
    struct option_list env;
    int tty;
    const char *user;
    struct option_list gids;
    bool detach;
    const char *pid_file;
    const char *console_socket;
    const char *pidfd_socket;
    const char *process_label;
    const char *apparmor;
    bool no_new_privs;
    struct option_list caps;
    uint64_t preserve_fds;
    struct option_list cgroups;
    bool ignore_paused;
    bool no_subreaper;
};

static const struct option rows[] = {
    OPTION_STRING ("process", "p", struct exec_options, process, "FILE",
                   "read the process from FILE, a `process` object as in config.json"),
    OPTION_STRING ("cwd", NULL, struct exec_options, cwd, "DIR", "its working directory"),
    OPTION_LIST ("env", "e", struct exec_options, env, "NAME=VALUE", "add to its environment"),
    OPTION_SWITCH ("tty", "t", struct exec_options, tty, "give it a terminal"),
    OPTION_STRING ("user", "u", struct exec_options, user, "UID[:GID]",
                   "its user and group, as numbers (default GID: 0)"),
    OPTION_LIST ("additional-gids", "g", struct exec_options, gids, "GID",
                 "add a supplementary group"),
    OPTION_FLAG ("detach", "d", struct exec_options, detach,
                 "return when it runs, and leave it to itself"),
    OPTION_STRING ("pid-file", NULL, struct exec_options, pid_file, "PATH",
                   "write its process id to PATH when it runs"),
    OPTION_STRING ("console-socket", NULL, struct exec_options, console_socket, "PATH",
                   "hand its terminal to who listens at the unix socket PATH"),
    OPTION_STRING ("pidfd-socket", NULL, struct exec_options, pidfd_socket, "PATH",
                   "hand its pidfd to who listens at the unix socket PATH"),
    OPTION_STRING ("process-label", NULL, struct exec_options, process_label, "LABEL",
                   "its SELinux label"),
    OPTION_STRING ("apparmor", NULL, struct exec_options, apparmor, "PROFILE",
                   "its AppArmor profile"),
    OPTION_FLAG ("no-new-privs", NULL, struct exec_options, no_new_privs,
                 "it can gain no privileges"),
    OPTION_LIST ("cap", "c", struct exec_options, caps, "CAP", "add a capability"),
    OPTION_NUMBER ("preserve-fds", NULL, struct exec_options, preserve_fds, FDS_MAX, "N",
                   "hand on N descriptors more than the standard streams"),
    OPTION_LIST ("cgroup", NULL, struct exec_options, cgroups, "[CONTROLLER,...:]PATH",
                 "put it into a cgroup below the container's"),
    OPTION_FLAG ("ignore-paused", NULL, struct exec_options, ignore_paused,
                 "in a paused container wait until it is resumed"),
    OPTION_FLAG ("no-subreaper", NULL, struct exec_options, no_subreaper, NULL),
};

static int inherits (const void *options, unsigned int *count, struct error *err)
{
    const struct exec_options *exec = options;
    struct passed_fds fds;
    if (find_passed_fds (exec->preserve_fds, &fds, err) < 0)
        return -1;
    *count = fds.count;
    return 0;
}

/* A number and nothing else: what is half understood would be root (CVE-2026-30892). */
static int parse_id (const char *option, const char *word, uint32_t *id, struct error *err)
{
    uint64_t number;
    if (text_to_uint64 (word, ID_LIMIT, &number) < 0) {
        error_set (err, "RT-USAGE", 0, "rt exec: invalid value of --%s: `%s` is no id", option,
                   word);
        return error_hint (err,
                           "ids are numbers from 0 to %u; names mean nothing outside of the "
                           "container",
                           ID_LIMIT);
    }
    *id = (uint32_t)number;
    return 0;
}

static int parse_user (struct arena *arena, const char *user, struct exec_request *request,
                       struct error *err)
{
    const char *colon = strchr (user, ':');
    const char *uid = colon ? arena_copy (arena, user, (size_t)(colon - user)) : user;
    request->gid = 0;
    request->user_given = true;
    if (parse_id ("user", uid, &request->uid, err) < 0)
        return -1;
    return colon ? parse_id ("user", colon + 1, &request->gid, err) : 0;
}

static int parse_gids (struct arena *arena, const struct option_list *list,
                       struct exec_request *request, struct error *err)
{
    gid_t *gids = arena_array (arena, list->count + 1, sizeof *gids);
    for (size_t i = 0; i < list->count; i++)
        if (parse_id ("additional-gids", list->items[i], &gids[i], err) < 0)
            return -1;
    request->additional_gids = gids;
    request->additional_gid_count = list->count;
    return 0;
}

/* "CAP_NET_RAW", "NET_RAW", "net_raw". */
static int parse_caps (struct arena *arena, const struct option_list *list, uint64_t *set,
                       struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        char *name = arena_string (arena, list->items[i]);
        for (char *c = name; *c != '\0'; c++)
            *c = (char)toupper ((unsigned char)*c);
        if (!text_starts_with (name, "CAP_"))
            name = arena_printf (arena, "CAP_%s", name);
        uint64_t number;
        if (!oci_names_find (&oci_capability_names, name, &number)) {
            error_set (err, "RT-USAGE", 0, "rt exec: unknown capability `%s`", list->items[i]);
            const char *nearest = oci_names_nearest (&oci_capability_names, name);
            return nearest ? error_hint (err, "did you mean %s?", nearest) : -1;
        }
        *set |= UINT64_C (1) << number;
    }
    return 0;
}

/* An entry is never shown: it may be a secret whose name was forgotten. Without a value it does not
 * mean rt's own, either (CVE-2026-57231). */
static int check_env (const struct option_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr (list->items[i], '=');
        if (!equals || equals == list->items[i])
            return error_set (err, "RT-USAGE", 0, "rt exec: --env, number %zu, is not NAME=VALUE",
                              i + 1);
    }
    return 0;
}

/* With the NULL at the end that an argv has. */
static struct oci_strings strings_of (struct arena *arena, const char *const *words, size_t count)
{
    char **items = arena_array (arena, count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = arena_string (arena, words[i]);
    return (struct oci_strings){.count = count, .items = items, .present = count > 0};
}

/* A process.json, kept for the place of what fails later. */
struct process_file {
    const char *path; /* NULL = none was given */
    const char *text;
    size_t length;
};

static int read_process (struct arena *arena, const char *path, struct process_file *file,
                         struct exec_request *request, struct error *err)
{
    AUTO_FINDINGS struct findings findings = {0};
    file->path = path;
    file->text = document_read (arena, path, NULL, &file->length, err);
    if (!file->text)
        return -1;
    request->process = oci_process_parse (arena, document_name (path), file->text, file->length,
                                          findings_gather, &findings, err);
    if (!request->process)
        findings_tell_others (&findings);
    return request->process ? 0 : -1;
}

static int fill_paths (struct arena *arena, const struct exec_options *options,
                       struct exec_request *request, struct error *err)
{
    const struct {
        const char *given, **absolute, *option;
    } paths[] = {
        {options->pid_file, &request->pid_file, "--pid-file"},
        {options->console_socket, &request->console_socket, "--console-socket"},
        {options->pidfd_socket, &request->pidfd_socket, "--pidfd-socket"},
    };
    for (size_t i = 0; i < LENGTH (paths); i++) {
        if (!paths[i].given)
            continue;
        *paths[i].absolute = path_absolute (arena, paths[i].given, paths[i].option, err);
        if (!*paths[i].absolute)
            return -1;
    }
    if (options->cwd && options->cwd[0] != '/')
        return error_set (err, "RT-USAGE", 0, "rt exec: --cwd must be an absolute path, not `%s`",
                          options->cwd);
    return 0;
}

static int fill (const struct invocation *invocation, struct process_file *file,
                 struct exec_request *request, struct error *err)
{
    const struct exec_options *options = invocation->options;
    struct arena *arena = invocation->arena;
    *request = (struct exec_request){
        .globals = invocation->globals,
        .id = invocation->arguments[0],
        .args = strings_of (arena, (const char *const *)invocation->arguments + 1,
                            (size_t)invocation->count - 1),
        .env = strings_of (arena, options->env.items, options->env.count),
        .cwd = options->cwd,
        .no_new_privs = options->no_new_privs,
        .process_label = options->process_label,
        .apparmor = options->apparmor,
        .tty = {.present = options->tty != 0, .value = options->tty == 2},
        .cgroups = strings_of (arena, options->cgroups.items, options->cgroups.count),
        .ignore_paused = options->ignore_paused,
        .detach = options->detach,
    };
    if (record_check_id (request->id, err) < 0)
        return -1;
    if (request->args.count == 0 && !options->process) {
        error_set (err, "RT-USAGE", 0, "rt exec: what is to be executed in %s?", request->id);
        return error_hint (err, "give a command behind the id, or --process");
    }
    if (find_passed_fds (options->preserve_fds, &request->fds, err) < 0 ||
        fill_paths (arena, options, request, err) < 0 || check_env (&options->env, err) < 0 ||
        (options->user && parse_user (arena, options->user, request, err) < 0) ||
        parse_gids (arena, &options->gids, request, err) < 0 ||
        parse_caps (arena, &options->caps, &request->capabilities, err) < 0)
        return -1;
    return options->process ? read_process (arena, options->process, file, request, err) : 0;
}

/* Did the command line ask for what failed, and no document? */
static bool is_own (const struct exec_request *request, const char *pointer)
{
    return (request->args.count > 0 && text_starts_with (pointer, "/process/args")) ||
           (request->cwd && text_starts_with (pointer, "/process/cwd")) ||
           (request->tty.value && text_starts_with (pointer, "/process/terminal")) ||
           (request->user_given && (text_starts_with (pointer, "/process/user/uid") ||
                                    text_starts_with (pointer, "/process/user/gid"))) ||
           (request->process_label && text_starts_with (pointer, "/process/selinuxLabel")) ||
           (request->apparmor && text_starts_with (pointer, "/process/apparmorProfile"));
}

/* The line of process.json that asked for what failed; or of the container's config.json, by the
 * copy that create left. */
static void locate (const struct exec_request *request, const struct process_file *file,
                    struct error *err)
{
    static const char prefix[] = "/process";
    if (err->pointer[0] == '\0' || err->file[0] != '\0')
        return;
    if (is_own (request, err->pointer)) {
        err->pointer[0] = '\0';
        return;
    }
    if (file->path && text_starts_with (err->pointer, "/process/")) {
        struct error there = *err;
        memmove (there.pointer, there.pointer + strlen (prefix),
                 strlen (there.pointer) - strlen (prefix) + 1);
        (void)snprintf (there.file, sizeof there.file, "%s", document_name (file->path));
        oci_locate_error (file->text, file->length, &there);
        if (there.line > 0) {
            *err = there;
            return;
        }
    }
    struct error ignored;
    size_t length;
    AUTO_FD int dir = record_open (request->globals->state_root, request->id, false, &ignored);
    AUTO_FREE char *text = dir < 0 ? NULL : record_read_config (dir, &length, &ignored);
    if (text)
        oci_locate_error (text, length, err);
}

static int exec (struct invocation *invocation, struct error *err)
{
    struct process_file file = {0};
    struct exec_request request;
    if (fill (invocation, &file, &request, err) == 0) {
        if (lifecycle_exec (&request, &invocation->exit_status, err) == 0)
            return 0;
        locate (&request, &file, err);
    }
    err->exit_code = EXIT_FAILED;
    return -1;
}

const struct command command_exec = {
    .name = "exec",
    .arguments = "ID [COMMAND [ARGUMENT...]]",
    .min = 1,
    .max = ANY_NUMBER,
    .containers = 1,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct exec_options),
    .order = OPTIONS_FIRST,
    .summary = "Execute one more process in a container",
    .details = "It gets what the container's own process has: user, capabilities, environment,\n"
               "limits, labels, the seccomp filter; or what the process object in FILE says. The\n"
               "options and COMMAND change that. Without --detach rt waits for its end, and\n"
               "exits with its status, or with 128 + N where signal N ended it, or with 255\n"
               "where it could not be executed.",
    .inherits = inherits,
    .run = exec,
};
