/* SPDX-License-Identifier: Apache-2.0 */
/* owndev: see owndev.h. */
#include "kernel/owndev.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int owndev_is_own (int dev, const struct mountfd_ids *own)
{
    struct stat st;
    struct stat hosts;
    AUTO_FD int host = open ("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fstat (dev, &st) < 0)
        return -1;
    if (host < 0 && errno != ENOENT)
        return -1;
    if (host >= 0 && fstat (host, &hosts) < 0)
        return -1;
    if (host >= 0 && st.st_dev == hosts.st_dev && st.st_ino == hosts.st_ino)
        return 0;
    return mountfd_is_among (dev, own);
}
