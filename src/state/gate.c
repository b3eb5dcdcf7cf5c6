/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate: see gate.h.
 */
#include "gate.h"

#include "base/cleanup.h"
#include "base/fdio.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GATE_FILE "gate"

/* The packet that opens. A word, so that nothing else is taken for it. */
static const char gate_open_word[] = "GATE_OPEN";

int gate_make (int dir, struct error *err)
{
    return fd_listen_unix_at (dir, GATE_FILE, SOCK_SEQPACKET, err);
}

int gate_open (int dir, struct error *err)
{
    AUTO_FD int line = fd_connect_unix_at (dir, GATE_FILE, SOCK_SEQPACKET);
    if (line < 0 || fd_send (line, gate_open_word, sizeof gate_open_word, NULL, 0) < 0)
        return error_set (err, "RT-STATE-GATE", errno, "the container does not wait to be started");
    return take_fd (&line);
}

bool gate_is_shut (int dir)
{
    /* Non-blocking: a full queue (many asked while init was frozen) also means that it waits. */
    AUTO_FD int line = fd_connect_unix_at (dir, GATE_FILE, SOCK_SEQPACKET | SOCK_NONBLOCK);
    return line >= 0 || errno == EAGAIN;
}

void gate_remove (int dir)
{
    (void)unlinkat (dir, GATE_FILE, 0);
}

int gate_wait (int listener)
{
    AUTO_FD int gate = listener;
    for (;;) {
        AUTO_FD int line = accept4 (gate, NULL, NULL, SOCK_CLOEXEC);
        if (line < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (line < 0)
            return -1;
        char word[sizeof gate_open_word];
        ssize_t n = fd_receive (line, word, sizeof word, NULL, NULL);
        if (n == (ssize_t)sizeof word && memcmp (word, gate_open_word, sizeof word) == 0)
            return take_fd (&line);
    }
}
