/* SPDX-License-Identifier: Apache-2.0 */
/*
 * given: the bundle and the documents that the command line names. They may lie on a file system
 * that never answers: kernel/opener asks it.
 */
#ifndef RT_LIFECYCLE_GIVEN_H
#define RT_LIFECYCLE_GIVEN_H

#include "base/error.h"

#include <limits.h>
#include <stddef.h>

/* Absolute and without symbolic links: for what must exist. `what`: "bundle". */
int given_resolve (const char *path, const char *what, char resolved[PATH_MAX], struct error *err);

/* Opens a document, a regular file or a pipe, for a read of `limit` bytes at most; `hint` for one
 * that is missing, or NULL. The descriptor, or -1. */
int given_open_document (const char *path, size_t limit, const char *hint, struct error *err);

/* The places of what the command makes or connects to: -1 where one is on a file system that does
 * not answer. Each may be NULL. */
int given_ask_places (const char *const paths[], size_t count, struct error *err);

/* At the end of a command, and before it makes a process that is to have nothing of rt's: what
 * asked has ended. Never fails. */
void given_end (void);

#endif
