/* SPDX-License-Identifier: Apache-2.0 */
/* signals: see signals.h. */
#include "kernel/signals.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_SIGNALS 64

/* The kernel's struct sigaction is shorter than libc's; all zero is SIG_DFL everywhere. */
struct kernel_sigaction {
    void *handler;
    unsigned long rest[8];
};

void signals_reset (uint64_t changed)
{
    const struct kernel_sigaction defaults = {0};
    struct kernel_sigaction present;
    const uint64_t none = 0;

    for (int signal = 1; signal <= KERNEL_SIGNALS; signal++) {
        if ((changed >> (signal - 1) & 1) &&
            syscall (SYS_rt_sigaction, signal, NULL, &present, sizeof (none)) == 0 &&
            present.handler != NULL)
            (void)syscall (SYS_rt_sigaction, signal, &defaults, NULL, sizeof (none));
    }
    (void)syscall (SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof (none));
}

int signals_block_all (void)
{
    const uint64_t all = UINT64_MAX;

    return (int)syscall (SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, sizeof (all));
}

int signals_blocked (sigset_t *mask)
{
    uint64_t blocked;

    if (syscall (SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof (blocked)) < 0)
        return -1;
    /* Whatever libc's type is, it begins with the kernel's. */
    (void)sigemptyset (mask);
    memcpy (mask, &blocked, sizeof (blocked));
    return 0;
}
