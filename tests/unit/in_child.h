/* SPDX-License-Identifier: Apache-2.0 */
/*
 * in_child: runs a piece of a test in a process of its own, for what cannot be taken back (ids,
 * limits, filters). The piece returns 0 for "as it should be" or the number of the line that saw
 * otherwise; ending by a signal is 1000 + its number.
 */
#ifndef RT_TESTS_UNIT_IN_CHILD_H
#define RT_TESTS_UNIT_IN_CHILD_H

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* For use in the piece: cmocka's own assertions would run the rest of the suite in the child. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__;                                                                       \
    } while (0)

static inline int in_child (int (*piece) (void))
{
    int status;
    int *line =
        mmap (NULL, sizeof (*line), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (line == MAP_FAILED)
        return -1;
    pid_t pid = fork ();
    if (pid == 0) {
        *line = piece ();
        _exit (0);
    }
    int result = -1;
    if (pid > 0 && waitpid (pid, &status, 0) == pid)
        result = WIFSIGNALED (status) ? 1000 + WTERMSIG (status) : *line;
    (void)munmap (line, sizeof (*line));
    return result;
}

#endif
