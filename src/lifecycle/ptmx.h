/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptmx: who gets the outside of a container's terminal: rt itself, which stays in front, or who
 * listens at --console-socket. For init and for exec alike.
 */
#ifndef RT_LIFECYCLE_PTMX_H
#define RT_LIFECYCLE_PTMX_H

#include "base/error.h"

#include <stdbool.h>

/* Pure: a terminal needs somebody who takes its outside, and a socket for it needs a terminal
 * (CRT-18, CRT-19). */
int ptmx_check (bool terminal, bool detached, const char *console_socket, struct error *err);

/* Connects; -1 in *socket where there is none to connect to. */
int ptmx_connect (const char *console_socket, int *socket, struct error *err);

/* The terminal has arrived, and its process has not begun: sends it on, by the name of its inside,
 * and closes *socket; or gives it to *ptmx, fitted to the caller's terminal, where *socket is -1.
 * *fd is taken. */
int ptmx_take (int *fd, const char *name, int *socket, int *ptmx, struct error *err);

#endif
