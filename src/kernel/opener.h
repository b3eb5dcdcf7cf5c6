/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opener: the one door to paths of rt's caller on file systems that may not answer (a FUSE without
 * a server, a dead NFS). A process that asks one sleeps in the kernel, where no signal reaches it,
 * so it must not be rt that asks.
 *
 * First it is looked up in what the kernel has in memory: openat2 with RESOLVE_CACHED (Linux 5.12)
 * never sleeps. Where that is not enough, or what was found is on a file system that would have to
 * be asked, a child opens it, asks the file system and sends the descriptor. It has no descriptor
 * of rt's, so a child that never ends holds nothing of the caller's. It is given up when the time
 * is over (base/patience.h) or a signal has come (base/interrupt.h): it gets SIGKILL, and dies when
 * the file system lets go of it. Its death is not waited for; what reaps after rt reaps it.
 *
 * Where openat2 is missing or denied (a filter around rt) there is no such door: then rt opens as
 * any program does. It does so, too, for what is in a procfs or behind its magic links (/dev/fd/3):
 * that is another thing for another process.
 *
 * outside only: paths are those of the caller, from the directory in which the first call was made.
 */
#ifndef RT_KERNEL_OPENER_H
#define RT_KERNEL_OPENER_H

#include "base/error.h"

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

enum opener_outcome {
    OPENER_DONE,
    OPENER_REFUSED, /* errno: the kernel's word, as of open(2) */
    OPENER_STALLED, /* err is filled: RT-OPEN-STALLED, or RT-INTERRUPTED */
};

/* What was opened: fstat (2) would ask its file system again. */
struct opener_look {
    mode_t mode; /* the type is certain; the other bits are those of the last time it was asked */
    dev_t device;
    ino_t inode;
};

/* flags: O_PATH with O_DIRECTORY or O_NOFOLLOW. *fd is close-on-exec and the caller's. An automount
 * is mounted. */
enum opener_outcome opener_open (const char *path, int flags, int *fd, struct opener_look *look,
                                 struct error *err);

/* Opens it for reading (never as a terminal, never waiting for a pipe's writer). A read of a
 * regular file from *fd asks no file system that may not answer: where it would, *fd is a copy in
 * memory, of more than `limit` bytes where the file has more. *look is that of the file. */
enum opener_outcome opener_read (const char *path, size_t limit, int *fd, struct opener_look *look,
                                 struct error *err);

/* For what is opened later, or by another process: -1 with err where it is on a file system that
 * does not answer, as RT-OPEN-STALLED or RT-INTERRUPTED. All else about the path (it may be
 * missing) says what opens it. flags: O_NOFOLLOW, O_DIRECTORY. */
int opener_ask (const char *path, int flags, struct error *err);

/* The same for what may have to be made: its directory is asked. NULL is fine. */
int opener_ask_place (const char *path, struct error *err);

/* Absolute and without symbolic links, as realpath (3). */
enum opener_outcome opener_resolve (const char *path, char resolved[PATH_MAX], struct error *err);

/* Ends the child, if there is one: it serves all of a command, and must be gone before a container
 * is made, which would inherit the line to it. Never fails. */
void opener_end (void);

#endif
