/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfile: the file of --pid-file: the pid in decimal, nothing else (CRT-06..08).
 */
#ifndef RT_LIFECYCLE_PIDFILE_H
#define RT_LIFECYCLE_PIDFILE_H

#include "base/error.h"

#include <sys/types.h>

/* Where `path`, which is absolute, is a regular file or nothing: whole or not at all, by a
 * temporary file in the same directory and rename. What else is there (a device, a pipe, a link)
 * stays and is written to; a pipe that takes nothing is an error, at the latest after
 * base/patience.h. */
int pidfile_write (const char *path, pid_t pid, struct error *err);

/* Undoes it: removes the file if it is the one that pidfile_write () has made. */
void pidfile_remove (const char *path);

#endif
