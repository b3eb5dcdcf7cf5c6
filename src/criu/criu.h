/* SPDX-License-Identifier: Apache-2.0 */
/*
 * criu: the program criu(8), which writes the processes of a container to files and makes them
 * again from these. rt speaks its RPC (images/rpc.proto of CRIU: one message a packet) to
 * `criu swrk FD`, a child that serves this one connection; libcriu does the same, but a static
 * program cannot open it.
 *
 * The program is found on the PATH of the caller, before anything of a container is entered.
 */
#ifndef RT_CRIU_CRIU_H
#define RT_CRIU_CRIU_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The first that lets a namespace be declared external, and freezes by cgroup v2. */
#define CRIU_MINIMUM 31400

enum criu_task { CRIU_DUMP = 1, CRIU_RESTORE = 2, CRIU_PRE_DUMP = 4 };

/* What becomes of cgroups; 0: left to CRIU. One more than in its own enum. With any but IGNORE CRIU
 * makes directories and writes files as cgroup.img says, names and owners included, as root. */
enum criu_cgroups {
    CRIU_CGROUPS_IGNORE = 1,
    CRIU_CGROUPS_NONE,
    CRIU_CGROUPS_PROPS,
    CRIU_CGROUPS_SOFT,
    CRIU_CGROUPS_FULL,
    CRIU_CGROUPS_STRICT
};

enum criu_network_lock { CRIU_LOCK_IPTABLES = 1, CRIU_LOCK_NFTABLES, CRIU_LOCK_SKIP };

/* A word and what it stands for: a controller and a directory, a namespace and its file, the name
 * of something external and a descriptor. */
struct criu_pair {
    const char *key;
    const char *value;
    int fd;
};

#define CRIU_LIST(type)                                                                            \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
    }

/* Zeroed members are not asked for. Strings are not owned. */
struct criu_options {
    int images; /* descriptors of directories */
    int work;
    const char *log_file; /* a name in `work` */
    pid_t pid;            /* whom to dump */
    const char *root;     /* a mount point */
    const char *parent;   /* images of an earlier pre-dump, relative to `images` */
    const char *freezer;  /* the cgroup directory by which the processes are stopped */
    const char *config;   /* a file of options, which overrule these */
    const char *lsm_profile;
    const char *lsm_mount_context;
    bool leave_running;
    bool tcp_established;
    bool tcp_close;
    bool tcp_skip_in_flight;
    bool external_sockets;
    bool shell_job;
    bool file_locks;
    bool link_remap;
    bool auto_dedup;
    bool track_memory;
    bool orphan_terminal; /* its master is handed over (CRIU_ORPHAN) */
    bool sibling;         /* what is restored becomes rt's child */
    bool external_masters;
    bool lazy_pages;          /* memory is served over the network, or asked for from there */
    const char *page_address; /* of a page server, or where to serve; NULL = none */
    int page_port;
    int cgroups;      /* enum criu_cgroups */
    int network_lock; /* enum criu_network_lock */
    uint64_t empty_ns;
    CRIU_LIST (const char *) externals;
    CRIU_LIST (struct criu_pair) inherited;    /* key, fd */
    CRIU_LIST (struct criu_pair) cgroup_roots; /* controller, directory below its mount */
    CRIU_LIST (struct criu_pair) joined;       /* "ipc", file */
};

struct text;

/* The bytes of a request. Pure. */
void criu_request_write (struct text *out, enum criu_task task, const struct criu_options *options);

/* What CRIU tells while it works, each of which rt answers. */
#define CRIU_NAMESPACES "setup-namespaces" /* the init is there, in its namespaces */
#define CRIU_ORPHAN "orphan-pts-master"    /* with the outside of the container's terminal */
#define CRIU_READY "status-ready"          /* with lazy_pages: memory may be asked for */
#define CRIU_PRE_RESUME "pre-resume"       /* all is restored, and about to run on */

struct criu_news {
    const char *script;
    pid_t pid; /* of the init; 0 where it is not known */
    int fd;    /* -1, or the listener's to take */
};
typedef int criu_listener (void *context, struct criu_news *news, struct error *err);

/* What came back. */
struct criu_answer {
    uint32_t task; /* enum criu_task, or what else CRIU knows */
    bool success;
    pid_t pid;
    char script[32];
    uint32_t version; /* 10000 * major + 100 * minor + sublevel */
    int errnum;       /* why not */
    char message[256];
};

/* Pure. -1: these are not the bytes of an answer. */
int criu_answer_read (const void *bytes, size_t length, struct criu_answer *answer);

/* One conversation. */
struct criu {
    pid_t pid;
    int line;
    int work;              /* of the options, not owned */
    const char *work_path; /* the same in words */
    const char *log_file;
};

/* In the child, before it becomes CRIU: 0, or -1 with errno. */
typedef int criu_entry (void *context);

struct criu_start {
    criu_entry *enter; /* NULL: as it is */
    void *context;
    const int *fds; /* that it keeps, beside 0, 1 and 2 */
    size_t fd_count;
};

#define CRIU_INIT                                                                                  \
    {                                                                                              \
        .pid = -1, .line = -1, .work = -1                                                          \
    }
#define AUTO_CRIU __attribute__ ((cleanup (criu_end)))

/* Starts it and asks for its version: RT-CRIU-MISSING, RT-CRIU-VERSION. It dies with rt. */
int criu_begin (struct criu *criu, const struct criu_start *how, struct error *err);

/* One task, with all that is told meanwhile; *restored is the pid that an answer named. Takes as
 * long as it takes, or what --timeout says. RT-CRIU-FAILED has CRIU's last words and the path of
 * its log. */
int criu_do (struct criu *criu, enum criu_task task, const struct criu_options *options,
             criu_listener *listener, void *context, pid_t *restored, struct error *err);

/* Kills it if it still works, and reaps it. */
void criu_end (struct criu *criu);

#endif
