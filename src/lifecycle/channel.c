/* SPDX-License-Identifier: Apache-2.0 */
/* channel: see channel.h. */
#include "lifecycle/channel.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/patience.h"
#include "kernel/descendants.h"
#include "kernel/pidfd.h"
#include "kernel/straggler.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* How often a peer that says nothing is looked at. */
#define LOOK_MS 500

static const char *const words[] = {
    [CHANNEL_ERROR] = "ERROR",       [CHANNEL_LOG] = "LOG",
    [CHANNEL_CHILD] = "CHILD",       [CHANNEL_GRANTED] = "GRANTED",
    [CHANNEL_CONSOLE] = "CONSOLE",   [CHANNEL_MOUNTED] = "MOUNTED",
    [CHANNEL_HOOKED] = "HOOKED",     [CHANNEL_READY] = "READY",
    [CHANNEL_SECCOMP] = "SECCOMP",   [CHANNEL_RELEASE] = "RELEASE",
    [CHANNEL_NOTIFY] = "NOTIFY",     [CHANNEL_EXEC] = "EXEC",
    [CHANNEL_LISTENER] = "LISTENER", [CHANNEL_LISTENED] = "LISTENED",
    [CHANNEL_GATED] = "GATED",       [CHANNEL_GO] = "GO",
    [CHANNEL_FAILED] = "FAILED",     [CHANNEL_CLOSED] = "(closed)",
};

/* One of each, and not on the stack: most packets are empty, the largest has 32 kB, and every page
 * of a stack frame is touched when it is entered (-fstack-clash-protection). */
static struct packet {
    uint32_t type;
    unsigned char payload[CHANNEL_PAYLOAD_MAX];
} outgoing, incoming;

static const uint32_t *below_filter;

static int send_packet (int line, enum channel_type type, const void *payload, size_t length,
                        int fd)
{
    if (length > sizeof (outgoing.payload)) {
        errno = EMSGSIZE;
        return -1;
    }
    outgoing.type = type;
    if (length)
        memcpy (outgoing.payload, payload, length);
    const size_t size = offsetof (struct packet, payload) + length;
    if (below_filter)
        return door_send (below_filter, line, &outgoing, size, fd);
    return fd_send (line, &outgoing, size, fd < 0 ? NULL : &fd, fd < 0 ? 0 : 1);
}

int channel_make (int pair[2], struct error *err)
{
    int ends[2];

    if (fd_socketpair (SOCK_SEQPACKET, ends, err) < 0)
        return -1;
    /* Before the first packet: it is the sending that notes the sender. */
    if (fd_ask_sender (ends[0]) < 0) {
        error_set (err, "RT-CHANNEL", errno, "cannot ask for the senders of packets");
        (void)close (ends[0]);
        (void)close (ends[1]);
        return -1;
    }
    pair[0] = ends[0];
    pair[1] = ends[1];
    return 0;
}

int channel_send (int line, enum channel_type type, const void *payload, size_t length, int fd,
                  struct error *err)
{
    if (send_packet (line, type, payload, length, fd) == 0)
        return 0;
    return error_set (err, "RT-CHANNEL-SEND", errno, "cannot send %s between rt and the container",
                      words[type]);
}

void channel_below_filter (const uint32_t door[DOOR_WORDS])
{
    below_filter = door;
}

void channel_send_error (int line, const struct error *err)
{
    (void)send_packet (line, CHANNEL_ERROR, err, sizeof (*err), -1);
}

void channel_log (void *context, enum log_level level, const char *text)
{
    unsigned char payload[2048];
    size_t length = strlen (text);

    if (length > sizeof (payload) - 2)
        length = sizeof (payload) - 2;
    payload[0] = (unsigned char)level;
    memcpy (payload + 1, text, length);
    payload[length + 1] = '\0';
    (void)send_packet (*(int *)context, CHANNEL_LOG, payload, length + 2, -1);
}

/* A whole text ends with its NUL; everything else comes from a broken peer. */
static bool is_text (const struct channel_message *message, size_t start)
{
    return message->length > start && message->payload[message->length - 1] == '\0';
}

static char state_of (pid_t pid)
{
    uint64_t start_time;
    char state = '?';

    (void)pidfd_start_time (pid, &start_time, &state);
    return state;
}

/* With birth (kernel/launch.h) the peer ends, and another child of this process is to speak. */
static pid_t find_stuck (pid_t peer)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct descendants found = {0};
    struct error unknown = {0};

    if (state_of (peer) == 'Z' && descendants_find (getpid (), &arena, &found, &unknown) == 0)
        for (size_t i = 1; i < found.count; i++)
            if (state_of (found.pids[i]) != 'Z')
                return found.pids[i];
    return peer;
}

static int explain_stuck (pid_t peer, struct error *err)
{
    AUTO_TEXT struct text left = {0};

    peer = find_stuck (peer);
    char state = state_of (peer);
    pid_t tracer = straggler_tracer (peer);
    if (state == 'T' && tracer == 0) {
        error_set (err, "RT-CHANNEL-STOPPED", 0,
                   "process %d, which is to become the container's, is stopped: waited %g s for it",
                   peer, patience_seconds ());
        return error_hint (err, "it was sent SIGSTOP");
    }
    error_set (err, "RT-CHANNEL-STUCK", 0,
               "process %d, which is to become the container's, does not go on: waited %g s for it",
               peer, patience_seconds ());
    if (!straggler_describe (peer, &left))
        return -1;
    return tracer > 0 ? error_hint (err, "it is %s, and process %d traces it", text_string (&left),
                                    (int)tracer)
                      : error_hint (err, "it is %s", text_string (&left));
}

