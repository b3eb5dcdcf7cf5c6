/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate: see gate.h.
 */
#include "gate.h"

#include "base/cleanup.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/* 1 there, 0 not, -1 errno. */
static int gate_exists (int dir)
{
    struct stat unused;

    if (fstatat (dir, GATE_FILE, &unused, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return errno == ENOENT ? 0 : -1;
}

int gate_is_shut (int dir, struct error *err)
{
    /* Non-blocking: a full queue (many asked while init was frozen) also means that it waits. */
    AUTO_FD int line = fd_connect_unix_at (dir, GATE_FILE, SOCK_SEQPACKET | SOCK_NONBLOCK);
    if (line >= 0 || errno == EAGAIN)
        return 1;
    if (errno == ECONNREFUSED)
        return 0;
    int errnum = errno;
    /* The way to the socket goes through /proc: only what is really not there is an open gate. */
    int found = errnum == ENOENT ? gate_exists (dir) : 1;
    if (found == 0)
        return 0;
    return error_set (err, "RT-STATE-GATE", found < 0 ? errno : errnum,
                      "look whether the container waits to be started");
}

void gate_remove (int dir)
{
    (void)unlinkat (dir, GATE_FILE, 0);
}
