/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp: see seccomp.h. */
#include "container/seccomp.h"

#include "base/cleanup.h"
#include "container/seccomp_compile.h"
#include "container/seccomp_execve.h"
#include "container/seccomp_ready.h"

#include <errno.h>
#include <linux/seccomp.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1UL << 4)
#endif

void seccomp_program_release (struct seccomp_program *program)
{
    cleanup_free (&program->instructions);
    *program = (struct seccomp_program){0};
}

static uint32_t load_flags (const struct oci_seccomp *seccomp, bool listen)
{
    /* As runc: only a list that is given can switch this off (SEC-12). */
    uint64_t flags = seccomp->flags_present ? seccomp->flags : SECCOMP_FILTER_FLAG_SPEC_ALLOW;

    /* It is about waiting for an agent; without one the kernel refuses it. */
    if (!listen)
        return (uint32_t)(flags & ~(uint64_t)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
    flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    /* Both have something to return (SEC-14). */
    if (flags & SECCOMP_FILTER_FLAG_TSYNC)
        flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    return (uint32_t)flags;
}

int seccomp_check (const struct oci_seccomp *seccomp, bool no_new_privs, struct error *err)
{
    if (!seccomp)
        return 0;
    /* oci-spec sees to it for the container's own process. */
    if (seccomp->program && !no_new_privs) {
        error_set (err, "RT-SECCOMP-READY-RIGHTS", 0,
                   "the container's filter, which its annotation brings, needs a process with "
                   "noNewPrivileges: without it, it would be loaded before the last rights are "
                   "dropped");
        return error_at (err, "/process/noNewPrivileges");
    }
    return seccomp_execve_check (seccomp, err);
}

int seccomp_prepare (const struct oci_seccomp *seccomp, struct seccomp_program *program,
                     struct error *err)
{
    struct seccomp_program made = {0};
    int listen = 0;

    if (!seccomp) {
        *program = made;
        return 0;
    }
    if (seccomp->program) {
        if (door_make (made.door) < 0)
            return error_set (err, "RT-SECCOMP-BUILD", errno, "cannot make a random number");
        if (seccomp_ready_prepare (seccomp->program, made.door, &made.instructions, &made.count,
                                   err) < 0)
            return -1;
    } else {
        listen = seccomp_compile (seccomp, &made, err);
        if (listen < 0)
            return -1;
    }
    made.flags = load_flags (seccomp, listen);
    *program = made;
    return 0;
}

bool seccomp_listens (const struct seccomp_program *program)
{
    return program->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

int seccomp_load_failed (int errnum, struct error *err)
{
    error_set (err, "RT-SECCOMP-LOAD", errnum, "cannot load the seccomp filter");
    if (errnum == EACCES)
        error_hint (err, "it needs process.noNewPrivileges or CAP_SYS_ADMIN");
    else if (errnum == EINVAL)
        error_hint (err, "this kernel may not know all of linux.seccomp.flags "
                         "(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs Linux 5.19)");
    else if (errnum == EBUSY)
        error_hint (err, "an agent listens to rt itself already; the kernel allows one");
    else if (errnum == ENOSYS)
        error_hint (err, "this kernel has no seccomp filters");
    return error_at (err, "/linux/seccomp");
}
