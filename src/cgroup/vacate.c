/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vacate: cgroups that systemd leaves to an ordinary user (systemd's CGROUP_DELEGATION): a scope or
 * a service with Delegate=yes. Containers of the user lie below, and so its processes have to step
 * aside. It stays alive until the last of both is gone.
 *
 * The kernel moves processes by number only. One that ends between the list and the move may leave
 * its number to another: that can only be a process which the caller may move anyway (the kernel
 * asks for the right to write to the cgroup above both places), and it is moved, not signalled.
 */
#include "cgroup/hierarchy.h"

#include "base/cleanup.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>

#define CALLERS "callers"
enum { ROUNDS = 20 }; /* who forks meanwhile is seen in the next */

bool v2_is_delegated (const char *path)
{
    char mark;

    return getxattr (path, "user.delegate", &mark, sizeof mark) == 1 && mark == '1';
}

/* Moves those that cgroup.procs names now; how many it named, or -1 with errno. What the last line
 * of a list that is too long names, cut off, would be another process; the next round sees it. */
static int move_all (int from, int to)
{
    char list[64 * 1024];
    int count = 0;

    if (fd_read_file_at (from, "cgroup.procs", list, sizeof list) < 0)
        return -1;
    for (char *line = list, *end; (end = strchr (line, '\n')) != NULL; line = end + 1, count++) {
        *end = '\0';
        if (fd_write_file_at (to, "cgroup.procs", line) < 0 && errno != ESRCH)
            return -1;
    }
    return count;
}

int v2_vacate (int dir)
{
    if (fd_mkdir_at (dir, CALLERS, 0755) < 0 && errno != EEXIST)
        return -1;
    AUTO_FD int callers = openat (dir, CALLERS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (callers < 0)
        return -1;
    for (int i = 0; i < ROUNDS; i++) {
        int count = move_all (dir, callers);
        if (count <= 0)
            return count;
    }
    errno = EBUSY;
    return -1;
}
