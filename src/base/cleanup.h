/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cleanup: what a declaration owns ends with its scope.
 *
 * AUTO_FD int fd = open (...);   closed at the end of the scope unless take_fd (&fd) moved it on.
 * AUTO_FREE char *s = ...;       freed likewise unless take_pointer (&s).
 * All of them keep errno.
 */
#ifndef RT_BASE_CLEANUP_H
#define RT_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_fd (int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        (void)close (*fd);
        errno = saved;
    }
}

static inline void cleanup_free (void *pointer)
{
    int saved = errno;
    free (*(void **)pointer);
    errno = saved;
}

static inline void cleanup_dir (DIR **dir)
{
    if (*dir) {
        int saved = errno;
        (void)closedir (*dir);
        errno = saved;
    }
}

static inline void cleanup_file (FILE **file)
{
    if (*file) {
        int saved = errno;
        (void)fclose (*file);
        errno = saved;
    }
}

#define AUTO_FD __attribute__ ((cleanup (cleanup_fd)))
#define AUTO_FREE __attribute__ ((cleanup (cleanup_free)))
#define AUTO_DIR __attribute__ ((cleanup (cleanup_dir)))
#define AUTO_FILE __attribute__ ((cleanup (cleanup_file)))

/* Moves a descriptor out of its variable, which then owns nothing. */
static inline int take_fd (int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* Closes early, once. */
static inline void drop_fd (int *fd)
{
    cleanup_fd (fd);
    *fd = -1;
}

#define take_pointer(p)                                                                            \
    ({                                                                                             \
        __typeof__ (*(p)) taken_ = *(p);                                                           \
        *(p) = NULL;                                                                               \
        taken_;                                                                                    \
    })

#endif
