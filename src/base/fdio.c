/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdio: see fdio.h.
 */
#include "fdio.h"

#include "cleanup.h"
#include "interrupt.h"
#include "patience.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX 8

#define CONNECT_SLICE_MS 100

#define SEAL_TIMEOUT_MS 1000

static ssize_t read_again (int fd, void *bytes, size_t size)
{
    ssize_t n;
    do
        n = read (fd, bytes, size);
    while (n < 0 && errno == EINTR);
    return n;
}

/* A pipe, a terminal: what has something to read only when someone writes. */
static bool may_be_silent (const struct stat *st)
{
    return S_ISFIFO (st->st_mode) || S_ISSOCK (st->st_mode) || S_ISCHR (st->st_mode);
}

static int await_bytes (int fd, const char *what, struct error *err)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int count = interrupt_poll (&ready, 1, patience_ms ());

    if (count > 0)
        return 0;
    if (count < 0)
        return errno == EINTR ? interrupt_error (err)
                              : error_set (err, "RT-FILE-READ", errno, "read `%s`", what);
    error_set (err, "RT-FILE-READ", ETIMEDOUT, "read `%s`", what);
    return error_hint (err, "waited %g s for its writer", patience_seconds ());
}

char *fd_read_all (int fd, size_t limit, size_t *length, const char *what, struct error *err)
{
    struct stat st;
    size_t size = 4096;
    bool known = fstat (fd, &st) == 0;
    bool waits = known && may_be_silent (&st);
    if (known && S_ISREG (st.st_mode) && st.st_size > 0 && (uintmax_t)st.st_size <= limit)
        size = (size_t)st.st_size + 2; /* one byte more than the file shows its end at once */

    AUTO_FREE char *bytes = malloc (size);
    if (!bytes) {
        error_set (err, "RT-MEMORY", ENOMEM, "read `%s`", what);
        return NULL;
    }
    size_t used = 0;
    for (;;) {
        if (used + 1 >= size) {
            size_t larger = size * 2;
            char *moved = realloc (bytes, larger);
            if (!moved) {
                error_set (err, "RT-MEMORY", ENOMEM, "read `%s`", what);
                return NULL;
            }
            bytes = moved;
            size = larger;
        }
        if (waits && await_bytes (fd, what, err) < 0)
            return NULL;
        ssize_t n = read_again (fd, bytes + used, size - used - 1);
        if (n < 0 && waits && errno == EAGAIN)
            continue;
        if (n < 0) {
            error_set (err, "RT-FILE-READ", errno, "read `%s`", what);
            return NULL;
        }
        if (n == 0)
            break;
        used += (size_t)n;
        if (used > limit) {
            error_set (err, "RT-FILE-SIZE", 0, "`%s` is longer than %zu bytes", what, limit);
            return NULL;
        }
    }
    bytes[used] = '\0';
    if (length)
        *length = used;
    return take_pointer (&bytes);
}

ssize_t fd_read_small (int fd, char *buffer, size_t size)
{
    ssize_t n = read_again (fd, buffer, size - 1);
    if (n >= 0)
        buffer[n] = '\0';
    return n;
}

/* timeout_ms NULL: no wait, and EAGAIN is a failure. */
static int write_rest (int fd, const char *rest, size_t length, const int *timeout_ms)
{
    while (length > 0) {
        if (timeout_ms && interrupt_await_output (fd, *timeout_ms) < 0)
            return -1;
        ssize_t n = write (fd, rest, length);
        if (n < 0 && (errno == EINTR || (timeout_ms && errno == EAGAIN)))
            continue;
        if (n < 0)
            return -1;
        rest += n;
        length -= (size_t)n;
    }
    return 0;
}

int fd_write_all (int fd, const void *bytes, size_t length)
{
    return write_rest (fd, bytes, length, NULL);
}

int fd_write_within (int fd, const void *bytes, size_t length, int timeout_ms)
{
    return write_rest (fd, bytes, length, &timeout_ms);
}

