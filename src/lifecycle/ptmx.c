/* SPDX-License-Identifier: Apache-2.0 */
/* ptmx: see ptmx.h. */
#include "lifecycle/ptmx.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "container/console.h"
#include "lifecycle/terminal.h"

#include <errno.h>
#include <sys/socket.h>

int ptmx_check (bool terminal, bool detached, const char *console_socket, struct error *err)
{
    if (terminal && detached && !console_socket) {
        error_set (err, "RT-CONSOLE-SOCKET", 0,
                   "a detached container with a terminal needs --console-socket");
        error_at (err, "/process/terminal");
        return error_hint (err, "run it in the foreground, or set process.terminal to false");
    }
    if (console_socket && !(terminal && detached))
        return error_set (err, "RT-CONSOLE-SOCKET", 0,
                          "--console-socket is of no use for a container %s",
                          terminal ? "in the foreground" : "without a terminal");
    return 0;
}

int ptmx_connect (const char *console_socket, int *socket, struct error *err)
{
    if (!console_socket)
        return 0;
    int fd = fd_connect_unix (console_socket, SOCK_STREAM, err);
    if (fd < 0)
        return error_wrap (err, "--console-socket");
    *socket = fd;
    return 0;
}

int ptmx_take (int *fd, const char *name, int *socket, int *ptmx, struct error *err)
{
    AUTO_FD int taken = take_fd (fd);

    if (*socket < 0) {
        /* Before the process uses it; a size of the document stays where the caller has none. */
        terminal_copy_size (taken);
        if (terminal_keep_newlines (taken) < 0)
            return error_set (err, "RT-TERMINAL", errno, "cannot set the modes of the terminal");
        *ptmx = take_fd (&taken);
        return 0;
    }
    if (console_send (*socket, taken, name, err) < 0)
        return -1;
    drop_fd (socket);
    return 0;
}
