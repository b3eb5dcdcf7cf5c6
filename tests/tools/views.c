/* SPDX-License-Identifier: Apache-2.0 */
/*
 * views: what a user namespace made inside of a container may mount for itself: prints a line for
 * procfs and one for sysfs, "proc 0" or "proc ERRNO".
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static int put (const char *path, const char *text)
{
    int fd = open (path, O_WRONLY);

    return fd < 0 || write (fd, text, strlen (text)) < 0 ? -1 : 0;
}

static void try (const char *type, const char *place)
{
    /* Flags that the one that is seen has are locked, so the new one has them all. */
    unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

    printf ("%s %d\n", type, mount (type, place, type, flags, NULL) == 0 ? 0 : errno);
}

int main (void)
{
    if (unshare (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) < 0 ||
        put ("/proc/self/setgroups", "deny") < 0 || put ("/proc/self/uid_map", "0 0 1") < 0 ||
        put ("/proc/self/gid_map", "0 0 1") < 0) {
        printf ("no user namespace: %s\n", strerror (errno));
        return 1;
    }
    pid_t pid = fork (); /* into the new pid namespace */
    if (pid == 0) {
        try ("proc", "/tmp");
        try ("sysfs", "/etc");
        fflush (stdout);
        _exit (0);
    }
    return pid < 0 || waitpid (pid, NULL, 0) < 0;
}
