/* SPDX-License-Identifier: Apache-2.0 */
/* privileges: see privileges.h. */
#include "kernel/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* KEY_USR_SEARCH of the kernel's linux/key.h, which is not for programs. */
#define KEYRING_OWNER_SEARCH 0x00080000u

static bool is_known (int capability)
{
    return prctl (PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
}

int capabilities_last (void)
{
    int known = 0;
    int unknown = 64;

    while (unknown - known > 1) {
        int middle = (known + unknown) / 2;
        if (is_known (middle))
            known = middle;
        else
            unknown = middle;
    }
    return known;
}

int capabilities_set (uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    for (int half = 0; half < 2; half++) {
        data[half].effective = (uint32_t)(effective >> 32 * half);
        data[half].permitted = (uint32_t)(permitted >> 32 * half);
        data[half].inheritable = (uint32_t)(inheritable >> 32 * half);
    }
    return (int)syscall (SYS_capset, &header, data);
}

int capabilities_get (uint64_t *effective, uint64_t *permitted, uint64_t *inheritable)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    if (syscall (SYS_capget, &header, data) < 0)
        return -1;
    *effective = (uint64_t)data[1].effective << 32 | data[0].effective;
    *permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
    *inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
    return 0;
}

int capabilities_bound (uint64_t keep)
{
    for (int capability = 0; capability < 64; capability++) {
        if (keep >> capability & 1)
            continue;
        if (prctl (PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
            continue;
        int errnum = errno;
        int present = prctl (PR_CAPBSET_READ, capability, 0, 0, 0);
        if (present < 0 && errno == EINVAL)
            return 0; /* above the last one */
        if (present != 0) {
            errno = errnum;
            return -1;
        }
    }
    return 0;
}

int capabilities_ambient_clear (void)
{
    return prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int capabilities_ambient_raise (int capability)
{
    return prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
}

int32_t keyring_join_session (const char *name)
{
    char description[512];
    unsigned int permissions;

    long serial = syscall (SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
    if (serial <= 0) /* 0: it is this process' session keyring already */
        return (int32_t)serial;
    /* "keyring;0;0;3f130000;_ses.ID" */
    long length = syscall (SYS_keyctl, KEYCTL_DESCRIBE, serial, description, sizeof (description));
    if (length < 0)
        return -1;
    description[sizeof (description) - 1] = '\0';
    if (sscanf (description, "keyring;%*d;%*d;%8x;", &permissions) != 1) {
        errno = EPROTO;
        return -1;
    }
    if (!(permissions & KEYRING_OWNER_SEARCH) &&
        syscall (SYS_keyctl, KEYCTL_SETPERM, serial, permissions | KEYRING_OWNER_SEARCH) < 0)
        return -1;
    return (int32_t)serial;
}

int filter_load (const struct sock_filter *instructions, uint16_t count, unsigned int flags)
{
    struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)instructions};

    long thread = syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (thread > 0) {
        errno = ESRCH;
        return -1;
    }
    return (int)thread;
}
