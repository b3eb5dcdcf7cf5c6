/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_agent: see seccomp_agent.h. */
#include "container/seccomp_agent.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/json_write.h"
#include "base/text.h"

#include <errno.h>
#include <sys/socket.h>

static void write_message (struct text *text, const struct oci_seccomp *seccomp, pid_t pid,
                           const struct oci_state *state)
{
    struct json_writer writer = {.out = text};

    json_open (&writer, NULL, '{');
    json_string (&writer, "ociVersion", OCI_VERSION);
    json_open (&writer, "fds", '[');
    json_string (&writer, NULL, "seccompFd");
    json_close (&writer, ']');
    json_int (&writer, "pid", pid);
    if (seccomp->listener_metadata)
        json_string (&writer, "metadata", seccomp->listener_metadata);
    text_puts (text, ",\"state\":");
    oci_state_write (text, state, false);
    json_close (&writer, '}');
}

static int not_reached (struct error *err)
{
    error_wrap (err, "cannot connect to the seccomp agent");
    return error_at (err, "/linux/seccomp/listenerPath");
}

int seccomp_agent_prepare (const struct oci_seccomp *seccomp, struct error *err)
{
    struct error found = {0};

    /* A socket of another type than the one that is asked for is told from none at all. */
    AUTO_FD int wrong = fd_connect_unix (seccomp->listener_path, SOCK_DGRAM, &found);
    if (wrong < 0 && found.errnum == EPROTOTYPE)
        return 0;
    if (wrong >= 0)
        error_set (&found, "RT-SECCOMP-AGENT", 0, "%s is not a stream socket",
                   seccomp->listener_path);
    *err = found;
    return not_reached (err);
}

int seccomp_agent_grant (const struct oci_seccomp *seccomp, pid_t pid,
                         const struct oci_state *state, int listener, struct error *err)
{
    AUTO_TEXT struct text text = {0};

    AUTO_FD int agent = fd_connect_unix (seccomp->listener_path, SOCK_STREAM, err);
    if (agent < 0)
        return not_reached (err);
    write_message (&text, seccomp, pid, state);
    if (fd_send (agent, text.bytes, text.length, &listener, 1) == 0)
        return 0;
    error_set (err, "RT-SECCOMP-AGENT", errno, "cannot send to the seccomp agent at %s",
               seccomp->listener_path);
    return error_at (err, "/linux/seccomp/listenerPath");
}
