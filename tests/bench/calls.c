/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls: what a system call costs its process; run in a container it shows what the filter there
 * costs.
 *
 * getppid is allowed by every profile without a look at its arguments, so that the kernel's cache
 * of such calls (Linux 5.11) answers for the filter; personality is looked at by its argument, so
 * that the filter really runs. One line each: the name, the least and the median nanoseconds of
 * batches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 60
#define CALLS 5000

static double now (void)
{
    struct timespec at;

    clock_gettime (CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static int by_size (const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void measure (const char *name, long number, long argument)
{
    double took[BATCHES];

    for (int batch = 0; batch < BATCHES; batch++) {
        double begin = now ();
        for (int i = 0; i < CALLS; i++)
            if (syscall (number, argument) < 0)
                exit (1);
        took[batch] = (now () - begin) / CALLS;
    }
    qsort (took, BATCHES, sizeof *took, by_size);
    printf ("%s %.2f %.2f\n", name, took[0], took[BATCHES / 2]);
}

int main (void)
{
    measure ("getppid", SYS_getppid, 0);
    measure ("personality", SYS_personality, 0xffffffff);
    return 0;
}
