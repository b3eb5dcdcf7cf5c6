/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay: see relay.h.
 */
#include "lifecycle/relay.h"

#include "base/cleanup.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The same pipe or terminal once more, without waiting. Fails where the file belongs to somebody
 * else (after su), where a pipe has lost its reader, or where /proc is missing. */
static int open_anew (int fd, int flags)
{
    char path[32];
    int proc = procfd_root ();
    if (proc < 0)
        return -1;
    (void)snprintf (path, sizeof path, "self/fd/%d", fd);
    return openat (proc, path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void relay_end_borrow (struct relay_end *end, int fd, int flags)
{
    struct stat st;

    *end = (struct relay_end){.fd = fd, .access = RELAY_SHARED, .ready = true, .open = true};
    if (fstat (fd, &st) < 0) {
        end->open = false;
        end->errnum = errno;
        return;
    }
    if (S_ISSOCK (st.st_mode))
        end->access = RELAY_SOCKET;
    else if (S_ISREG (st.st_mode))
        end->access = RELAY_FILE;
    else if (S_ISFIFO (st.st_mode) || isatty (fd)) {
        int anew = open_anew (fd, flags);
        if (anew >= 0) {
            end->fd = anew;
            end->owned = true;
            end->access = RELAY_OWN;
        }
    }
}

void relay_end_ptmx (struct relay_end *end, int ptmx)
{
    *end = (struct relay_end){
        .fd = ptmx, .access = RELAY_SHARED, .ptmx = true, .ready = true, .open = true};
    int flags = fcntl (ptmx, F_GETFL);
    if (flags >= 0 && fcntl (ptmx, F_SETFL, flags | O_NONBLOCK) == 0)
        end->access = RELAY_OWN;
}

void relay_begin (struct relay *relay)
{
    relay->start = relay->end = 0;
    relay->ending = false;
    relay->left = 0;
}

/* Sets O_NONBLOCK where only that helps; the flags to put back, or -1 where nothing was changed. */
static int lend_nonblock (const struct relay_end *end)
{
    if (end->access != RELAY_SHARED)
        return -1;
    int flags = fcntl (end->fd, F_GETFL);
    if (flags < 0 || (flags & O_NONBLOCK) || fcntl (end->fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -1;
    return flags;
}

static void put_back (const struct relay_end *end, int flags)
{
    int saved = errno;
    if (flags >= 0)
        (void)fcntl (end->fd, F_SETFL, flags);
    errno = saved;
}

static ssize_t take (const struct relay_end *end, char *bytes, size_t size)
{
    if (end->access == RELAY_SOCKET)
        return recv (end->fd, bytes, size, MSG_DONTWAIT);
    int flags = lend_nonblock (end);
    ssize_t count = read (end->fd, bytes, size);
    put_back (end, flags);
    return count;
}

static ssize_t give (const struct relay_end *end, const char *bytes, size_t size)
{
    if (end->access == RELAY_SOCKET)
        return send (end->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    int flags = lend_nonblock (end);
    ssize_t count = write (end->fd, bytes, size);
    put_back (end, flags);
    return count;
}

static void shut (struct relay_end *end, int errnum)
{
    end->open = false;
    end->errnum = errnum;
}

/* Waiting bytes move to the front only when that gains half of the room: a slow sink that takes a
 * little at a time does not make them move each time. */
static bool can_move (const struct relay *relay)
{
    return relay->start >= RELAY_ROOM / 2;
}

static bool can_fill (const struct relay *relay)
{
    return relay->source.open && relay->source.ready &&
           (relay->end < RELAY_ROOM || can_move (relay));
}

static bool can_flush (const struct relay *relay)
{
    return relay->sink.open && relay->sink.ready && relay->start < relay->end;
}

/* The source has nothing now: true for all but a real failure. */
static bool is_pause (const struct relay_end *end, int errnum)
{
    return errnum == EAGAIN || errnum == EWOULDBLOCK || (end->ptmx && errnum == EIO);
}

static void fill (struct relay *relay)
{
    struct relay_end *source = &relay->source;

    if (can_move (relay)) {
        memmove (relay->bytes, relay->bytes + relay->start, relay->end - relay->start);
        relay->end -= relay->start;
        relay->start = 0;
    }
    while (can_fill (relay)) {
        size_t room = RELAY_ROOM - relay->end;
        if (relay->ending && room > relay->left)
            room = relay->left;
        ssize_t count = room > 0 ? take (source, relay->bytes + relay->end, room) : 0;
        if (count > 0) {
            relay->end += (size_t)count;
            if (relay->ending)
                relay->left -= (size_t)count;
        } else if (count < 0 && errno == EINTR)
            return; /* stopped and continued; still ready */
        else if (count < 0 && is_pause (source, errno)) {
            source->ready = false;
            if (relay->ending)
                source->open = false;
        } else
            shut (source, count < 0 ? errno : 0);
    }
}

static void flush (struct relay *relay)
{
    struct relay_end *sink = &relay->sink;

    while (can_flush (relay)) {
        ssize_t count = give (sink, relay->bytes + relay->start, relay->end - relay->start);
        if (count >= 0)
            relay->start += (size_t)count;
        else if (errno == EINTR)
            return;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            sink->ready = false;
        else if (sink->ptmx && errno == EIO)
            relay->start = relay->end; /* typed while the terminal is not open: lost */
        else
            shut (sink, errno);
    }
    if (!sink->open)
        relay->start = relay->end;
    if (relay->start == relay->end)
        relay->start = relay->end = 0;
}

bool relay_pump (struct relay *relay)
{
    fill (relay);
    flush (relay);
    return can_fill (relay) || can_flush (relay);
}

void relay_finish (struct relay *relay, size_t limit)
{
    relay->ending = true;
    relay->left = limit;
    relay->source.ready = true;
}

bool relay_is_done (const struct relay *relay)
{
    return !relay->source.open && relay->start == relay->end;
}

void relay_release (struct relay *relay)
{
    if (relay->source.owned)
        drop_fd (&relay->source.fd);
    if (relay->sink.owned)
        drop_fd (&relay->sink.fd);
}