static pid_t only_sender;

void channel_only (pid_t sender)
{
    only_sender = sender;
}

static pid_t word_sender;

void channel_words_of (pid_t sender)
{
    word_sender = sender;
}

/* Is the packet of the process that it must be of? 0 is any. */
static int check_sender (const struct channel_message *message, pid_t expected, struct error *err)
{
    if (expected == 0 || message->sender == expected)
        return 0;
    return error_set (err, "RT-CHANNEL-PEER", 0, "process %d answers in the place of process %d",
                      message->sender, expected);
}

/* Begun by channel_bound (). */
static struct {
    bool begun;
    bool hooks;
    struct wait wait;
} last_leg;

void channel_bound (bool hooks)
{
    last_leg.begun = true;
    last_leg.hooks = hooks;
    last_leg.wait = wait_begin (patience_ms ());
}

/* Without --timeout, work is no standstill: a slow disk, a hook of the peer's own. In its last leg
 * the peer has no work left, and may be what the container makes of it. */
static bool may_take_longer (pid_t peer, struct straggler *last)
{
    if (patience_asked_ms () > 0)
        return false;
    enum straggler_pace pace = straggler_look (peer, last);
    return pace == STRAGGLER_AWAITS_CHILD ? !last_leg.begun || last_leg.hooks
                                          : pace == STRAGGLER_WORKS && !last_leg.begun;
}

int channel_await (int fd, pid_t peer, struct error *err)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    struct wait own = wait_begin (patience_ms ());
    struct wait *wait = last_leg.begun ? &last_leg.wait : &own;
    struct straggler last = {0};

    for (;;) {
        int left = wait_left (wait);
        if (left == 0)
            return explain_stuck (peer, err);
        int count = interrupt_poll (&ready, 1, left < LOOK_MS ? left : LOOK_MS);
        if (count < 0 && errno == EINTR)
            return interrupt_error (err);
        if (count != 0)
            return 0; /* receiving tells of errors */
        if (may_take_longer (peer, &last))
            *wait = wait_begin (patience_ms ());
    }
}

static bool was_told;

bool channel_was_told (void)
{
    return was_told;
}

/* What the child says of its failure. The container may have a say in it by now: nothing of it is
 * taken for more than a text. */
static int take_error (struct channel_message *message, struct error *err)
{
    drop_fd (&message->fd);
    if (check_sender (message, word_sender, err) < 0)
        return -1;
    if (message->length != sizeof (*err))
        return error_set (err, "RT-CHANNEL-RECEIVE", EPROTO, "a broken error of the child");
    memcpy (err, message->payload, sizeof (*err));
    error_bound (err);
    was_told = true;
    return -1;
}

int channel_receive (int line, pid_t peer, struct channel_message *message, struct error *err)
{
    for (;;) {
        size_t fd_count = 1;
        int fd = -1;
        if (peer > 0 && channel_await (line, peer, err) < 0)
            return -1;
        ssize_t length =
            fd_receive_from (line, &incoming, sizeof (incoming), &fd, &fd_count, &message->sender);
        if (length < 0 && errno != ECONNRESET)
            return error_set (err, "RT-CHANNEL-RECEIVE", errno,
                              "cannot receive between rt and the container");
        if (length <= 0) {
            *message = (struct channel_message){.type = CHANNEL_CLOSED, .fd = -1};
            return 0;
        }
        message->fd = fd_count ? fd : -1;
        if (check_sender (message, only_sender, err) < 0) {
            drop_fd (&message->fd);
            return -1;
        }
        if ((size_t)length < offsetof (struct packet, payload)) {
            drop_fd (&message->fd);
            return error_set (err, "RT-CHANNEL-RECEIVE", EPROTO, "a packet without a type");
        }
        message->type = incoming.type;
        if (peer > 0 && message->type == CHANNEL_EXEC && !last_leg.begun)
            channel_bound (false);
        message->length = (size_t)length - offsetof (struct packet, payload);
        message->payload = incoming.payload;
        if (message->type == CHANNEL_LOG && check_sender (message, word_sender, err) < 0) {
            drop_fd (&message->fd);
            return -1;
        }
        if (message->type == CHANNEL_LOG && is_text (message, 1) &&
            message->payload[0] <= LOG_LEVEL_DEBUG) {
            drop_fd (&message->fd);
            log_text ((enum log_level)message->payload[0], (const char *)message->payload + 1);
            continue;
        }
        if (message->type == CHANNEL_ERROR)
            return take_error (message, err);
        return 0;
    }
}

int channel_expect (int line, pid_t peer, enum channel_type type, struct channel_message *message,
                    struct error *err)
{
    if (channel_receive (line, peer, message, err) < 0)
        return -1;
    if (message->type == type)
        return 0;
    drop_fd (&message->fd);
    if (message->type == CHANNEL_CLOSED)
        return error_set (err, "RT-CHANNEL-CLOSED", 0, "the other side ended before it sent %s",
                          words[type]);
    return error_set (err, "RT-CHANNEL-ORDER", EPROTO, "got packet %u instead of %s", message->type,
                      words[type]);
}
