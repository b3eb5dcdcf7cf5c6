/* SPDX-License-Identifier: Apache-2.0 */
/*
 * globals: see globals.h.
 *
 * Where the state is kept without --root:
 *   /run/rt                    for root
 *   $XDG_RUNTIME_DIR/rt        for everybody else, and for a root of a user namespace who does not
 *                              call himself root in USER (a rootless engine, as runc sees it)
 *   /run/user/UID/rt           for them where XDG_RUNTIME_DIR is not set
 */
#include "globals.h"

#include "base/duration.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/text.h"
#include "cgroup/systemd.h"
#include "command.h"
#include "lifecycle/given.h"
#include "lifecycle/process_entry.h"
#include "path.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Both options fill one member: words at the same place mean the same driver, the last one wins. */
#define CGROUP_MANAGERS "cgroupfs|systemd|disabled"
#define SYSTEMD_CGROUP "false|true"

#define ROOTLESS_WORDS "false|true|auto"

static const struct option rows[] = {
    OPTION_STRING ("root", NULL, struct global_options, root, "DIR",
                   "keep the state of containers below DIR (default: /run/rt, or "
                   "$XDG_RUNTIME_DIR/rt where rootless)"),
    OPTION_STRING (
        "log", NULL, struct global_options, log, "FILE",
        "write messages to FILE, journald:IDENT or syslog:IDENT (default: standard error)"),
    OPTION_WORD ("log-format", NULL, struct global_options, log_format, "text|json", NULL,
                 "how messages are written (default: text)"),
    OPTION_WORD ("log-level", NULL, struct global_options, log_level, "error|warning|debug", NULL,
                 "which messages are written (default: warning)"),
    OPTION_FLAG ("debug", NULL, struct global_options, debug, "the same as --log-level debug"),
    OPTION_STRING ("trace", NULL, struct global_options, trace, "FILE",
                   "write what takes how long to FILE, for Perfetto or chrome://tracing"),
    OPTION_WORD ("cgroup-manager", NULL, struct global_options, cgroup_manager, CGROUP_MANAGERS,
                 NULL, "who makes the cgroups (default: cgroupfs)"),
    OPTION_WORD ("systemd-cgroup", NULL, struct global_options, cgroup_manager, SYSTEMD_CGROUP,
                 "true", "the same as --cgroup-manager systemd"),
    OPTION_WORD ("rootless", NULL, struct global_options, rootless, ROOTLESS_WORDS, "true",
                 "forgive cgroups that may not be changed (default: auto)"),
    OPTION_STRING (
        "timeout", NULL, struct global_options, timeout, "DURATION",
        "give up what does not happen in this time after the command began, like 10s: a lock, "
        "systemd, the death of a process, a hook without a timeout of its own (default: 30s for "
        "each, "
        "hooks have none)"),
    OPTION_STRING ("criu", NULL, struct global_options, criu, "PATH", NULL),
    OPTION_FLAG ("version", "vV", struct global_options, version, "print the version and exit"),
};

const struct options_table global_table = {
    .owner = "rt", .items = rows, .count = LENGTH (rows), .order = OPTIONS_FIRST};

int globals_set_patience (const struct global_options *options, struct error *err)
{
    int64_t span;

    if (!options->timeout)
        return 0;
    if (duration_parse (options->timeout, &span) < 0) {
        error_set (err, "RT-USAGE", 0, "--timeout: invalid duration `%s`", options->timeout);
        return error_hint (err, "a number with a unit: 10s, 500ms, 1m30s");
    }
    span /= 1000000;
    if (span < 1 || span > INT_MAX)
        return error_set (err, "RT-USAGE", 0, "--timeout: from 1ms to %dh", INT_MAX / 3600000);
    patience_set ((int)span);
    return 0;
}

int globals_open_log (const struct global_options *options, struct error *err)
{
    enum log_format format =
        options->log_format == 0 ? LOG_FORMAT_TEXT : (enum log_format) (options->log_format - 1);
    enum log_level level =
        options->log_level == 0 ? LOG_LEVEL_WARNING : (enum log_level) (options->log_level - 1);
    if (options->debug)
        level = LOG_LEVEL_DEBUG;
    const char *const places[] = {log_file (options->log), options->trace};
    if (given_ask_places (places, LENGTH (places), err) < 0)
        return -1;
    if (log_open (options->log, format, level, err) < 0)
        return -1;
    if (options->criu)
        log_warning ("--criu is ignored: criu is found by PATH");
    return 0;
}

/* 1 yes, 0 no, -1: it could not be looked at, which must not lead to another root. */
static int root_of_machine (struct error *err)
{
    if (geteuid () != 0)
        return 0;
    const char *user = getenv ("USER");
    if (!getenv ("XDG_RUNTIME_DIR") || (user && text_equal (user, "root")))
        return 1;
    int inside = process_in_user_namespace ();
    if (inside < 0)
        return error_set (err, "RT-STATE-ROOT", errno,
                          "choose the state root: look at rt's own user namespace");
    return !inside;
}

static const char *default_root (struct arena *arena, struct error *err)
{
    int machine = root_of_machine (err);
    if (machine < 0)
        return NULL;
    if (machine)
        return "/run/rt";
    const char *runtime_dir = getenv ("XDG_RUNTIME_DIR");
    if (runtime_dir && runtime_dir[0] == '/')
        return arena_printf (arena, "%s/rt", runtime_dir);
    return arena_printf (arena, "/run/user/%u/rt", (unsigned int)geteuid ());
}

int globals_resolve (const struct global_options *options, struct arena *arena,
                     struct lifecycle_globals *globals, struct error *err)
{
    const char *root = options->root ? path_absolute (arena, options->root, "--root", err)
                                     : default_root (arena, err);
    if (!root)
        return -1;
    char *cleaned = arena_alloc (arena, strlen (root) + 2);
    text_clean_path (root, cleaned);
    if (text_equal (cleaned, "/"))
        return error_set (err, "RT-USAGE", 0, "--root cannot be the root directory");

    static const int rootless[] = {-1, 0, 1, -1}; /* by the word: not given, false, true, auto */
    int machine = root_of_machine (err);
    if (machine < 0)
        return -1;
    globals->user_bus = !machine;
    globals->bus = systemd_bus_address (
        arena, getenv (globals->user_bus ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS"),
        getenv ("XDG_RUNTIME_DIR"), globals->user_bus);
    const char *notify = getenv ("NOTIFY_SOCKET");
    globals->notify_socket = notify && *notify ? notify : NULL;
    globals->state_root = root;
    globals->rootless = rootless[options->rootless];
    globals->cgroup_driver = options->cgroup_manager == 0
                                 ? CGROUP_DRIVER_FS
                                 : (enum cgroup_driver) (options->cgroup_manager - 1);
    return 0;
}

int globals_make_default_root (const char *state_root, struct error *err)
{
    int machine = root_of_machine (err);
    if (machine != 0)
        return machine < 0 ? -1 : 0;
    if ((mkdir (state_root, 0700) < 0 && errno != EEXIST) || chmod (state_root, 01700) < 0) {
        error_set (err, "RT-STATE-ROOT", errno, "make the state root `%s`", state_root);
        return error_hint (err,
                           "XDG_RUNTIME_DIR must name a directory that you may write to; or give "
                           "another one with --root");
    }
    return 0;
}