ssize_t fd_read_file_at (int dir, const char *name, char *buffer, size_t size)
{
    AUTO_FD int fd = openat (dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -1 : fd_read_small (fd, buffer, size);
}

int fd_write_file_at (int dir, const char *name, const char *string)
{
    AUTO_FD int fd = openat (dir, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -1;
    /* The kernel's files take a value in one call: the rest of a short write would be a value of
     * its own. */
    size_t length = strlen (string);
    ssize_t n;
    do
        n = write (fd, string, length);
    while (n < 0 && errno == EINTR);
    if (n >= 0 && (size_t)n != length) {
        errno = EIO;
        return -1;
    }
    return n < 0 ? -1 : 0;
}

int fd_seal (int memfd, int seals)
{
    struct wait wait = wait_begin (SEAL_TIMEOUT_MS);

    while (fcntl (memfd, F_ADD_SEALS, seals) < 0)
        if (errno != EBUSY || !wait_more (&wait))
            return -1;
    return 0;
}

int fd_mkdir_at (int dir, const char *name, mode_t mode)
{
    mode_t callers = umask (0);
    int result = mkdirat (dir, name, mode);
    int saved = errno;

    (void)umask (callers);
    errno = saved;
    return result;
}

int fd_socketpair (int type, int pair[2], struct error *err)
{
    if (socketpair (AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set (err, "RT-SOCKET", errno, "make a pair of sockets");
    return 0;
}

int fd_send (int socket, const void *bytes, size_t length, const int *fds, size_t fd_count)
{
    if (fd_count > FDS_MAX) {
        errno = EMSGSIZE;
        return -1;
    }
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE (FDS_MAX * sizeof (int))];
    } control = {0};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE (fd_count * sizeof (int));
        struct cmsghdr *header = CMSG_FIRSTHDR (&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN (fd_count * sizeof (int));
        memcpy (CMSG_DATA (header), fds, fd_count * sizeof (int));
    }
    /* A stream may take a part only; the descriptors go with the first byte. */
    while (true) {
        ssize_t n = sendmsg (socket, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if ((size_t)n >= part.iov_len)
            return 0;
        part.iov_base = (char *)part.iov_base + n;
        part.iov_len -= (size_t)n;
        message.msg_control = NULL;
        message.msg_controllen = 0;
    }
}

/* Copies what fits into fds[room]; closes the rest. Returns how many arrived. */
static size_t collect_fds (struct msghdr *message, int *fds, size_t room)
{
    size_t arrived = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR (message); header;
         header = CMSG_NXTHDR (message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (header->cmsg_len - CMSG_LEN (0)) / sizeof (int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy (&fd, CMSG_DATA (header) + i * sizeof (int), sizeof fd);
            if (arrived < room)
                fds[arrived] = fd;
            else
                (void)close (fd);
            arrived++;
        }
    }
    return arrived;
}

static pid_t sender_of (struct msghdr *message)
{
    struct ucred who = {.pid = 0};

    for (struct cmsghdr *header = CMSG_FIRSTHDR (message); header;
         header = CMSG_NXTHDR (message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS)
            memcpy (&who, CMSG_DATA (header), sizeof (who));
    return who.pid;
}

ssize_t fd_receive_from (int socket, void *bytes, size_t size, int *fds, size_t *fd_count,
                         pid_t *sender)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE (FDS_MAX * sizeof (int)) + CMSG_SPACE (sizeof (struct ucred))];
    } control = {0};
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control.room};
    ssize_t n;
    do
        n = recvmsg (socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -1;

    if (sender)
        *sender = sender_of (&message);
    size_t room = fd_count ? *fd_count : 0;
    size_t arrived = collect_fds (&message, fds, room);
    if (arrived > room || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        for (size_t i = 0; i < arrived && i < room; i++)
            (void)close (fds[i]);
        if (fd_count)
            *fd_count = 0;
        errno = EMSGSIZE;
        return -1;
    }
    if (fd_count)
        *fd_count = arrived;
    return n;
}

ssize_t fd_receive (int socket, void *bytes, size_t size, int *fds, size_t *fd_count)
{
    return fd_receive_from (socket, bytes, size, fds, fd_count, NULL);
}

int fd_ask_sender (int socket)
{
    const int on = 1;

    return setsockopt (socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof (on));
}

/* How long connect and send wait in the kernel. */
static int limit_calls (int fd, int ms)
{
    const struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    return setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* A full queue cannot be polled for: it is waited for in the call, and the signals that end rt are
 * looked at from time to time. */
static int connect_within (int fd, const struct sockaddr *address, socklen_t length, bool blocking)
{
    struct wait wait = wait_begin (patience_ms ());

    for (;;) {
        int left = wait_left (&wait);
        if (limit_calls (fd, left > CONNECT_SLICE_MS ? CONNECT_SLICE_MS : left > 0 ? left : 1) < 0)
            return -1;
        if (connect (fd, address, length) == 0)
            return limit_calls (fd, patience_ms ());
        if (errno != EINTR && (errno != EAGAIN || !blocking || left == 0))
            return -1;
        if (interrupt_poll (NULL, 0, 0) < 0)
            return -1;
    }
}

static int connect_address (const struct sockaddr_un *address, size_t length, int type)
{
    AUTO_FD int fd = socket (AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect_within (fd, (const struct sockaddr *)address, (socklen_t)length,
                                  !(type & SOCK_NONBLOCK)) < 0)
        return -1;
    return take_fd (&fd);
}

int fd_connect_unix_at (int dir, const char *name, int type)
{
    /* By way of a descriptor, any length of path fits into sun_path. */
    AUTO_FD int file = openat (dir, name, O_PATH | O_CLOEXEC);
    if (file < 0)
        return -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", file);
    return connect_address (&address, sizeof address, type);
}

int fd_connect_abstract (const char *name, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen (name);
    if (length >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy (address.sun_path + 1, name, length);
    return connect_address (&address, offsetof (struct sockaddr_un, sun_path) + 1 + length, type);
}

int fd_connect_unix (const char *path, int type, struct error *err)
{
    int fd = fd_connect_unix_at (AT_FDCWD, path, type);
    if (fd >= 0)
        return fd;
    if (errno == EINTR)
        return interrupt_error (err);
    error_set (err, "RT-SOCKET", errno, "connect to the socket `%s`", path);
    if (err->errnum == EAGAIN)
        return error_hint (err, "waited %g s for its owner, who accepts nobody",
                           patience_seconds ());
    return -1;
}

/* The file is the owner's to read and write, whatever the caller's umask. */
static int bind_private (int fd, const struct sockaddr_un *address)
{
    mode_t callers = umask (0177);
    int result = bind (fd, (const struct sockaddr *)address, sizeof *address);
    int saved = errno;

    (void)umask (callers);
    errno = saved;
    return result;
}

int fd_bind_unix_at (int dir, const char *name, int type, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length =
        snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, name);
    if (length < 0 || (size_t)length >= sizeof address.sun_path)
        return error_set (err, "RT-SOCKET", ENAMETOOLONG, "make the socket `%s`", name);

    AUTO_FD int fd = socket (AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind_private (fd, &address) < 0)
        return error_set (err, "RT-SOCKET", errno, "make the socket `%s`", name);
    return take_fd (&fd);
}

int fd_listen_unix_at (int dir, const char *name, int type, struct error *err)
{
    AUTO_FD int fd = fd_bind_unix_at (dir, name, type, err);
    if (fd < 0)
        return -1;
    if (listen (fd, SOMAXCONN) < 0)
        return error_set (err, "RT-SOCKET", errno, "listen at the socket `%s`", name);
    return take_fd (&fd);
}
