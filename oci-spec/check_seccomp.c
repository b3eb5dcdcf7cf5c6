/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_seccomp: the rules of config.json's `linux.seccomp`.
 */
#include "oci-spec/check.h"

#include "oci-spec/annotations.h"
#include "oci-spec/seccomp_words.h"

/* The kernel cuts larger ones to this. */
#define ERRNO_LARGEST 4095

static void check_data (const struct check *check, uint32_t action, const struct oci_uint64 *data,
                        const char *pointer)
{
    if (!data->present)
        return;
    if (action != SCMP_ACT_ERRNO (0) && action != SCMP_ACT_TRACE (0))
        check_fail (check, pointer, "goes only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not %s",
                    oci_names_of (&oci_seccomp_actions, action));
    else if (action == SCMP_ACT_ERRNO (0) && data->value > ERRNO_LARGEST)
        check_fail (check, pointer, "must be an integer from 0 to %d with SCMP_ACT_ERRNO",
                    ERRNO_LARGEST);
}

static bool notifies (const struct oci_seccomp *seccomp)
{
    if (seccomp->default_action == SCMP_ACT_NOTIFY)
        return true;
    for (size_t i = 0; i < seccomp->syscalls.count; i++)
        if (seccomp->syscalls.items[i].action == SCMP_ACT_NOTIFY)
            return true;
    return false;
}

static void check_listener (const struct check *check, const struct oci_seccomp *seccomp)
{
    if (notifies (seccomp) && !seccomp->listener_path)
        check_fail (check, "/linux/seccomp/listenerPath", "is required with SCMP_ACT_NOTIFY");
    if (seccomp->listener_metadata && !seccomp->listener_path)
        check_fail (check, "/linux/seccomp/listenerMetadata",
                    "must not be set without listenerPath");
}

void check_seccomp (const struct check *check, const void *section)
{
    const struct oci_config *config = section;
    const struct oci_seccomp *seccomp = config->linux.seccomp;

    if (!seccomp)
        return;
    /* Engines hand on annotations of images: who made the image must not undo the profile. */
    if (seccomp->program && !seccomp->of_annotation)
        check_fail (check, "/annotations/" OCI_ANNOTATION_SECCOMP_PROGRAM,
                    "must not be set beside linux.seccomp, which it would replace");
    /* Else it is loaded before the last rights are dropped, and answers the calls that do it. */
    if (seccomp->program && config->process && !config->process->no_new_privileges.value)
        check_fail (check, "/annotations/" OCI_ANNOTATION_SECCOMP_PROGRAM,
                    "must not be set without process.noNewPrivileges: the filter would be loaded "
                    "before the process has dropped its rights, and decide over that");
    check_data (check, seccomp->default_action, &seccomp->default_errno_ret,
                "/linux/seccomp/defaultErrnoRet");
    check_listener (check, seccomp);
    for (size_t i = 0; i < seccomp->syscalls.count; i++) {
        const struct oci_seccomp_syscall *syscall = &seccomp->syscalls.items[i];
        if (syscall->names.count == 0)
            check_fail (check, check_pointer (check, "/linux/seccomp/syscalls/%zu/names", i),
                        "must not be empty");
        check_data (check, syscall->action, &syscall->errno_ret,
                    check_pointer (check, "/linux/seccomp/syscalls/%zu/errnoRet", i));
    }
}
