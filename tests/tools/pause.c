/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pause: the first process of a pod. It holds the pod's namespaces, reaps what is orphaned in a pid
 * namespace that the pod's containers share, and ends at SIGTERM or SIGINT.
 */
#include <err.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

int main (void)
{
    sigset_t awaited;
    int signal = 0;

    sigemptyset (&awaited);
    sigaddset (&awaited, SIGCHLD);
    sigaddset (&awaited, SIGINT);
    sigaddset (&awaited, SIGTERM);
    if (sigprocmask (SIG_BLOCK, &awaited, NULL) < 0) {
        err (1, "sigprocmask");
    }
    while (sigwait (&awaited, &signal) == 0 && signal == SIGCHLD) {
        while (waitpid (-1, NULL, WNOHANG) > 0) {
        }
    }
    return 0;
}
