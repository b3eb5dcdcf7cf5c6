/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filtered: runs a command below a seccomp filter, as somebody else where that is asked for.
 *
 *     filtered FILTER GROUPS GID UID COMMAND [ARGUMENT ...]
 *
 * FILTER: struct sock_filter after struct sock_filter, in hexadecimal digits. GROUPS: numbers with
 * a comma after each. "-" for one of the ids: as it is. The filter comes first, while there is the
 * CAP_SYS_ADMIN that spares the command no_new_privs.
 */
#include <err.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void load (const char *digits)
{
    static unsigned char bytes[64 * sizeof (struct sock_filter)];
    size_t size = strlen (digits) / 2;

    if (size > sizeof bytes)
        errx (125, "the filter is too long");
    for (size_t i = 0; i < size; i++)
        if (sscanf (digits + 2 * i, "%2hhx", &bytes[i]) != 1)
            errx (125, "no filter: %s", digits);
    struct sock_fprog program = {(unsigned short)(size / sizeof (struct sock_filter)),
                                 (struct sock_filter *)bytes};
    if (prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
        err (125, "cannot load the filter");
}

static void set_groups (char *numbers)
{
    gid_t groups[64];
    size_t count = 0;

    for (char *rest = numbers; *rest != '\0' && count < 64; rest++)
        groups[count++] = (gid_t)strtoul (rest, &rest, 10);
    if (setgroups (count, groups) < 0)
        err (125, "setgroups %s", numbers);
}

int main (int argc, char *argv[])
{
    if (argc < 6)
        errx (125, "usage: filtered FILTER GROUPS GID UID COMMAND ...");
    load (argv[1]);
    if (strcmp (argv[2], "-") != 0)
        set_groups (argv[2]);
    if (strcmp (argv[3], "-") != 0 && setgid ((gid_t)strtoul (argv[3], NULL, 10)) < 0)
        err (125, "setgid %s", argv[3]);
    if (strcmp (argv[4], "-") != 0 && setuid ((uid_t)strtoul (argv[4], NULL, 10)) < 0)
        err (125, "setuid %s", argv[4]);
    execvp (argv[5], argv + 5);
    err (127, "%s", argv[5]);
}
