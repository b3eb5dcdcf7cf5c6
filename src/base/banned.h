/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned: calls that have no place in rt. Included by the compiler's command line in front of every
 * file, so that none can forget it.
 */
#ifndef RT_BASE_BANNED_H
#define RT_BASE_BANNED_H

#include <linux/bpf.h> /* names helpers strtol and strtoul, so it must come before the poison */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* glibc makes macros of these for clang where _FORTIFY_SOURCE is set. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atoll strtol strtoll strtoul strtoull system popen
#pragma GCC poison tmpnam mktemp gmtime localtime ctime asctime

#endif
