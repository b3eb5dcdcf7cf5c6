/* SPDX-License-Identifier: Apache-2.0 */
/* door: see door.h. */
#include "kernel/door.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

const uint32_t door_calls[DOOR_CALLS] = {SYS_sendmsg, SYS_recvmsg, SYS_close};

int door_make (uint32_t door[DOOR_WORDS])
{
    /* So few bytes come whole. */
    return getrandom (door, DOOR_WORDS * sizeof (*door), 0) < 0 ? -1 : 0;
}

int door_send (const uint32_t door[DOOR_WORDS], int socket, const void *bytes, size_t length,
               int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE (sizeof (int))];
    } control = {.header = {.cmsg_len = CMSG_LEN (sizeof (int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    const struct msghdr message = {.msg_iov = &part,
                                   .msg_iovlen = 1,
                                   .msg_control = fd < 0 ? NULL : &control,
                                   .msg_controllen = fd < 0 ? 0 : sizeof (control)};
    long sent;

    memcpy (CMSG_DATA (&control.header), &fd, sizeof (fd));
    do
        sent = syscall (SYS_sendmsg, socket, &message, MSG_NOSIGNAL, door[0], door[1], door[2]);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

ssize_t door_receive (const uint32_t door[DOOR_WORDS], int socket, void *bytes, size_t size)
{
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    long length;

    do
        length = syscall (SYS_recvmsg, socket, &message, 0, door[0], door[1], door[2]);
    while (length < 0 && errno == EINTR);
    return length;
}

void door_close (const uint32_t door[DOOR_WORDS], int fd)
{
    (void)syscall (SYS_close, fd, 0, 0, door[0], door[1], door[2]);
}
