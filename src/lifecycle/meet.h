/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meet: the parent's side of the channel, from the clone to the program: it listens and answers.
 * What is said is drawn in channel.h and exec.h.
 */
#ifndef RT_LIFECYCLE_MEET_H
#define RT_LIFECYCLE_MEET_H

#include "base/error.h"
#include "kernel/descendants.h"
#include "lifecycle/channel.h"
#include "lifecycle/running.h"
#include "lifecycle/verify.h"

#include <stdbool.h>
#include <sys/types.h>

struct meet {
    const char *who; /* "the container's init", for error texts */
    int line;
    bool birth;          /* the child clones the process proper, which then takes its place */
    pid_t *pid;          /* of the child */
    int *pidfd;          /* of the child */
    int *cloner;         /* gets the pidfd of the child that cloned; -1 until then */
    int *console_socket; /* gets the terminal, see ptmx.h */
    int *ptmx;
    int *listener; /* gets that of the filter; NULL: none is expected */
    int *notify;   /* gets the receiving socket of NOTIFY_SOCKET; NULL: it is closed */
    /* Answer MOUNTED and READY; NULL: does not come. */
    int (*mounted) (void *context, struct error *err);
    int (*ready) (void *context, struct error *err);
    void *context;
};

/* Where CHILD is said: waits for it. If it names another process, the child is reaped and that one
 * put in its place. */
int meet_child (const struct meet *meet, struct error *err);

/* Answers until a packet of this type comes. With birth, its sender is the child from then on. A
 * packet of another process is RT-CHANNEL-PEER. */
int meet_until (const struct meet *meet, enum channel_type type, struct error *err);

/* A call failed because the child has ended: *err becomes the reason. What the child said of it may
 * lie in the channel still; else how it ended. -1, always. */
int meet_explain_end (const struct meet *meet, struct error *err);

/* The same where that may be so: with a child that is alive *err stays. */
int meet_explain_look (const struct meet *meet, struct error *err);

/* The same where a packet could not be sent as the child had closed its end. */
int meet_explain_lost (const struct meet *meet, struct error *err);

/* Before the answer to GATED or EXEC: does the kernel say of the child what the plan says? One that
 * was killed meanwhile is told of so. */
int meet_verify (const struct meet *meet, const struct verify *verify, struct error *err);

/* The answer to GATED and EXEC. A child that has gone meanwhile is told of so. */
int meet_go (const struct meet *meet, struct error *err);

/* After EXEC was answered by GO: waits for the end of the channel, and asks the kernel whether the
 * program was executed. 0; 1: LAUNCH_REFUSED, and *err says why; -1. */
int meet_executed (const struct meet *meet, struct error *err);

/* An init of an rt of before 1.0: it says EXEC and executes, and waits for LISTENED where it has a
 * listener to give away. Asks the kernel at the end as meet_executed () does. */
int meet_old (const struct meet *meet, const struct running *running, struct error *err);

/* A process proper that has not spoken yet is not known: kills and reaps all that this process has
 * made since `before`. For the way back only. */
void meet_kill_unheard (const struct descendants_before *before);

/* Reaps the process that cloned the child; once that has happened, *cloner is -1. */
void meet_reap_cloner (int *cloner);

#endif
