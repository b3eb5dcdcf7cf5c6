/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: the terminal of a container (config.md, process.terminal).
 *
 * The pseudo-terminal is made inside, from the container's own devpts, and never by a name that the
 * image controls: ptmx is opened through kernel/inroot and checked to be on devpts, its other side
 * comes from TIOCGPTPEER (Linux 4.13) and is checked to be character device 136:*.
 * (CVE-2025-52565.)
 */
#ifndef RT_CONTAINER_CONSOLE_H
#define RT_CONTAINER_CONSOLE_H

#include "base/error.h"
#include "kernel/mountfd.h"
#include "oci-spec/process.h"

#include <sys/types.h>

struct console {
    int ptmx;      /* to be handed outside; -1 = none */
    int pts;       /* the container's side */
    char name[32]; /* "/dev/pts/0" as the container sees it */
};

/* inside, after the mounts: opens the pair below `root`, sets the size (NULL = leave) and gives the
 * pts to `uid` (the group stays devpts' own). */
int console_open (int root, const struct oci_console_size *size, uid_t uid, struct console *console,
                  struct error *err);

/* inside, before the root becomes read-only and before pivot_root: binds the pts over
 * ROOT/dev/console (made where missing; never through a link). `own`: the mounts that are the
 * container's alone. In a /dev that is on none of them (kernel/owndev.h) nothing is made and no
 * link is taken away: a console must be there. */
int console_bind (int root, const struct mountfd_ids *own, const struct console *console,
                  struct error *err);

/* inside, last: a session of its own with the pts as controlling terminal and as 0, 1 and 2. */
int console_attach (const struct console *console, struct error *err);

/* inside, in a process that will clone the one that gets the terminal: the pts as 0, 1 and 2. */
int console_streams (const struct console *console, struct error *err);

/* outside: one message with the ptmx and its name over a connected stream socket (TTY-09, ENG-14).
 */
int console_send (int socket, int ptmx, const char *name, struct error *err);

#endif
