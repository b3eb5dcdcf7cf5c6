/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfile: the file of --pid-file: the pid in decimal, nothing else (CRT-06..08).
 */
#ifndef RT_LIFECYCLE_PIDFILE_H
#define RT_LIFECYCLE_PIDFILE_H

#include "base/error.h"

#include <sys/types.h>

/* Whole or not at all: a temporary file in the same directory, then rename. `path` is absolute. */
int pidfile_write (const char *path, pid_t pid, struct error *err);

#endif
