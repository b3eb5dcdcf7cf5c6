/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal: a signal to the processes of a cgroup and of those below it, and to no other process.
 * Private to cgroup/.
 *
 * A list of numbers is old when it has been read: a container can see that it was read (inotify),
 * end, and leave its numbers to processes of the host. So the list is only what is looked for:
 *
 *   1. each number of a directory's list is opened (pidfd);
 *   2. the list is read again: a process that was opened before and still has its number is in that
 *      cgroup if its number is listed. A threaded cgroup lists no processes: there
 *      /proc/PID/task/TID/cgroup says it, and the pidfd after that whether it was that process;
 *   3. the signal goes by the pidfd.
 *
 * Whatever dies on the way, and whatever gets its number, is not reached. What may still happen is
 * that another process with the right to do so moves one out of the container between 2 and 3.
 *
 * rt itself gets none where it is in there: it would end in the middle of its work.
 *
 * Where pidfds cannot be had (below an old filter of system calls) a number is only used while the
 * v1 freezer holds the container: what is frozen there cannot die, not even by SIGKILL. Else it is
 * an error, ENOSYS, and nothing is sent. cgroup.kill needs none of this.
 */
#ifndef RT_CGROUP_SIGNAL_H
#define RT_CGROUP_SIGNAL_H

#include "base/error.h"
#include "oci-spec/types.h"

#include <stdbool.h>
#include <stddef.h>

/* `item` is the container's directory in one hierarchy; `held`: its v1 freezer says FROZEN. *met:
 * how many processes were listed, without rt. Each gets it, also where another one cannot be
 * reached: then the first error, and -1. Directories that are gone are fine. */
int signal_processes (const struct oci_pair *item, int signal, bool held, size_t *met,
                      struct error *err);

#endif
