/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peak: the most memory that a command had, in kB, as the kernel saw it (ru_maxrss).
 *
 *     peak FILE COMMAND [ARGUMENT ...]
 *
 * A program of its own, as a process inherits the peak of who executed it, and Python's is larger
 * than any runtime's.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main (int argc, char *argv[])
{
    struct rusage usage;
    int status;

    if (argc < 3)
        return 125;
    pid_t pid = fork ();
    if (pid == 0) {
        execv (argv[2], argv + 2);
        _exit (126);
    }
    if (pid < 0 || wait4 (pid, &status, 0, &usage) < 0)
        return 125;
    FILE *file = fopen (argv[1], "w");
    if (!file || fprintf (file, "%ld\n", usage.ru_maxrss) < 0 || fclose (file) != 0)
        return 125;
    return WIFEXITED (status) ? WEXITSTATUS (status) : 125;
}
