/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_door: the part of a filter that lets pass what rt itself still has to do below it
 * (kernel/door.h).
 *
 * It is written for those calls only that the filter does not allow anyway, with what rt says there
 * and whatever the other arguments are: the kernel remembers which calls of a filter never depend
 * on arguments and asks it no more about these, and read, close and openat are among them.
 */
#ifndef RT_CONTAINER_SECCOMP_DOOR_H
#define RT_CONTAINER_SECCOMP_DOOR_H

#include "container/seccomp_code.h"
#include "kernel/door.h"

struct seccomp_door {
    size_t count;
    const struct door_call *calls[DOOR_CALLS_MAX];
};

/* Pure apart from memory. Finds the calls of door_calls that the program does not plainly allow to
 * rt. -1 with errno: EINVAL where it is no program that the kernel takes, ENOMEM. */
int seccomp_door_find (struct seccomp_door *door, const struct sock_filter *items, size_t count);

/* Writes it before what stands at `place`, which goes on where the call is none of these; `closed`:
 * where one of these goes on that has not the words. Only for the native architecture. The place
 * where it begins; `place` where there is nothing to write. */
size_t seccomp_door_write (struct code *code, const struct seccomp_door *door,
                           const uint32_t words[DOOR_WORDS], size_t place, size_t closed);

#endif
