/* SPDX-License-Identifier: Apache-2.0 */
/* selinux: see selinux.h. */
#include "container/selinux.h"

#include "kernel/procfd.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

static int place (struct error *err)
{
    return error_at (err, "/process/selinuxLabel");
}

int selinux_prepare (const char *label, struct error *err)
{
    struct statfs fs;

    if (!label || label[0] == '\0')
        return 0;
    if (statfs ("/sys/fs/selinux", &fs) == 0 && (unsigned long)fs.f_type == SELINUX_MAGIC)
        return 0;
    error_set (err, "RT-SELINUX-OFF", 0,
               "selinuxLabel \"%s\" is asked for, but SELinux is not enabled on this host", label);
    return place (err);
}

int selinux_apply (const char *label, struct error *err)
{
    if (!label || label[0] == '\0')
        return 0;
    if (procfd_write ("self/attr/exec", label, strlen (label)) == 0)
        return 0;
    int errnum = errno;
    error_set (err, "RT-SELINUX-LABEL", errnum, "cannot set SELinux label \"%s\"", label);
    if (errnum == EINVAL)
        error_hint (err, "the loaded policy does not know it");
    else if (errnum == EACCES)
        error_hint (err, "the policy does not let rt set it; see ausearch -m avc");
    return place (err);
}
