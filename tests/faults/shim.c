/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim: runs a command on a kernel that seems to lack some system calls.
 *
 * rt has one fallback for each newer call, and old kernels (ENOSYS) as well as containers whose
 * profile is older than the call (EPERM) take it. This makes both out of the kernel at hand:
 *
 *     shim --errno ENOSYS openat2 mount_setattr -- COMMAND [ARGUMENT ...]
 *
 * The filter is inherited by all that the command starts. no_new_privs stays as it is, so that
 * containers can be made below it; that takes CAP_SYS_ADMIN.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof (array) / sizeof *(array))

/* Too new for the libseccomp of some distributions; the numbers are the same on all architectures.
 */
static const struct {
    const char *name;
    int number;
} newer[] = {{"cachestat", 451},     {"fchmodat2", 452},  {"statmount", 457},
             {"listmount", 458},     {"setxattrat", 463}, {"removexattrat", 466},
             {"open_tree_attr", 467}};

static int call_number (const char *name)
{
    for (size_t i = 0; i < COUNT (newer); i++)
        if (strcmp (newer[i].name, name) == 0)
            return newer[i].number;
    return seccomp_syscall_resolve_name (name);
}

static int error_number (const char *name)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {{"ENOSYS", ENOSYS}, {"EPERM", EPERM}, {"EINVAL", EINVAL}};

    for (size_t i = 0; i < COUNT (known); i++)
        if (strcmp (known[i].name, name) == 0)
            return known[i].number;
    return -1;
}

static int usage (const char *text, const char *word)
{
    fprintf (stderr,
             "shim: %s%s\nusage: shim --errno ENOSYS|EPERM|EINVAL CALL ... -- COMMAND ...\n", text,
             word);
    return 125;
}

int main (int argc, char *argv[])
{
    int ret = 0, i = 3;

    if (argc < 5 || strcmp (argv[1], "--errno") != 0)
        return usage ("too few words", "");
    int error = error_number (argv[2]);
    if (error < 0)
        return usage ("unknown error ", argv[2]);

    scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ALLOW);
    if (!filter || seccomp_attr_set (filter, SCMP_FLTATR_CTL_NNP, 0) < 0 ||
        seccomp_attr_set (filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) < 0)
        return usage ("libseccomp is not usable", "");
    for (; i < argc && strcmp (argv[i], "--") != 0; i++) {
        int number = call_number (argv[i]);
        if (number < 0)
            return usage ("unknown call ", argv[i]);
        ret = seccomp_rule_add_exact (filter, SCMP_ACT_ERRNO ((unsigned int)error), number, 0);
        if (ret < 0) {
            fprintf (stderr, "shim: %s: %s\n", argv[i], strerror (-ret));
            return 125;
        }
    }
    if (i + 1 >= argc)
        return usage ("no command", "");
    ret = seccomp_load (filter);
    if (ret < 0) {
        fprintf (stderr, "shim: loading the filter: %s\n", strerror (-ret));
        return 125;
    }
    execvp (argv[i + 1], argv + i + 1);
    fprintf (stderr, "shim: %s: %s\n", argv[i + 1], strerror (errno));
    return 127;
}
