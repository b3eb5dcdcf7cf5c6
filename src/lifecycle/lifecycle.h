/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle: what can be done with a container. commands/ fills a request and calls one of these.
 */
#ifndef RT_LIFECYCLE_LIFECYCLE_H
#define RT_LIFECYCLE_LIFECYCLE_H

#include "base/error.h"
#include "base/text.h"
#include "cgroup/cgroup.h"
#include "oci-spec/config.h"

#include <stdbool.h>

/* The options that stand before the verb. */
struct lifecycle_globals {
    const char *state_root; /* absolute; made on demand */
    enum cgroup_driver cgroup_driver;
    int rootless;              /* -1 = find out, 0, 1 */
    const char *bus;           /* where systemd is found, for its driver */
    bool user_bus;             /* that of the user's own systemd */
    const char *notify_socket; /* where the service manager hears of READY=1; NULL = none asks */
};

/* Descriptors that a process gets beside 0, 1 and 2. */
struct passed_fds {
    unsigned int count;  /* from 3 on; checked to be open when main () began */
    unsigned int listen; /* the first of them are those that systemd passed (sd_listen_fds(3)) */
    const char *names;   /* LISTEN_FDNAMES; NULL = none */
};

struct create_request {
    const struct lifecycle_globals *globals;
    const char *id;
    const char *bundle;         /* absolute, resolved */
    struct oci_config *config;  /* loaded and checked */
    const char *pid_file;       /* absolute; NULL = none */
    const char *console_socket; /* absolute; NULL = none */
    const char *pidfd_socket;   /* absolute; NULL = none */
    struct passed_fds fds;
    bool no_pivot;
    bool no_new_keyring;
    bool detach;       /* of run */
    bool keep;         /* of run: leave the container's record behind */
    bool no_subreaper; /* of run: orphans of the container are for another reaper */
};

/* One more process in a container. What is said twice, by `process` and by what follows it, is as
 * what follows says (exec_process.h). */
struct exec_request {
    const struct lifecycle_globals *globals;
    const char *id;
    const struct oci_process *process; /* of a process.json; NULL: as the container's own */
    struct oci_strings args;           /* the command line; none: that of `process` */
    struct oci_strings env;            /* NAME=VALUE each; added */
    const char *cwd;                   /* absolute; NULL = as it is, also below */
    bool user_given;
    uid_t uid;
    gid_t gid;
    const gid_t *additional_gids; /* added */
    size_t additional_gid_count;
    uint64_t capabilities; /* added: bit CAP_X */
    bool no_new_privs;     /* never takes it away */
    const char *process_label;
    const char *apparmor;
    struct oci_bool tty;
    struct oci_strings cgroups; /* --cgroup, as written */
    bool ignore_paused;
    bool detach;
    const char *pid_file;       /* absolute; NULL = none */
    const char *console_socket; /* absolute; NULL = none */
    const char *pidfd_socket;   /* absolute; NULL = none */
    struct passed_fds fds;
};

/* New limits. What is absent stays as it is (oci-spec/update.h). */
struct update_request {
    const struct lifecycle_globals *globals;
    const char *id;
    const struct oci_resources *resources; /* its device rules are not looked at */
    const char *l3_cache_schema;           /* a line for the schemata of its class of service */
    const char *mem_bw_schema;
};

/* How processes go to files and come from these again: checkpoint and restore alike. What CRIU
 * calls the same is the same (criu(8)). */
struct images_request {
    const char *images; /* absolute */
    const char *work;   /* absolute; NULL: the images' directory */
    const char *parent; /* relative to `images`; NULL = none */
    const char *lsm_profile;
    const char *lsm_mount_context;
    bool tcp_established;
    bool tcp_close;
    bool tcp_skip_in_flight;
    bool external_sockets;
    bool shell_job;
    bool file_locks;
    bool link_remap;
    bool auto_dedup;
    int cgroups;              /* enum criu_cgroups; 0: CRIU_CGROUPS_IGNORE */
    int network_lock;         /* enum criu_network_lock */
    bool lazy_pages;          /* memory follows when it is asked for: criu(8), lazy-pages */
    const char *page_address; /* with page_port: where it goes, or is served; NULL = none */
    int page_port;
    uint64_t empty_ns; /* CLONE_NEW* of those that are not written */
};

struct checkpoint_request {
    const struct lifecycle_globals *globals;
    const char *id;
    struct images_request images;
    bool leave_running;
    bool pre_dump; /* the memory alone; the container runs on */
    int status_fd; /* the caller's, gets a NUL byte when memory is served; -1 = none */
};

/* Up to the gate: the container is `created`. Leaves nothing behind on failure. */
int lifecycle_create (const struct create_request *request, struct error *err);

/* create + start, then (without detach) foreground + delete. *status is the container's exit status
 * (0 with detach). With globals->notify_socket see notify.h. */
int lifecycle_run (const struct create_request *request, int *status, struct error *err);

/* *status is the process's exit status (0 with detach). */
int lifecycle_exec (const struct exec_request *request, int *status, struct error *err);

/* Writes the processes of a running container to files, and deletes the container, or leaves it as
 * it is. Where it fails the container is as it was. */
int lifecycle_checkpoint (const struct checkpoint_request *request, struct error *err);

/* A new container from such files and a bundle: running. Then as lifecycle_run (). */
int lifecycle_restore (const struct create_request *request, const struct images_request *images,
                       int *status, struct error *err);

int lifecycle_start (const struct lifecycle_globals *globals, const char *id, struct error *err);
int lifecycle_kill (const struct lifecycle_globals *globals, const char *id, int signal, bool all,
                    struct error *err);
/* Freezes all processes of a running (or created) container, and waits until they are; resume
 * undoes that. */
int lifecycle_pause (const struct lifecycle_globals *globals, const char *id, struct error *err);
int lifecycle_resume (const struct lifecycle_globals *globals, const char *id, struct error *err);

/* Of a container that is created, running or paused, and stays so. All of it or nothing. Errors
 * point into config.json, also for what is in `resources`: "/linux/resources/memory/limit". */
int lifecycle_update (const struct update_request *request, struct error *err);

/* The processes of a container, those of cgroups below its own too, as this pid namespace numbers
 * them; none where it is stopped. Without a cgroup it is init alone. */
struct lifecycle_processes {
    pid_t *pids; /* in the arena */
    size_t count;
};
int lifecycle_processes (const struct lifecycle_globals *globals, const char *id,
                         struct arena *arena, struct lifecycle_processes *processes,
                         struct error *err);

/* Lines of JSON as runc's events has them (events.h): statistics every `interval` nanoseconds, and
 * OOM kills as they happen, until the container stops, or the reader of the
 * descriptor `output` goes away. interval 0: the statistics once. Each line is given to `reader`,
 * whose failure (RT-OUTPUT) ends it. */
typedef int events_reader (void *context, const struct text *line, struct error *err);
int lifecycle_events (const struct lifecycle_globals *globals, const char *id, int64_t interval,
                      int output, events_reader *reader, void *context, struct error *err);

int lifecycle_delete (const struct lifecycle_globals *globals, const char *id, bool force,
                      struct error *err);

#endif
