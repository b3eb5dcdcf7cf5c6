/* SPDX-License-Identifier: Apache-2.0 */
/*
 * door: the system calls that a process may still make below its own new filter, whatever the
 * filter says of them, because they carry a secret.
 *
 * Without no_new_privs a filter can only be loaded by a process that holds CAP_SYS_ADMIN. That
 * right is dropped below the filter, and a filter could refuse that call, or answer it with a
 * success that is none. A filter that notifies an agent gives its listener to the process that
 * loads it, and this has to go to the agent before any call that is notified: else the call waits
 * for an agent that waits for the listener. So the filter lets the calls of `door_calls` pass where
 * their arguments 3 to 5 are the door: 96 random bits, new for each filter, known to rt alone and
 * gone with its memory at execve. The filter compares them in one step, so the time it takes says
 * nothing of how near a guess is.
 *
 * The kernel ignores these arguments: most of the calls have three or fewer. openat looks at its
 * mode (3) with O_CREAT and O_TMPFILE only, clone at 3 and 4 with CLONE_SETTLS, CLONE_CHILD_SETTID
 * and CLONE_CHILD_CLEARTID only, with which they do not pass. pread64 could never be one of them,
 * as its argument 3 is the offset.
 *
 * The ways around it are worse. A helper with the same descriptors counts as a process of the
 * container, and the wait for it is a call below the filter or a busy loop; pidfd_getfd asks for
 * ptrace rights that a rootless rt has not; and both leave it to chance whether the agent has the
 * listener before the container's process begins.
 */
#ifndef RT_KERNEL_DOOR_H
#define RT_KERNEL_DOOR_H

#include <stddef.h>
#include <stdint.h>

#define DOOR_ARG 3 /* the first argument of the secret */
#define DOOR_WORDS 3

/* A call that passes. A process of the container that may trace this one can read the secret of it;
 * so what it could gain by these calls is as little as what rt needs of them. */
struct door_call {
    uint32_t number;
    uint32_t arg;     /* one argument, */
    uint64_t says[2]; /* what rt says there, the same twice where it always says the same, and */
    uint64_t mask;    /* the bits of it that must be so; 0 = the argument may be anything */
};

#define DOOR_CALLS_MAX 12
extern const struct door_call door_calls[];
extern const size_t door_call_count; /* at most DOOR_CALLS_MAX */

/* The architecture that rt was built for, whose calls these are: AUDIT_ARCH_*. */
extern const uint32_t door_arch;

/* The last call of rt. It is none of the table: whether a program may be executed, and which agent
 * is asked about it, is what a filter is for. One that never allows it is refused before. */
extern const uint32_t door_execve;

/* -1 with errno. */
int door_make (uint32_t door[DOOR_WORDS]);

/* sendmsg of one packet, with a descriptor (-1 = none); 0 or -1 with errno. */
int door_send (const uint32_t door[DOOR_WORDS], int socket, const void *bytes, size_t length,
               int fd);

#endif
