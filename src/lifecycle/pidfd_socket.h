/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfd_socket: who gets a descriptor of the process that rt makes: who listens at --pidfd-socket,
 * and at the socket that the annotation run.oci.pidfd_receiver names. Its holder can signal the
 * process and wait for its end, and never meets another one of the same number.
 *
 * One message: the pidfd, with a word that says what it is (as runc).
 */
#ifndef RT_LIFECYCLE_PIDFD_SOCKET_H
#define RT_LIFECYCLE_PIDFD_SOCKET_H

#include "base/error.h"

#define PIDFD_WORD_INIT "standard"
#define PIDFD_WORD_EXEC "setns"

/* Before the clone, while there is nothing to undo: connects to the stream socket at `path`.
 * `path` NULL: *socket stays as it is. `asked_by` is for the error text. */
int pidfd_socket_connect (const char *path, const char *asked_by, int *socket, struct error *err);

/* Sends and closes *socket; -1 in it: it was not asked for. */
int pidfd_socket_send (int *socket, const char *word, int pidfd, struct error *err);

#endif
