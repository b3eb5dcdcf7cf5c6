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

int gate_make (int dir, struct error *err)
{
    return fd_listen_unix_at (dir, GATE_FILE, SOCK_SEQPACKET, err);
}

int gate_open (int dir, bool awaits_go, struct error *err)
{
    const char *word = awaits_go ? GATE_WORD : GATE_WORD_OLD;

    AUTO_FD int line = fd_connect_unix_at (dir, GATE_FILE, SOCK_SEQPACKET);
    if (line < 0 || fd_ask_sender (line) < 0 ||
        fd_send (line, word, strlen (word) + 1, NULL, 0) < 0)
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
