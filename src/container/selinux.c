/* SPDX-License-Identifier: Apache-2.0 */
/* selinux: see selinux.h. */
#include "container/selinux.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/procdir.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
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

/* As the kernel writes it: the loaded policy is asked. False where it cannot be. */
static bool write_canonically (const char *label, char *out, size_t size)
{
    AUTO_FD int fd = open ("/sys/fs/selinux/context", O_RDWR | O_CLOEXEC);

    return fd >= 0 && fd_write_all (fd, label, strlen (label) + 1) == 0 &&
           fd_read_small (fd, out, size) > 0;
}

int selinux_verify (int process, const char *label, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    char canonical[4096];

    if (!label || label[0] == '\0')
        return 0;
    const char *found = procdir_read (process, "attr/exec", &arena);
    if (!found) {
        error_set (err, "RT-VERIFY-LOOK", errno, "cannot read the process's SELinux label");
        return place (err);
    }
    size_t length = strcspn (found, "\n");
    if (length == strlen (label) && memcmp (found, label, length) == 0)
        return 0;
    if (write_canonically (label, canonical, sizeof (canonical)) && length == strlen (canonical) &&
        memcmp (found, canonical, length) == 0)
        return 0;
    error_set (err, "RT-VERIFY-LABEL", 0,
               "the process has the SELinux label \"%.*s\" for its program, not \"%s\"",
               (int)length, found, label);
    return place (err);
}
