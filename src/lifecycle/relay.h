/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay: carries bytes from one descriptor to another and never waits.
 *
 * rt's standard streams are borrowed: their file descriptions belong to a shell, a pipeline or an
 * engine too. O_NONBLOCK is a property of the description, so setting it would break the others,
 * for good if rt is killed before it takes it back. Therefore a pipe or a terminal is opened anew,
 * for a description of our own; a socket is asked call by call (MSG_DONTWAIT); only where neither
 * is possible is the flag set, for the length of one call. (TTY-12, TTY-14)
 *
 * Who waits is the caller, with an edge-triggered epoll: it marks the ends that something happened
 * at as ready and pumps.
 */
#ifndef RT_LIFECYCLE_RELAY_H
#define RT_LIFECYCLE_RELAY_H

#include <stdbool.h>
#include <stddef.h>

enum { RELAY_ROOM = 65536 };

enum relay_access {
    RELAY_OWN,    /* O_NONBLOCK is set on a description that is ours alone */
    RELAY_SOCKET, /* MSG_DONTWAIT */
    RELAY_FILE,   /* a regular file never makes its reader wait */
    RELAY_SHARED  /* O_NONBLOCK for the length of each call */
};

struct relay_end {
    int fd;
    enum relay_access access;
    bool owned; /* fd was opened here */
    bool ptmx;  /* EIO is a pause: the other side is not open now */
    bool ready; /* worth a try: cleared by EAGAIN, set by the caller when epoll says so */
    bool open;  /* cleared by the end of the bytes and by a failure that stays */
    int errnum; /* of that failure */
};

struct relay {
    struct relay_end source;
    struct relay_end sink; /* once it is not open, bytes are thrown away so that the source flows */
    size_t left;           /* of a relay that ends: how many bytes it may still take */
    bool ending;
    size_t start; /* bytes[start .. end) wait for the sink */
    size_t end;
    char bytes[RELAY_ROOM];
};

/* An end on the borrowed `fd`; `flags` is O_RDONLY or O_WRONLY. Cannot fail: an end that is of no
 * use is not open and has its errnum. */
void relay_end_borrow (struct relay_end *end, int fd, int flags);

/* An end on a pseudo-terminal's outside, which is rt's own; it stays the caller's to close. */
void relay_end_ptmx (struct relay_end *end, int ptmx);

/* Nothing waits in it, whatever its ends are. */
void relay_begin (struct relay *relay);

/* Takes and gives what it can. Returns true if there is more that can be done at once: call it
 * again, after a look at what else has happened. */
bool relay_pump (struct relay *relay);

/* The source's writer is dead: takes what is there now, but no more than `limit` bytes (somebody
 * else may write forever), and no later bytes. */
void relay_finish (struct relay *relay, size_t limit);

/* The source has ended and all of its bytes are with the sink, or the sink is gone. */
bool relay_is_done (const struct relay *relay);

/* Closes what was opened here. */
void relay_release (struct relay *relay);

#endif
