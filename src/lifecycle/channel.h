/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * channel: how the parent, the rt that was called, and the child that becomes the container's init
 * speak.
 *
 * One SOCK_SEQPACKET pair, one packet format, one reader. Any wait also takes LOG (logged, then the
 * wait goes on) and ERROR (the wait fails with the child's own error); a channel that closes is a
 * failure too. The score of a start:
 *
 *      parent, outside                          child, inside
 *      ---------------                          -------------
 *      clone                                    enters its v1 cgroups
 *                  <--- CHILD [pidfd] ---       (only where a user namespace is joined, or made
 *                                               beside joined ones: it is in it now, or has cloned
 *                                               the one that is, and ends)
 *      id maps, v2 cgroup where the clone could not, network devices
 *                  ---  GRANTED       --->      (only where the child must wait for these)
 *      limits, devices, seccomp compiled        root, mounts, nodes   (limits before the clone on v1)
 *                  ---  SECCOMP       --->      (only with a profile)
 *                  <--- CONSOLE [ptmx]---       (only with a terminal)
 *                  <--- MOUNTED       ---       (only with prestart, createRuntime, createContainer hooks)
 *      prestart, createRuntime hooks
 *                  ---  HOOKED        --->
 *                                               createContainer hooks, masks, read-only, pivot_root,
 *                                               sysctl, cwd, terminal, what of become.h needs rights
 *                  <--- READY         ---       (only where the child may not raise an rlimit)
 *      rlimits
 *                  ---  RELEASE       --->
 *                                               gives up its rights: become.h. From here on
 *                                               kernel/launch.h:
 *                  <--- LISTENER [fd] ---       (only where calls are notified) right behind the filter
 *                                               (only where a pid namespace is joined) the process
 *                                               proper is born in it, and says all that follows
 *                  <--- GATED         ---       create: run goes on at EXEC
 *      the agent gets the listener; pid file,
 *      record `created`; what the kernel says
 *      of the child is compared (verify.h)
 *                  ---  GO            --->
 *      create ends here                         waits at the gate; its channel is `start` from here on
 *                  <--- NOTIFY [fd]   ---       (only where NOTIFY_SOCKET is served: the receiving socket)
 *                                               startContainer hooks
 *                  <--- EXEC          ---
 *      run: as at GATED; start: compares
 *                  ---  GO            --->
 *                                               execve
 *                  <--- (closed)      ---       the channel is close-on-exec. Whether the program was
 *                                               executed, the kernel is asked
 *      poststart hooks
 *
 * The parent believes no packet about the child: each names its sender by the kernel's word
 * (SCM_CREDENTIALS), texts end where the packet does, numbers are bounded.
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

/* The numbers stay: an init that waits at the gate may be of another version of rt. */
enum channel_type {
    CHANNEL_ERROR = 1, /* payload: struct error */
    CHANNEL_LOG = 2,   /* payload: level byte, text */
    CHANNEL_CHILD = 3,
    CHANNEL_GRANTED = 4,
    CHANNEL_CONSOLE = 5, /* payload: the terminal's name */
    CHANNEL_MOUNTED = 6,
    CHANNEL_HOOKED = 7,
    CHANNEL_READY = 8,
    CHANNEL_SECCOMP = 9, /* payload: flags (uint32_t), door, instructions */
    CHANNEL_RELEASE = 10,
    CHANNEL_NOTIFY = 11,
    CHANNEL_EXEC = 12,
    CHANNEL_LISTENER = 13,
    CHANNEL_LISTENED = 14, /* to an init of before 1.0, which waits for it behind its filter */
    CHANNEL_GATED = 15,
    CHANNEL_GO = 16,
    CHANNEL_FAILED = 17, /* payload: struct launch_failure and what follows it */
    CHANNEL_CLOSED = 255 /* never sent: what channel_receive gives for a closed channel */
};

#define CHANNEL_PAYLOAD_MAX                                                                        \
    ((1 + DOOR_WORDS) * sizeof (uint32_t) + BPF_MAXINSNS * sizeof (struct sock_filter))

struct channel_message {
    enum channel_type type;
    pid_t sender; /* by the kernel; 0 where the line was not told to ask (fd_ask_sender) */
    size_t length;
    int fd;                 /* owned by the receiver; -1 = none */
    unsigned char *payload; /* the channel's own; good until the next packet is received */
};

/* Parent, before the clone: the parent's end and the child's, close-on-exec. */
int channel_make (int pair[2], struct error *err);

/* Sends one packet; `fd` -1 = none. */
int channel_send (int line, enum channel_type type, const void *payload, size_t length, int fd,
                  struct error *err);

/* From now on packets of any other sender are refused, RT-CHANNEL-PEER: for a channel whose other
 * end other processes can have taken. */
void channel_only (pid_t sender);

/* The same for ERROR and LOG alone, whose text is rt's own: what the process proper says of its
 * failure is FAILED. */
void channel_words_of (pid_t sender);

/* The next packet that is neither LOG nor ERROR; `message` is CHANNEL_CLOSED where the channel
 * was closed. ERROR fills err and is -1. With a `peer`, as channel_await (); 0: for the child,
 * which needs no limit, as its parent's death closes the line. */
int channel_receive (int line, pid_t peer, struct channel_message *message, struct error *err);

/* Has an ERROR been received? Ask right after channel_receive () has failed. */
bool channel_was_told (void);

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

/* Child, below its own filter, where hooks follow: what is sent from now on carries the door. */
void channel_below_filter (const uint32_t door[DOOR_WORDS]);

/* Child: sends its error, as whole as it is. Nothing can be done where this fails. */
void channel_send_error (int line, const struct error *err);

/* Child: the argument of log_redirect; `context` points to the line's descriptor. */
void channel_log (void *context, enum log_level level, const char *text);

#endif
