/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watcher: a container's process that tries to get hold of each other one in its pid namespace, as
 * early as it can: its descriptors, root and working directory, its executable, itself by ptrace.
 *
 *   watcher STOP
 *
 * Until a file STOP exists. What is a way out prints one line, "leak: WHAT PID DETAIL"; the last
 * line is "seen N". A process that has executed its program is a neighbour like any other: it has
 * no descriptor above 2 and the watcher's own root. Found is therefore:
 *
 *   fd      a descriptor from 3 on could be looked at
 *   root    a root or working directory other than the watcher's
 *   ptrace  a process by the name of rt could be attached to
 *   exe     an executable could be opened for writing
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAKS_MAX 100 /* who listens does so at the end */

static int leaks;
static struct stat own_root;
static char seen[1 << 22];

static const char *entry (int pid, const char *name)
{
    static char path[128];
    snprintf (path, sizeof path, "/proc/%d/%s", pid, name);
    return path;
}

static void leak (const char *what, int pid, const char *detail)
{
    if (leaks++ >= LEAKS_MAX)
        return;
    printf ("leak: %s %d %s\n", what, pid, detail);
    fflush (stdout);
}

static void try_descriptors (int pid)
{
    DIR *dir = opendir (entry (pid, "fd"));
    for (struct dirent *each; dir && (each = readdir (dir));) {
        char link[4096] = "";
        if (atoi (each->d_name) < 3)
            continue;
        if (readlinkat (dirfd (dir), each->d_name, link, sizeof link - 1) >= 0)
            leak ("fd", pid, link);
    }
    if (dir)
        closedir (dir);
}

static void try_directory (int pid, const char *name)
{
    struct stat st;
    int fd = open (entry (pid, name), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat (fd, &st) == 0 && st.st_dev != own_root.st_dev)
        leak ("root", pid, name);
    close (fd);
}

static void try_executable (int pid)
{
    int fd = open (entry (pid, "exe"), O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        leak ("exe", pid, "opened for writing");
        close (fd);
    }
}

static bool is_rt (int pid)
{
    char name[32] = "";
    int fd = open (entry (pid, "comm"), O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read (fd, name, sizeof name - 1);
    if (fd >= 0)
        close (fd);
    return length > 2 && strncmp (name, "rt", 2) == 0 && (name[2] == ':' || name[2] == '\n');
}

/* In a child, whose end lets go of what it has attached to. */
static void try_ptrace (int pid)
{
    int status = 0;
    if (!is_rt (pid))
        return;
    pid_t child = fork ();
    if (child == 0)
        _exit (ptrace (PTRACE_SEIZE, pid, NULL, NULL) == 0 && is_rt (pid));
    if (child > 0 && waitpid (child, &status, 0) == child && WIFEXITED (status) &&
        WEXITSTATUS (status) == 1)
        leak ("ptrace", pid, "attached");
}

int main (int argc, char **argv)
{
    int count = 0;
    if (argc != 2 || stat ("/", &own_root) < 0)
        return 2;
    printf ("up\n");
    fflush (stdout);
    while (access (argv[1], F_OK) < 0) {
        /* New numbers come one after the other; the list of all is the slow way to them. */
        DIR *dir = opendir ("/proc");
        for (struct dirent *each; dir && (each = readdir (dir));) {
            int pid = atoi (each->d_name);
            if (pid <= 1 || pid == getpid ())
                continue;
            if (pid < (int)sizeof seen && !seen[pid]++)
                count++;
            try_descriptors (pid);
            try_directory (pid, "root");
            try_directory (pid, "cwd");
            try_executable (pid);
            try_ptrace (pid);
        }
        if (dir)
            closedir (dir);
    }
    printf ("seen %d\n", count);
    return 0;
}
