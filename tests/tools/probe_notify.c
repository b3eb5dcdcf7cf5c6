/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_notify: what the container says at its NOTIFY_SOCKET (sd_notify(3)).
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int send_notify (const char *message, const int *fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv ("NOTIFY_SOCKET");
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE (sizeof (int))];
    } control = {0};
    struct iovec part = {.iov_base = (void *)message, .iov_len = strlen (message)};
    struct msghdr header = {
        .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &part, .msg_iovlen = 1};
    if (!path) {
        errno = ENOENT;
        return -1;
    }
    snprintf (address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd) {
        header.msg_control = &control;
        header.msg_controllen = sizeof control.room;
        *CMSG_FIRSTHDR (&header) = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN (sizeof *fd)};
        memcpy (CMSG_DATA (CMSG_FIRSTHDR (&header)), fd, sizeof *fd);
    }
    int sender = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int ret = sender < 0 ? -1 : (int)sendmsg (sender, &header, MSG_NOSIGNAL);
    if (sender >= 0)
        close (sender);
    return ret;
}

/* notify LINE...: one message to NOTIFY_SOCKET. */
int op_notify (char **argv)
{
    char message[8192] = "";
    for (int i = 1; argv[i]; i++) {
        strncat (message, argv[i], sizeof message - strlen (message) - 2);
        strcat (message, argv[i + 1] ? "\n" : "");
    }
    told ("notify", argv[1], send_notify (message, NULL));
    return 0;
}

/* barrier: waits until what was sent to NOTIFY_SOCKET has been read. */
int op_barrier (char **argv)
{
    int ends[2];
    (void)argv;
    if (pipe2 (ends, O_CLOEXEC) < 0)
        return 95;
    int ret = send_notify ("BARRIER=1", &ends[1]);
    close (ends[1]);
    struct pollfd closed = {.fd = ends[0]};
    if (ret >= 0)
        ret = poll (&closed, 1, 20000);
    told ("barrier", "", ret);
    return 0;
}
