/* SPDX-License-Identifier: Apache-2.0 */
/*
 * images_request: the options that checkpoint and restore share.
 */
#ifndef RT_COMMANDS_IMAGES_REQUEST_H
#define RT_COMMANDS_IMAGES_REQUEST_H

#include "command.h"

struct images_options {
    const char *image_path;
    const char *work_path;
    int manage_cgroups_mode;
    int network_lock;
    int empty_ns;
    bool tcp_established;
    bool ext_unix_sk;
    bool shell_job;
    bool file_locks;
    bool auto_dedup;
    bool lazy_pages;
};

/* The words of --manage-cgroups-mode are in the order of enum criu_cgroups, those of --network-lock
 * in that of enum criu_network_lock. For tables of structs that have a member `images`. */
#define IMAGES_OPTION_ROWS(container)                                                              \
    OPTION_STRING ("image-path", NULL, container, images.image_path, "DIR",                        \
                   "where the images are (default: checkpoint)"),                                  \
        OPTION_STRING ("work-path", NULL, container, images.work_path, "DIR",                      \
                       "where CRIU writes its log (default: beside the images)"),                  \
        OPTION_FLAG ("tcp-established", NULL, container, images.tcp_established,                   \
                     "with open TCP connections"),                                                 \
        OPTION_FLAG ("ext-unix-sk", NULL, container, images.ext_unix_sk,                           \
                     "with unix sockets that lead out of the container"),                          \
        OPTION_FLAG ("shell-job", NULL, container, images.shell_job,                               \
                     "with the terminal of the caller's shell"),                                   \
        OPTION_FLAG ("file-locks", NULL, container, images.file_locks, "with locked files"),       \
        OPTION_WORD (                                                                              \
            "manage-cgroups-mode", NULL, container, images.manage_cgroups_mode,                    \
            "ignore|none|props|soft|full|strict", NULL,                                            \
            "what CRIU does about cgroups (default: ignore, rt makes them); any other word "       \
            "lets it write what the images say, with root's rights: believe them first"),          \
        OPTION_WORD ("network-lock", NULL, container, images.network_lock,                         \
                     "iptables|nftables|skip", NULL,                                               \
                     "how the network is silenced meanwhile (default: iptables)"),                 \
        OPTION_WORD ("empty-ns", NULL, container, images.empty_ns, "network", NULL,                \
                     "leave the namespace's contents to others"),                                  \
        OPTION_FLAG ("auto-dedup", NULL, container, images.auto_dedup,                             \
                     "drop from the parent's images what newer ones have"),                        \
        OPTION_FLAG ("lazy-pages", NULL, container, images.lazy_pages,                             \
                     "memory follows when it is touched, by `criu lazy-pages`")

/* What these say; the rest stays zeroed. RT-CRIU-ROOT: CRIU traces processes of any user, and makes
 * them again with their ids. */
int images_request_fill (const struct invocation *invocation, const char *verb,
                         const struct images_options *options, struct images_request *request,
                         struct error *err);

#endif
