/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdio: whole reads and writes, and descriptors over sockets. EINTR is handled here and nowhere
 * else. Names in error texts come from the caller (`what`: a path or a word).
 */
#ifndef RT_BASE_FDIO_H
#define RT_BASE_FDIO_H

#include "error.h"

#include <stddef.h>
#include <sys/types.h>

/* Everything that is left to read. A pipe or a terminal that stays silent is waited for no longer
 * than patience.h says. Up to `limit` bytes (more is an error: RT-FILE-SIZE). The result is
 * terminated by a NUL that is not counted, and is the caller's to free (). */
char *fd_read_all (int fd, size_t limit, size_t *length, const char *what, struct error *err);

/* For small files of /proc and cgroupfs: one read into `buffer`, terminated; the length or -1 with
 * errno set (no struct error: such a failure is often an answer). */
ssize_t fd_read_small (int fd, char *buffer, size_t size);

/* All bytes or -1 with errno. */
int fd_write_all (int fd, const void *bytes, size_t length);

/* The same to what may not take them: -1 with ETIMEDOUT where it takes nothing for timeout_ms (-1 =
 * no limit), with EINTR where rt is to end (base/interrupt.h). Of a blocking descriptor up to
 * PIPE_BUF bytes. */
int fd_write_within (int fd, const void *bytes, size_t length, int timeout_ms);

/* openat (O_CLOEXEC) below a directory that rt owns (state, cgroupfs), read or written in one
 * call: 0 or -1 with errno. fd_write_file never creates and never truncates: for files of the
 * kernel. */
ssize_t fd_read_file_at (int dir, const char *name, char *buffer, size_t size);
int fd_write_file_at (int dir, const char *name, const char *string);

/* Adds these seals (F_SEAL_*) to a memfd: 0 or -1 with errno. The kernel refuses F_SEAL_WRITE
 * (EBUSY) as long as it holds one of the pages itself, which passes by itself: it is asked again
 * for a second. */
int fd_seal (int memfd, int seals);

/* mkdirat with exactly this mode: what the caller's umask takes away, only root could do without. 0
 * or -1 with errno. */
int fd_mkdir_at (int dir, const char *name, mode_t mode);

/* A pair of connected AF_UNIX sockets, close-on-exec. type: SOCK_SEQPACKET or SOCK_STREAM. */
int fd_socketpair (int type, int pair[2], struct error *err);

/* One message with at most 8 descriptors over an AF_UNIX socket. fd_send: 0 or -1 with errno.
 * fd_receive: bytes received (0 = closed) or -1 with errno; *fd_count says room and then number,
 * descriptors arrive close-on-exec. A truncated message or too many descriptors is -1, EMSGSIZE,
 * and whatever arrived is closed. */
int fd_send (int socket, const void *bytes, size_t length, const int *fds, size_t fd_count);
ssize_t fd_receive (int socket, void *bytes, size_t size, int *fds, size_t *fd_count);

/* The same, where the socket asks for its peer's number (fd_ask_sender): *sender is the process
 * that sent this packet, by the kernel, in this process's pid namespace; 0 where the kernel does
 * not tell. */
ssize_t fd_receive_from (int socket, void *bytes, size_t size, int *fds, size_t *fd_count,
                         pid_t *sender);
int fd_ask_sender (int socket);

/* Connects to the AF_UNIX socket at `path` (of `type`), which may be longer than sun_path.
 * The descriptor or -1. Neither this nor what is sent there later waits longer than patience.h
 * says: for a server that accepts nobody, or one that does not read (EAGAIN). */
int fd_connect_unix (const char *path, int type, struct error *err);

/* The same for the name of an abstract socket, of this network namespace. -1 with errno. */
int fd_connect_abstract (const char *name, int type);

/* The same below a directory: listen or connect at `name` in `dir`; or, of datagrams, only be
 * there. The file is the owner's alone (0600). */
int fd_bind_unix_at (int dir, const char *name, int type, struct error *err);
int fd_listen_unix_at (int dir, const char *name, int type, struct error *err);
int fd_connect_unix_at (int dir, const char *name, int type); /* -1 with errno */

#endif
