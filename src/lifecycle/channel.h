/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * channel: how P, the rt that was called, and C, the child that becomes the container's init, speak.
 *
 * One SOCK_SEQPACKET pair, one packet format, one reader. Any wait also takes LOG (logged, then the
 * wait goes on) and ERROR (the wait fails with C's own error); a closed line is a failure. The score
 * of a start:
 *
 *      P, outside                               C, inside
 *      ----------                               ---------
 *      clone                                    enters its v1 cgroups
 *                  <--- CHILD [pidfd] ---       (only with a first leg: it cloned C proper and ends)
 *      id maps, v2 cgroup where the clone could not, network devices
 *                  ---  GRANTED       --->      (only where C must wait for these)
 *      limits, devices, seccomp compiled        root, mounts, nodes   (limits before the clone on v1)
 *                  <--- CONSOLE [ptmx]---       (only with a terminal)
 *                  <--- MOUNTED       ---       (only with prestart, createRuntime, createContainer hooks)
 *      prestart, createRuntime hooks
 *                  ---  HOOKED        --->
 *                                               createContainer hooks, masks, read-only, pivot_root,
 *                                               sysctl, cwd, terminal, what of become.h needs rights
 *                  <--- READY         ---
 *      rlimits, pid file, record `created`
 *                  ---  SECCOMP       --->      (only with a profile)
 *                  ---  RELEASE       --->
 *                  <--- (closed)      ---       create: waits at the gate; its line is `start` from here on
 *      create ends here
 *      run goes on as start does
 *                  <--- NOTIFY [fd]   ---       (only where NOTIFY_SOCKET is served: the receiving socket)
 *                                               the last leg: become.h
 *                  <--- EXEC          ---       right before the last two steps, seccomp and execve;
 *                                               without no_new_privs the filter is there long before
 *                  <--- LISTENER [fd] ---       (only where calls are notified) right behind the filter, by kernel/door.h
 *      the agent gets it
 *                  ---  LISTENED      --->
 *                  <--- (closed)      ---       execve was successful, as the line is close-on-exec
 *      poststart hooks
 */
/* clang-format on */
#ifndef RT_LIFECYCLE_CHANNEL_H
#define RT_LIFECYCLE_CHANNEL_H

#include "base/error.h"
#include "base/log.h"
#include "kernel/door.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum channel_type {
    CHANNEL_ERROR = 1, /* payload: struct error */
    CHANNEL_LOG,       /* payload: level byte, text */
    CHANNEL_CHILD,
    CHANNEL_GRANTED,
    CHANNEL_CONSOLE, /* payload: the terminal's name */
    CHANNEL_MOUNTED,
    CHANNEL_HOOKED,
    CHANNEL_READY,
    CHANNEL_SECCOMP, /* payload: flags (uint32_t), door, instructions */
    CHANNEL_RELEASE,
    CHANNEL_NOTIFY,
    CHANNEL_EXEC,
    CHANNEL_LISTENER,
    CHANNEL_LISTENED,
    CHANNEL_CLOSED /* never sent: what channel_receive gives for a closed line */
};

#define CHANNEL_PAYLOAD_MAX                                                                        \
    ((1 + DOOR_WORDS) * sizeof (uint32_t) + BPF_MAXINSNS * sizeof (struct sock_filter))

struct channel_message {
    enum channel_type type;
    size_t length;
    int fd;                 /* owned by the receiver; -1 = none */
    unsigned char *payload; /* the channel's own; good until the next packet is received */
};

/* Sends one packet; `fd` -1 = none. */
int channel_send (int line, enum channel_type type, const void *payload, size_t length, int fd,
                  struct error *err);

/* The next packet that is neither LOG nor ERROR; `message` is CHANNEL_CLOSED where the line was
 * closed. ERROR fills err and is -1. With a `peer`, as channel_await (); 0: for the child, which
 * needs no limit, as its parent's death closes the line. */
int channel_receive (int line, pid_t peer, struct channel_message *message, struct error *err);

/* Until there is something to read. The peer's work may take any time where no --timeout was given,
 * but a peer that does not go on, or is traced, is waited for no longer than base/patience.h says:
 * RT-CHANNEL-STOPPED, RT-CHANNEL-STUCK. With --timeout nothing is waited for any longer. */
int channel_await (int fd, pid_t peer, struct error *err);

/* Parent: the peer is in its last leg, where it has no work left and the container may have a say
 * in what it does. All waits from now on are one, whatever the peer does and however often it
 * speaks; only hooks of its own that have no limit (`hooks`) may take longer, where no --timeout
 * was given. Called again, it begins anew. EXEC begins it by itself. */
void channel_bound (bool hooks);

/* The next packet must be of this type. */
int channel_expect (int line, pid_t peer, enum channel_type type, struct channel_message *message,
                    struct error *err);

/* C, right behind its filter: gives the listener away, closes it, and waits until the agent has it.
 */
int channel_hand_over (int line, const uint32_t door[DOOR_WORDS], int listener, struct error *err);

/* C: sends its error, as whole as it is. Nothing can be done where this fails. */
void channel_send_error (int line, const struct error *err);

/* C: the argument of log_redirect; `context` points to the line's descriptor. */
void channel_log (void *context, enum log_level level, const char *text);

#endif
