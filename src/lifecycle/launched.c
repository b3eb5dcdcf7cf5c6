/* SPDX-License-Identifier: Apache-2.0 */
/* launched: see launched.h. */
#include "lifecycle/launched.h"

#include "container/executable.h"
#include "container/seccomp.h"
#include "kernel/launch.h"
#include "kernel/pidfd.h"
#include "lifecycle/running.h"

#include <errno.h>
#include <string.h>

#define ERRNO_MAX 4095

static int exec_failed (const char *rest, size_t length, int errnum, struct error *err)
{
    size_t path_length = strnlen (rest, length);

    if (path_length == length)
        return error_set (err, "RT-EXEC-FAILED", errnum, "cannot execute the program");
    return executable_explain (errnum, rest, rest + path_length + 1, length - path_length - 1, err);
}

int launched_failure (const unsigned char *payload, size_t length, struct error *err)
{
    struct launch_failure failure;

    if (length < sizeof (failure))
        return error_set (err, "RT-CHANNEL-RECEIVE", EPROTO, "a broken packet FAILED");
    memcpy (&failure, payload, sizeof (failure));
    int errnum = failure.errnum > 0 && failure.errnum <= ERRNO_MAX ? failure.errnum : EPROTO;
    switch (failure.step) {
    case LAUNCH_FILTER:
        return seccomp_load_failed (errnum, err);
    case LAUNCH_CAPABILITIES:
        error_set (err, "RT-CAPS-SET", errnum, "capset: cannot give up CAP_SYS_ADMIN");
        return error_at (err, "/process/capabilities");
    case LAUNCH_BIRTH:
        error_set (err, "RT-CLONE", errnum, "cannot make a process in the container");
        if (errnum == EAGAIN)
            return error_hint (err, "a pids limit, its own or one above it, or RLIMIT_NPROC is "
                                    "reached: two more processes are needed for a moment");
        if (errnum == ENOMEM)
            return error_hint (err, "the init of its pid namespace has died");
        return -1;
    case LAUNCH_TERMINAL:
        error_set (err, "RT-CONSOLE-SESSION", errnum, "make the terminal the controlling one");
        return error_at (err, "/process/terminal");
    case LAUNCH_EXEC:
    case LAUNCH_REFUSED:
        return exec_failed ((const char *)payload + sizeof (failure), length - sizeof (failure),
                            errnum, err);
    default:
        return error_set (err, "RT-LAUNCH", errnum, "cannot leave rt's own memory");
    }
}

bool launched_is_refusal (const unsigned char *payload, size_t length)
{
    struct launch_failure failure;

    if (length < sizeof (failure))
        return false;
    memcpy (&failure, payload, sizeof (failure));
    return failure.step == LAUNCH_REFUSED;
}

int launched_executed (pid_t pid, int pidfd, const char *who, struct error *err)
{
    int executed = pidfd_has_executed (pid, pidfd);

    if (executed == 1)
        return 0;
    if (executed < 0 && errno == ESRCH)
        return 0;
    if (executed < 0)
        return error_set (err, "RT-PROC", errno, "cannot look whether %s was executed", who);
    return running_explain_end (pidfd, who, err);
}
