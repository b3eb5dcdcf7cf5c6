/* SPDX-License-Identifier: Apache-2.0 */
/* pidfile: see pidfile.h. */
#include "lifecycle/pidfile.h"

#include "base/cleanup.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

int pidfile_write (const char *path, pid_t pid, struct error *err)
{
    char temporary[PATH_MAX];
    char digits[16];

    if (snprintf (temporary, sizeof (temporary), "%s.%d", path, getpid ()) >= PATH_MAX)
        return error_set (err, "RT-PIDFILE", ENAMETOOLONG, "cannot write the pid file %s", path);
    int length = snprintf (digits, sizeof (digits), "%d", pid);

    AUTO_FD int fd = open (temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd >= 0 && fchmod (fd, 0644) == 0 && fd_write_all (fd, digits, (size_t)length) == 0 &&
        rename (temporary, path) == 0)
        return 0;
    int saved = errno;
    if (fd >= 0)
        (void)unlink (temporary);
    return error_set (err, "RT-PIDFILE", saved, "cannot write the pid file %s", path);
}
