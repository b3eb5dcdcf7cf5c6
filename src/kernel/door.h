/* SPDX-License-Identifier: Apache-2.0 */
/*
 * door: three system calls that a process may still make below its own new filter, whatever the
 * filter says of them, because they carry a secret.
 *
 * A filter that notifies an agent gives its listener to the process that loads it, and this has to
 * go to the agent before any call that is notified: else the call waits for an agent that waits for
 * the listener. But the calls that hand it over are below the filter too. So the filter lets
 * sendmsg, recvmsg and close pass where their arguments 3 to 5, which the kernel ignores, are the
 * door: 96 random bits, new for each filter, known to rt alone and gone with its memory at execve.
 * The filter compares them in one step, so the time it takes says nothing of how near a guess is.
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
#include <sys/types.h>

#define DOOR_ARG 3 /* the first argument of the secret */
#define DOOR_WORDS 3
#define DOOR_CALLS 3

/* The numbers of the native calls that pass. */
extern const uint32_t door_calls[DOOR_CALLS];

/* -1 with errno. */
int door_make (uint32_t door[DOOR_WORDS]);

/* sendmsg of one packet, with a descriptor (-1 = none); 0 or -1 with errno. */
int door_send (const uint32_t door[DOOR_WORDS], int socket, const void *bytes, size_t length,
               int fd);

/* recvmsg of one packet: its length, 0 = closed, -1 with errno. */
ssize_t door_receive (const uint32_t door[DOOR_WORDS], int socket, void *bytes, size_t size);

void door_close (const uint32_t door[DOOR_WORDS], int fd);

#endif
