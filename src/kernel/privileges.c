/* SPDX-License-Identifier: Apache-2.0 */
/* privileges: see privileges.h. */
#include "kernel/privileges.h"

#include "kernel/procfd.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* KEY_USR_SEARCH of the kernel's linux/key.h, which is not for programs. */
#define KEYRING_OWNER_SEARCH 0x00080000u
#define KEYRING_OF_OTHERS 0x0000ffffu /* all rights of its group and of everybody */

int capabilities_last (void)
{
    return (int)cap_max_bits () - 1;
}

static void free_caps (cap_t *caps)
{
    int saved = errno;

    if (*caps)
        (void)cap_free (*caps);
    errno = saved;
}

#define AUTO_CAPS __attribute__ ((cleanup (free_caps)))

static int fill (cap_t caps, cap_flag_t set, uint64_t bits)
{
    cap_value_t values[64];
    int count = 0;

    for (int capability = 0; capability < 64; capability++)
        if (bits >> capability & 1)
            values[count++] = capability;
    return count ? cap_set_flag (caps, set, count, values, CAP_SET) : 0;
}

int capabilities_set (uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    AUTO_CAPS cap_t caps = cap_init ();

    if (!caps || fill (caps, CAP_EFFECTIVE, effective) < 0 ||
        fill (caps, CAP_PERMITTED, permitted) < 0 || fill (caps, CAP_INHERITABLE, inheritable) < 0)
        return -1;
    return cap_set_proc (caps);
}

static uint64_t join_words (uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

/* cap_get_proc () makes two calls and allocates. */
int capabilities_get (uint64_t *effective, uint64_t *permitted, uint64_t *inheritable)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (syscall (SYS_capget, &header, data) < 0)
        return -1;
    *effective = join_words (data[0].effective, data[1].effective);
    *permitted = join_words (data[0].permitted, data[1].permitted);
    *inheritable = join_words (data[0].inheritable, data[1].inheritable);
    return 0;
}

int capabilities_bound (uint64_t keep)
{
    int last = capabilities_last ();

    for (int capability = 0; capability <= last; capability++) {
        if (keep >> capability & 1 || cap_drop_bound (capability) == 0)
            continue;
        int errnum = errno;
        if (cap_get_bound (capability) != 0) {
            errno = errnum;
            return -1;
        }
    }
    return 0;
}

int capabilities_ambient_clear (void)
{
    /* cap_reset_ambient () asks for each of them first. */
    return prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int capabilities_ambient_raise (int capability)
{
    return cap_set_ambient (capability, CAP_SET);
}

/* Those with ids of 16 bits came first on some processors. */
#if !defined SYS_setgroups32
#define SYS_setgroups32 SYS_setgroups
#define SYS_setresgid32 SYS_setresgid
#define SYS_setresuid32 SYS_setresuid
#endif

int ids_set_groups (size_t count, const gid_t *groups)
{
    return (int)syscall (SYS_setgroups32, count, groups);
}

int ids_set_gid (gid_t gid)
{
    return (int)syscall (SYS_setresgid32, gid, gid, gid);
}

int ids_set_uid (uid_t uid)
{
    return (int)syscall (SYS_setresuid32, uid, uid, uid);
}

/* Owner and rights of the session keyring: 1, 0 where it does not tell them to its possessor, as a
 * stranger's may not, or -1. */
static int look_at_session (uid_t *owner, unsigned int *permissions)
{
    char description[512];

    /* "keyring;0;0;3f130000;_ses.ID" */
    long length = syscall (SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, description,
                           sizeof (description));
    if (length < 0)
        return errno == EACCES || errno == EKEYEXPIRED || errno == EKEYREVOKED || errno == ENOKEY
                   ? 0
                   : -1;
    description[sizeof (description) - 1] = '\0';
    if (sscanf (description, "keyring;%u;%*d;%8x;", owner, permissions) != 2) {
        errno = EPROTO;
        return -1;
    }
    return 1;
}

int keyring_join_session (const char *name)
{
    unsigned int permissions;
    uid_t owner;

    if (syscall (SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) < 0)
        return -1;
    int seen = look_at_session (&owner, &permissions);
    if (seen <= 0)
        return seen;
    if (owner != getuid () || (permissions & KEYRING_OF_OTHERS))
        return 0;
    if (!(permissions & KEYRING_OWNER_SEARCH) &&
        syscall (SYS_keyctl, KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING,
                 permissions | KEYRING_OWNER_SEARCH) < 0)
        return -1;
    return 1;
}

int keyring_leave_session (void)
{
    return syscall (SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ? -1 : 0;
}

bool filter_is_listener (int fd)
{
    char path[32];
    char words[64];

    (void)snprintf (path, sizeof (path), "self/fd/%d", fd);
    return procfd_link (path, words, sizeof (words)) > 0 &&
           strcmp (words, "anon_inode:seccomp notify") == 0;
}
