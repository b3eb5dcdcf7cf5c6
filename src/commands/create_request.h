/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create_request: the options that create and run share, and how a request comes from them: paths
 * made absolute, config.json read and checked.
 */
#ifndef RT_COMMANDS_CREATE_REQUEST_H
#define RT_COMMANDS_CREATE_REQUEST_H

#include "command.h"

#define FDS_MAX (1u << 20) /* descriptors to hand on: as many as a kernel allows by default */

struct create_options {
    const char *bundle;
    const char *config;
    const char *console_socket;
    const char *pid_file;
    const char *pidfd_socket;
    bool no_pivot;
    bool no_new_keyring;
    uint64_t preserve_fds;
};

/* For tables of structs that begin with a struct create_options: where it comes from, and who hears
 * of it. */
#define CREATE_PLACE_ROWS                                                                          \
    OPTION_STRING ("bundle", "b", struct create_options, bundle, "DIR",                            \
                   "the bundle: the directory of config.json (default: the current directory)"),   \
        OPTION_STRING ("config", "f", struct create_options, config, "FILE",                       \
                       "read FILE, in the bundle if it is relative, instead of config.json"),      \
        OPTION_STRING ("console-socket", NULL, struct create_options, console_socket, "PATH",      \
                       "hand the container's terminal to who listens at the unix socket PATH"),    \
        OPTION_STRING ("pid-file", NULL, struct create_options, pid_file, "PATH",                  \
                       "write the process id of the container's init to PATH"),                    \
        OPTION_STRING ("pidfd-socket", NULL, struct create_options, pidfd_socket, "PATH",          \
                       "send a pidfd of the container's init to who listens at PATH"),             \
        OPTION_FLAG ("no-pivot", NULL, struct create_options, no_pivot,                            \
                     "change the root without pivot_root, for hosts that run from a ramdisk")

/* And what its process is born with. */
#define CREATE_OPTION_ROWS                                                                         \
    CREATE_PLACE_ROWS,                                                                             \
        OPTION_NUMBER ("preserve-fds", NULL, struct create_options, preserve_fds, FDS_MAX, "N",    \
                       "hand on N descriptors more than the standard streams"),                    \
        OPTION_FLAG ("no-new-keyring", NULL, struct create_options, no_new_keyring,                \
                     "keep the caller's session keyring")

/* Those that systemd passed to this very process (sd_listen_fds(3)), and behind them those of
 * --preserve-fds. */
int find_passed_fds (uint64_t preserve_fds, struct passed_fds *fds, struct error *err);

/* struct command.inherits of both. */
int create_inherits (const void *options, unsigned int *count, struct error *err);

/* Everything of the request but its id and what only run knows. */
int create_request_fill (const struct invocation *invocation, const struct create_options *options,
                         struct create_request *request, struct error *err);

/* After a failure: the line in config.json that asked for what failed. Returns -1. */
int create_request_locate (const struct create_request *request, struct error *err);

#endif
