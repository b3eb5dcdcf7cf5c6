/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scatter: a container's process that sees by inotify that the lists of its processes are read, and
 * gives their numbers to others before they are used.
 *
 *   scatter DIRECTORY COUNT
 *
 * Makes COUNT cgroups with one process each below DIRECTORY, and prints "up" and their numbers (to
 * be run in the host's pid namespace). When the first list is read it kills and reaps them all, and
 * prints "freed". TERM is for others.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path_of (const char *directory, int number, const char *file)
{
    static char path[PATH_MAX];
    snprintf (path, sizeof path, "%s/s%d%s", directory, number, file);
    return path;
}

static void fail (const char *what)
{
    perror (what);
    exit (1);
}

static pid_t settle (const char *directory, int number)
{
    pid_t pid = fork ();
    if (pid < 0)
        fail ("fork");
    if (pid > 0)
        return pid;
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    int fd = open (path_of (directory, number, "/cgroup.procs"), O_WRONLY);
    if (fd < 0 || write (fd, "0", 1) != 1)
        fail ("join");
    close (fd);
    kill (getpid (), SIGSTOP);
    for (;;)
        pause ();
}

int main (int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const char *directory = argv[1];
    int count = atoi (argv[2]);
    pid_t *pids = calloc (count, sizeof *pids);
    signal (SIGTERM, SIG_IGN);
    for (int i = 0; i < count; i++)
        if (mkdir (path_of (directory, i, ""), 0755) < 0)
            fail ("mkdir");
    for (int i = 0; i < count; i++)
        pids[i] = settle (directory, i);
    for (int i = 0; i < count; i++)
        if (waitpid (pids[i], NULL, WUNTRACED) != pids[i] || kill (pids[i], SIGCONT) < 0)
            fail ("settle");
    int watch = inotify_init1 (IN_CLOEXEC);
    char first[PATH_MAX];
    snprintf (first, sizeof first, "%s/cgroup.procs", directory);
    if (inotify_add_watch (watch, first, IN_ACCESS | IN_CLOSE_NOWRITE) < 0)
        fail ("watch");
    printf ("up");
    for (int i = 0; i < count; i++)
        printf (" %d", pids[i]);
    printf ("\n");
    fflush (stdout);
    char event[4096];
    if (read (watch, event, sizeof event) <= 0)
        fail ("event");
    for (int i = count - 1; i >= 0; i--)
        kill (pids[i], SIGKILL);
    for (int i = count - 1; i >= 0; i--)
        waitpid (pids[i], NULL, 0);
    printf ("freed\n");
    fflush (stdout);
    for (;;)
        pause ();
}
