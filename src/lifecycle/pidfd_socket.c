/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd_socket: see pidfd_socket.h. */
#include "lifecycle/pidfd_socket.h"

#include "base/cleanup.h"
#include "base/fdio.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int pidfd_socket_connect (const char *path, const char *asked_by, int *socket, struct error *err)
{
    if (!path)
        return 0;
    int fd = fd_connect_unix (path, SOCK_STREAM, err);
    if (fd < 0)
        return error_wrap (err, "%s", asked_by);
    *socket = fd;
    return 0;
}

int pidfd_socket_send (int *socket, const char *word, int pidfd, struct error *err)
{
    AUTO_FD int receiver = take_fd (socket);

    if (receiver < 0 || fd_send (receiver, word, strlen (word), &pidfd, 1) == 0)
        return 0;
    return error_set (err, "RT-PIDFD-SEND", errno, "cannot hand over the process's pidfd");
}
