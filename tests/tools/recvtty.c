/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recvtty: the receiver of a console socket, in the place of conmon and containerd's shim, and
 * stricter than they are: one connection, one message with a name and exactly one descriptor, which
 * is a ptmx, and then nothing.
 *
 *   recvtty [-k] [-o FILE] [-s ROWSxCOLUMNS] SOCKET
 *
 * SOCKET appears when connections are taken. What the container writes goes to standard output or
 * to FILE, what comes from standard input goes to the container (with -o nothing does). -k keeps
 * the terminal's NL to CR NL, which a receiver switches off. The first line on standard error is
 * the name that came with the terminal. Exit status: 0 when the container has closed the terminal,
 * 1 for trouble, 3 for a sender that does not keep to the protocol.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

enum { NOT_THE_PROTOCOL = 3, NAME_ROOM = 4096 };

struct options {
    bool keep_newlines;
    const char *output;
    unsigned short rows, columns;
    const char *socket;
};

static struct options read_options (int argc, char **argv)
{
    struct options options = {.output = NULL};
    int option;

    while ((option = getopt (argc, argv, "ko:s:")) >= 0) {
        if (option == 'k')
            options.keep_newlines = true;
        else if (option == 'o')
            options.output = optarg;
        else if (option != 's' || sscanf (optarg, "%hux%hu", &options.rows, &options.columns) != 2)
            errx (1, "usage: recvtty [-k] [-o FILE] [-s ROWSxCOLUMNS] SOCKET");
    }
    if (optind + 1 != argc)
        errx (1, "usage: recvtty [-k] [-o FILE] [-s ROWSxCOLUMNS] SOCKET");
    options.socket = argv[optind];
    return options;
}

/* Listens first and takes the name after: who sees the name can connect. */
static int accept_one (const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char waiting[sizeof address.sun_path + 2];

    if ((size_t)snprintf (waiting, sizeof waiting, "%s~", path) >= sizeof address.sun_path)
        errx (1, "%s: longer than a socket's name can be", path);
    memcpy (address.sun_path, waiting, strlen (waiting) + 1);
    int listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind (listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen (listener, 1) < 0 || rename (waiting, path) < 0)
        err (1, "listen at %s", path);
    int connection = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0)
        err (1, "accept at %s", path);
    (void)close (listener);
    (void)unlink (path);
    return connection;
}

static int only_descriptor (struct msghdr *message)
{
    int fd = -1;
    struct cmsghdr *header = CMSG_FIRSTHDR (message);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN (sizeof fd) || CMSG_NXTHDR (message, header))
        errx (NOT_THE_PROTOCOL, "the message has not exactly one descriptor");
    memcpy (&fd, CMSG_DATA (header), sizeof fd);
    return fd;
}

static int receive_ptmx (int connection)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE (8 * sizeof (int))];
    } control;
    char name[NAME_ROOM];
    struct iovec part = {.iov_base = name, .iov_len = sizeof name - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control.room};
    struct stat st;

    ssize_t length = recvmsg (connection, &message, MSG_CMSG_CLOEXEC);
    if (length < 0)
        err (1, "receive");
    if (length == 0)
        errx (NOT_THE_PROTOCOL, "the sender closed the connection without a message");
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        errx (NOT_THE_PROTOCOL, "the message is too long");
    if (memchr (name, '\0', (size_t)length))
        errx (NOT_THE_PROTOCOL, "the name has a NUL");
    name[length] = '\0';
    int ptmx = only_descriptor (&message);
    if (fstat (ptmx, &st) < 0 || !S_ISCHR (st.st_mode) || st.st_rdev != makedev (5, 2))
        errx (NOT_THE_PROTOCOL, "the descriptor is no ptmx");
    if (recv (connection, &control, 1, 0) != 0)
        errx (NOT_THE_PROTOCOL, "the sender did not close the connection after the message");
    (void)fprintf (stderr, "%s\n", name);
    return ptmx;
}

static void set_up (int ptmx, const struct options *options)
{
    struct termios modes;
    if (!options->keep_newlines) {
        if (tcgetattr (ptmx, &modes) < 0)
            err (1, "tcgetattr");
        modes.c_oflag &= ~(tcflag_t)ONLCR;
        if (tcsetattr (ptmx, TCSANOW, &modes) < 0)
            err (1, "tcsetattr");
    }
    struct winsize size = {.ws_row = options->rows, .ws_col = options->columns};
    if (options->rows > 0 && ioctl (ptmx, TIOCSWINSZ, &size) < 0)
        err (1, "TIOCSWINSZ");
}

static void write_whole (int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = write (fd, bytes, length);
        if (count < 0)
            err (1, "write");
        bytes += count;
        length -= (size_t)count;
    }
}

static void carry (int ptmx, int in, int out)
{
    char bytes[4096];
    struct pollfd polls[] = {{.fd = ptmx, .events = POLLIN}, {.fd = in, .events = POLLIN}};

    for (;;) {
        if (poll (polls, 2, -1) < 0)
            err (1, "poll");
        if (polls[0].revents) {
            ssize_t count = read (ptmx, bytes, sizeof bytes);
            if (count == 0 || (count < 0 && errno == EIO))
                return;
            if (count < 0)
                err (1, "read the terminal");
            write_whole (out, bytes, (size_t)count);
        }
        if (polls[1].revents) {
            ssize_t count = read (in, bytes, sizeof bytes);
            if (count > 0)
                write_whole (ptmx, bytes, (size_t)count);
            else
                polls[1].fd = -1;
        }
    }
}

int main (int argc, char **argv)
{
    struct options options = read_options (argc, argv);
    int in = STDIN_FILENO;
    int out = STDOUT_FILENO;

    if (options.output) {
        in = -1;
        out = open (options.output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (out < 0)
            err (1, "%s", options.output);
    }
    int connection = accept_one (options.socket);
    int ptmx = receive_ptmx (connection);
    (void)close (connection);
    set_up (ptmx, &options);
    carry (ptmx, in, out);
    return 0;
}
