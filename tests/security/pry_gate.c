/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pry_gate: takes the place of an init that waits for its start. It fetches what init listens on,
 * keeps init itself from answering where ptrace can, and answers the first that asks:
 *
 *   close        not at all: the line is closed
 *   word:N,N...  the packets of these types, then the line is closed
 *   error:SIZE   a packet of the type of an error, SIZE bytes of 'w', none of them a NUL
 *   calm:SIZE    the same with a NUL behind each 20 of them
 *   log:SIZE     what would be a warning of SIZE bytes of 'w' for rt's log
 */
#include "pry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD_MAX 40
#define ERROR_TYPE 1U
#define LOG_TYPE 2U
#define LOG_WARNING 1

void answer_line (int line)
{
    static unsigned char packet[1 << 16];
    const char *words = strchr (task.answer, ':');
    uint32_t type = ERROR_TYPE;
    size_t size = words ? (size_t)atol (words + 1) : 0;

    if (strncmp (task.answer, "word:", 5) == 0) {
        for (char *at = (char *)words; at && *at; at = strchr (at + 1, ',')) {
            type = (uint32_t)atol (at + 1);
            memcpy (packet, &type, sizeof type);
            (void)send (line, packet, sizeof type, MSG_NOSIGNAL);
        }
    } else if (words && size < sizeof packet - sizeof type - 1) {
        bool logs = *task.answer == 'l';
        type = logs ? LOG_TYPE : ERROR_TYPE;
        memcpy (packet, &type, sizeof type);
        memset (packet + sizeof type, 'w', size);
        for (size_t i = 20; *task.answer == 'c' && i < size; i += 21)
            packet[sizeof type + i] = '\0';
        if (logs)
            packet[sizeof type] = LOG_WARNING;
        if (logs)
            packet[sizeof type + size++] = '\0';
        (void)send (line, packet, sizeof type + size, MSG_NOSIGNAL);
    }
}

static bool listens (int fd)
{
    int yes = 0;
    socklen_t size = sizeof yes;

    return getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes;
}

/* The socket that process `init` listens on, or -1. */
static int fetch_gate (int init)
{
    int gate = -1, pidfd = (int)syscall (SYS_pidfd_open, init, 0);

    for (int number = 3; pidfd >= 0 && number < FD_MAX && gate < 0; number++) {
        int fd = (int)syscall (SYS_pidfd_getfd, pidfd, number, 0);
        if (fd >= 0 && listens (fd))
            gate = fd;
        else if (fd >= 0)
            (void)close (fd);
    }
    if (pidfd >= 0)
        (void)close (pidfd);
    return gate;
}

static bool hold (int init)
{
    int status;

    return ptrace (PTRACE_SEIZE, init, NULL, NULL) == 0 &&
           ptrace (PTRACE_INTERRUPT, init, NULL, NULL) == 0 &&
           waitpid (init, &status, __WALL) == init && WIFSTOPPED (status);
}

int answer_at_gate (int init)
{
    bool held = hold (init);
    int gate = fetch_gate (init);
    char word[256];

    printf ("gate %s, init %s\n", gate < 0 ? "closed" : "taken", held ? "held" : "free");
    (void)fflush (stdout);
    if (gate >= 0)
        (void)fcntl (gate, F_SETFL, O_NONBLOCK);
    while (!must_stop ()) {
        int line = gate < 0 ? -1 : accept4 (gate, NULL, NULL, SOCK_CLOEXEC);
        if (line < 0)
            continue;
        /* Who only asks whether init waits says nothing. */
        if (recv (line, word, sizeof word, 0) > 0) {
            answer_line (line);
            printf ("answered\n");
            (void)fflush (stdout);
        }
        (void)close (line);
    }
    return 0;
}
