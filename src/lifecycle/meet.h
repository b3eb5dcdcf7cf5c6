/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meet: from the clone to a process that is ready, on the side of P (of E for an exec), which
 * listens and answers. What is said is drawn in channel.h and exec.h.
 */
#ifndef RT_LIFECYCLE_MEET_H
#define RT_LIFECYCLE_MEET_H

#include "base/error.h"

#include <sys/types.h>

struct meet {
    const char *who; /* "the container's init", for error texts */
    int line;
    pid_t *pid; /* of the child; a first leg until it is met */
    int *pidfd;
    int *console_socket; /* who gets the terminal, see ptmx.h */
    int *ptmx;
    int (*mounted) (void *context, struct error *err); /* answers MOUNTED; NULL: never comes */
    void *context;
};

/* With a first leg: waits until it tells of the process proper, reaps it, and puts the process in
 * its place. */
int meet_child (const struct meet *meet, struct error *err);

/* Answers until READY. */
int meet_until_ready (const struct meet *meet, struct error *err);

#endif
