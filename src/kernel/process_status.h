/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_status: what /proc/PID/status says of a process's rights. Pure.
 *
 * All ids are those of the user namespace of the process that opened the file: one that is not
 * mapped there reads as the overflow id. The kernel escapes line breaks in the name, so a line is
 * what it says it is.
 */
#ifndef RT_KERNEL_PROCESS_STATUS_H
#define RT_KERNEL_PROCESS_STATUS_H

#include "base/arena.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct process_ids {
    uint32_t real;
    uint32_t effective;
    uint32_t saved;
    uint32_t fs;
};

struct process_status {
    char state; /* R, S, D, T, t, Z, X ... */
    struct process_ids uid;
    struct process_ids gid;
    const uint32_t *groups; /* the supplementary ones, as the kernel lists them; in the arena */
    size_t group_count;
    unsigned int pid_levels; /* pid namespaces it has a number in, from that of procfs on */
    uint64_t ignored;        /* signals, bit 0 is number 1 */
    uint64_t caught;
    uint64_t inheritable;
    uint64_t permitted;
    uint64_t effective;
    uint64_t bounding;
    uint64_t ambient;
    int no_new_privs; /* 0 or 1 */
    int seccomp;      /* 0 none, 1 strict, 2 filters; -1: the kernel has no such thing */
    int filters;      /* -1: the kernel does not tell (before Linux 5.9) */
};

/* A line that is missing, there twice or not understood is an error: RT-PROC-STATUS. A kernel
 * without pid namespaces has no NSpid line: that is one level. */
int process_status_parse (struct arena *arena, const char *text, struct process_status *status,
                          struct error *err);

/* One of a user namespace's maps (/proc/PID/uid_map): `count` ids from `inside` on are `outside`
 * and those after it for the reader. */
struct process_id_range {
    uint32_t inside;
    uint32_t outside; /* UINT32_MAX: not mapped for the reader */
    uint32_t count;
};

struct process_id_map {
    const struct process_id_range *ranges; /* in the arena */
    size_t count;
};

/* RT-PROC-MAP. */
int process_id_map_parse (struct arena *arena, const char *text, struct process_id_map *map,
                          struct error *err);

/* What `inside` is for the reader: 0, or -1 where the map has no such id. */
int process_id_map_find (const struct process_id_map *map, uint32_t inside, uint32_t *outside);

#endif
