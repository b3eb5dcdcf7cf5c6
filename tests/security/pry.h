/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pry: a hostile program inside of a container. For each process that appears in its pid namespace
 * it tries, from the first instant that it can be named, all that shows or gives something of the
 * host: pry.c finds the processes and tells, pry_look.c looks through /proc, pry_take.c takes
 * (descriptors, namespaces, ptrace), pry_gate.c answers in the place of an init that waits for its
 * start.
 *
 * A process that appears there may be no more than what the container's own document says. All
 * tries compare with that, so that also the container's own program, once it is executed, is no
 * hit.
 */
#ifndef RT_TESTS_PRY_H
#define RT_TESTS_PRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MANY 16 /* of each thing that can be given more than once */

enum way {
    WAY_ROOT,
    WAY_CWD,
    WAY_PLANT,
    WAY_FD,
    WAY_FDINFO,
    WAY_EXE,
    WAY_ENVIRON,
    WAY_CMDLINE,
    WAY_MEM,
    WAY_VM,
    WAY_STATUS,
    WAY_LABEL,
    WAY_SPACE,
    WAY_SEIZE,
    WAY_GETFD,
    WAY_SETNS,
    WAYS
};

enum set { SET_INH, SET_PRM, SET_EFF, SET_BND, SET_AMB, SETS };

struct inode {
    dev_t dev;
    ino_t ino;
};

/* What was asked for, and what a process may be. */
struct task {
    const char *stop;          /* a file whose appearance ends the program */
    const char *canary;        /* a file of the host */
    const char *plant;         /* a directory of the host */
    const char *hold;          /* "step", "never", "keep", "stop", "talk", "deafen", "forge" */
    const char *breed;         /* how many processes of its own it is to look at, too */
    const char *answer;        /* pry_gate.c */
    bool own_spaces;           /* each namespace must be the program's own */
    bool terminal;             /* the standard streams must be a terminal of the container */
    int only;                  /* this process and no other; 0 = each new one */
    const char *markers[MANY]; /* bytes that only the host knows */
    int marker_count;
    const char *host_spaces[MANY]; /* "mnt:[4026531841]" */
    int host_space_count;
    struct inode roots[MANY]; /* the first is the program's own */
    int root_count;
    struct inode programs[MANY]; /* what a process may have executed */
    int program_count;
    unsigned long long sets[SETS];
    unsigned long long uid, gid;
    unsigned long long groups[MANY];
    int group_count;
    int no_new_privs, seccomp; /* at least */
};

struct target {
    int pid;
    int dir; /* /proc/PID; -1 = none */
    bool executed;
    bool ended;
    unsigned passes;
    char name[32];
};

extern struct task task;

/* Counts; a hit is told at the end with what it was, the first few of each way. */
void tried (enum way way);
void got (enum way way);
void hit (enum way way, const struct target *target, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
void count_held (void);
bool is_proven (void);

/* The process has gone, or is a zombie: what it still shows is no matter. */
bool has_ended (const struct target *target);

/* All looks of one pass, of which the dear ones (memory) come in turn. `held` = by ptrace, so that
 * nothing changes meanwhile: all at once. */
void look (struct target *target, bool held);
bool look_status (struct target *target, enum way way);
bool is_program (const struct target *target);

/* A descriptor that was taken from process `target`, where it has the number `number`. */
void take_descriptors (const struct target *target);
void take_namespaces (const struct target *target, const char *kind);
void take_hold (struct target *target);
/* True where the process is held before it has executed anything; it is never let go. */
bool take_for_ever (struct target *target);
/* With "talk" and "deafen": what would be a log of the process that was taken, on its line to rt.
 */
void go_on_talking (void);
/* Holds it for a moment, and speaks in its place on each socket that it has. */
void take_voice (struct target *target);

/* Until the stop file appears. */
bool must_stop (void);
int answer_at_gate (int init);
/* Sends the packets of `answer` into this line. */
void answer_line (int line);
const char *find_marker (const void *bytes, size_t length);

/* Forks a child that is not looked at itself. */
pid_t fork_unseen (void);

#endif
