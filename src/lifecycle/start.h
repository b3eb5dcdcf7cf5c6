/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start: everything that one start of a container knows. P fills it before the clone; C gets a copy
 * by the clone, so nothing of it has to be sent. Only start.c and decide.c (P) and inside.c (C) use
 * it; and restore.c, for which CRIU does what C does.
 */
#ifndef RT_LIFECYCLE_START_H
#define RT_LIFECYCLE_START_H

#include "base/arena.h"
#include "cgroup/systemd.h"
#include "container/hooks.h"
#include "container/mounts.h"
#include "container/namespaces.h"
#include "container/netdev.h"
#include "container/rdt.h"
#include "container/rootfs.h"
#include "container/seccomp.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/plan.h"
#include "lifecycle/verify.h"
#include "oci-spec/state.h"
#include "state/record.h"

struct notify;

struct start {
    const struct create_request *request;
    const struct oci_config *config;
    struct arena *arena;
    bool gated; /* create: C waits for `start`; run: it does not */

    struct plan plan;
    struct record record; /* with the cgroup's paths */
    struct rootfs rootfs;
    struct mounts mounts;
    struct namespaces namespaces;
    struct hooks_output hooks_output;

    int directory;             /* STATE_ROOT/ID, locked by P */
    int gate;                  /* listening; -1 for run */
    int line;                  /* this side of the channel */
    int console_socket;        /* connected; -1 = none */
    int pidfd_socket;          /* the same, of the caller */
    int pidfd_receiver;        /* the same, of the document */
    struct cgroup_doors doors; /* C goes through them first of all */

    /* P only */
    struct netdevs net_devices;
    struct systemd_unit unit; /* without a name: another driver */
    struct rdt rdt;           /* without config: nothing is asked for */
    int ptmx;
    int pidfd;
    int cloner;   /* of the child that cloned the process proper; -1 = none, or reaped */
    int listener; /* of the filter, until the agent has it */
    struct verify verify;
    int notify;   /* run: the receiving socket of NOTIFY_SOCKET; -1 = none yet */
    bool claimed; /* the state directory is ours */
    bool wrote_pid_file;
    struct seccomp_program seccomp;
};

/* P. `gated`: the container waits for `start`. Release after success and failure. */
void start_init (struct start *start, const struct create_request *request, struct arena *arena,
                 bool gated);
void start_release (struct start *start);

/* Parent: all up to `created`; on failure it is undone. create: the child waits at the gate; run:
 * it executes. `detached`: rt does not carry the bytes of its terminal. */
int start_until_created (struct start *start, bool detached, struct error *err);

/* Parent, run: until the program was executed. On failure it is undone. */
int start_until_executed (struct start *start, struct error *err);

/*
 * P: its steps, in this order. restore.c takes those that hold for it, too.
 */

/* Everything that can be decided or found missing before there is anything to undo. */
int start_decide (struct start *start, bool detached, struct error *err);

/* The sockets that get a descriptor of what is made. */
int start_connect (struct start *start, struct error *err);

/* The state directory and the record. From the first line on, a crash at any moment can be cleaned
 * up by delete. */
int start_claim (struct start *start, struct error *err);

/* The scope, the cgroups, the class of resctrl. */
int start_place (struct start *start, struct error *err);

/* prestart and createRuntime, when record.pid is in its namespaces. */
int start_run_hooks (struct start *start, struct error *err);

/* Where every exec has to find itself, for the record. */
void start_note_root (struct start *start, const struct procdir_root *root);

/* Its pid and pidfd, where they are asked for, and the record: from now on it is there for all
 * to see. */
int start_publish (struct start *start, struct error *err);

/* After all that, when the container's process runs: rt stays in front of it until its end and
 * deletes it, or leaves. *status is its exit status, 0 where rt leaves. */
int start_stay (struct start *start, struct notify *notify, int *status, struct error *err);

/* What the cgroup verbs are asked for this container. */
struct cgroup_request start_cgroup_request (const struct start *start);

/* P: the way back from there: everything that was made, from the record. The caller keeps the error
 * that led here. */
void start_undo (struct start *start);

/* C: builds the container from inside and ends in its process. Never returns. `in_cgroup`: the
 * clone put it into its v2 cgroup. */
_Noreturn void inside (struct start *start, bool in_cgroup);

/* Must C wait for GRANTED? Both sides ask. */
bool start_awaits_grant (const struct start *start, bool in_cgroup);

/* The state as the hooks get it, compact, in the arena. */
const char *start_state_text (const struct start *start, enum oci_status status, pid_t pid);

#endif
