/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: what rt remembers of a container, in STATE_ROOT/ID/ (directories 0700, files 0600):
 *
 *   record.json   this struct, versioned, written whole (temporary file, then rename)
 *   config.json   the document as create read it: later edits of the bundle change nothing
 *   resources.json  linux.resources after the last update, without device rules; none before it
 *   gate          the socket at which the created container waits for start; gone afterwards
 *   kills         while a command listens to events: see kills.h
 *
 * The directory itself is the lock (flock) and the claim on the id (mkdir decides which command
 * wins). Commands that change a container hold the lock exclusively; those that only read do not
 * need it, as the record is replaced whole. The lock lasts until the last copy of the descriptor is
 * closed: a cloned child that lives on must close its copy at once.
 */
#ifndef RT_STATE_RECORD_H
#define RT_STATE_RECORD_H

#include "base/arena.h"
#include "base/error.h"
#include "oci-spec/types.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* rt N manages what N-1 and N+1 have made. A member that is new has a default that is right for a
 * record without it, and may be ignored by an rt that does not know it: then the version grows and
 * the floor stays. The floor is the lowest version that an rt must know to manage the container. It
 * grows where ignoring a member would be wrong, and only for containers that have this member,
 * or one version after the rt that knows it. */
#define RECORD_VERSION 1
#define RECORD_FLOOR 1

enum record_phase {
    RECORD_CREATING, /* claimed; what is listed may or may not exist yet */
    RECORD_CREATED   /* create was successful: pid and start_time are right */
};

struct record {
    enum record_phase phase;
    const char *id;
    const char *bundle;
    const char *rootfs;
    const char *created; /* RFC 3339 */
    uid_t owner;
    pid_t pid;           /* 0 while creating, until the child exists */
    uint64_t start_time; /* of pid, clock ticks since boot */
    pid_t creator;       /* the rt that creates, with its start time: alive = creating goes on */
    uint64_t creator_start_time;
    struct oci_map cgroup;    /* see cgroup/cgroup.h */
    bool systemd;             /* the driver that made it */
    const char *systemd_unit; /* announced before it is started; NULL = none */
    const char *systemd_bus;  /* where it was asked for */
    const char *intel_rdt;    /* see container/rdt.h: what is the container's own; NULL = nothing */
    bool terminal;
    bool own_pid_namespace; /* init's death ends all */
    bool poststop_hooks;    /* the document has some, and must be read again for delete */
    bool no_new_keyring;    /* of create: nor has exec one to join */
    bool notify;            /* its process was given a NOTIFY_SOCKET of its own */
    bool awaits_go;         /* at the gate it compares and waits: see gate.h */
    /* Init's root directory when it was created, which is that of its mount namespace; inode 0: it
     * was not seen. The number of its mount is one of this boot. */
    uint64_t root_device;
    uint64_t root_inode;
    uint64_t root_mount;
    struct oci_map annotations;
};

/* The id's letters: [A-Za-z0-9_+.-], not empty, not "." or "..", no leading '-' or '.', at most
 * 255. Every command checks it before the id becomes part of a path. */
int record_check_id (const char *id, struct error *err);

/* Makes the state root (0700) and claims ID: an open, locked directory descriptor. EEXIST is the
 * error RT-STATE-EXISTS with "already exists". */
int record_claim (const char *state_root, const char *id, struct error *err);

/* The id is free now, as far as can be said without a claim to it; else RT-STATE-EXISTS. */
int record_check_new (const char *state_root, const char *id, struct error *err);

/* Opens ID's directory and, with `lock`, waits for its lock, as long as base/patience.h
 * says: RT-STATE-LOCK names its holder. RT-STATE-MISSING with "does not exist";
 * RT-STATE-OWNER where the state root or the directory is another user's, or writable by one. */
int record_open (const char *state_root, const char *id, bool lock, struct error *err);

/* Locks a directory that the caller has kept open without its lock; takes no descriptor. 1: it is
 * held; 0: the container has been deleted meanwhile; -1 RT-STATE-LOCK. */
int record_lock_again (int dir, const char *id, struct error *err);

int record_write (int dir, const struct record *record, struct error *err);
/* A directory without record.json (a create that died at once) is the error RT-STATE-HALF. */
int record_read (int dir, struct arena *arena, struct record *record, struct error *err);

/* What is left of a damaged or lost record (record_parts_of_json). -1: no look at the file. */
int record_read_parts (int dir, struct arena *arena, const char *id, struct record *parts,
                       struct error *err);

/* Whether a directory without record.json, which the caller has not locked, is what a dead creator
 * has left: 1, and now it is locked. 0: another command makes or removes it; look again. */
int record_is_cut_off (const char *state_root, int dir, struct error *err);

/* record_open and record_read for a caller that does not lock. In one that is just being claimed
 * there is no record for a moment, which is waited for: RT-STATE-HALF is one whose creator is gone.
 * The directory, which is also in *dir where only the rest fails. */
int record_look (const char *state_root, const char *id, struct arena *arena, struct record *record,
                 int *dir, struct error *err);

/* The copy of the document. */
int record_write_config (int dir, const char *text, size_t length, struct error *err);
char *record_read_config (int dir, size_t *length, struct error *err);

/* What update has made of the document's resources; *text is NULL where there was no update. In the
 * arena. */
int record_write_resources (int dir, const char *text, size_t length, struct error *err);
int record_read_resources (int dir, struct arena *arena, const char **text, size_t *length,
                           struct error *err);

/* Removes the directory with its known files; `dir` stays the caller's. */
int record_remove (const char *state_root, const char *id, int dir, struct error *err);

/* All ids below the state root, sorted; a missing root is an empty list. */
int record_list (const char *state_root, struct arena *arena, struct oci_strings *ids,
                 struct error *err);

#endif
