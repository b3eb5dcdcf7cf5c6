/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walkout: what a root directory keeps in. Walks out of it in each way that rights of a container
 * allow, and prints for each the host's file of the argument: "WAY found" or "WAY ERRNO".
 *
 *     walkout chroot FILE     by a second chroot, below which the working directory is not
 *     walkout setns FILE      by its own mount namespace, whose root setns(2) enters
 *     walkout pause [ROOT]    "up", and nothing more, below a chroot: to be entered by an exec
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int leave_by_chroot (void)
{
    int here = open ("/", O_RDONLY | O_DIRECTORY);

    if (here < 0 || (mkdir ("/below", 0700) < 0 && errno != EEXIST) || chroot ("/below") < 0 ||
        fchdir (here) < 0)
        return -1;
    for (int i = 0; i < 100; i++)
        if (chdir ("..") < 0)
            return -1;
    return chroot (".");
}

static int leave_by_namespace (void)
{
    int own = open ("/proc/self/ns/mnt", O_RDONLY);

    return own < 0 ? -1 : setns (own, CLONE_NEWNS);
}

int main (int count, char **words)
{
    if (count >= 2 && strcmp (words[1], "pause") == 0) {
        if (count == 3 && chroot (words[2]) < 0)
            return 1;
        puts ("up");
        fflush (stdout);
        for (;;)
            pause ();
    }
    if (count != 3)
        return 2;
    int left = strcmp (words[1], "chroot") == 0 ? leave_by_chroot () : leave_by_namespace ();
    if (left < 0) {
        printf ("%s cannot: %s\n", words[1], strerror (errno));
        return 1;
    }
    int file = open (words[2], O_RDONLY);
    printf ("%s %s\n", words[1], file >= 0 ? "found" : strerror (errno));
    return 0;
}
