/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ns: namespaces as descriptors.
 */
#ifndef RT_KERNEL_NS_H
#define RT_KERNEL_NS_H

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

/* Opens a namespace by the path of its file. -1 with errno; EINVAL: it is no namespace. */
int ns_open (const char *path);

/* Opens that of a process: "user", "net", "pid" ... */
int ns_open_process (pid_t pid, const char *name);

/* Opens the root directory of a process (O_PATH). Needs the rights to trace it. */
int ns_open_root (pid_t pid);

/* Opens that of this process. */
int ns_open_own (const char *name);

/* CLONE_NEW* of an opened namespace (NS_GET_NSTYPE, Linux 4.11); -1 with errno. */
int ns_type (int ns);

/* Joins it; `type` is checked by the kernel. For CLONE_NEWPID and (before its exec) CLONE_NEWTIME
 * this holds for children. */
int ns_join (int ns, int type);

/* Is this process in the same one as `pid`? 1 yes (also where the kernel has no such namespaces), 0
 * no, -1 with errno. */
int ns_is_shared (pid_t pid, const char *name);

/* Is the one at `path` that of this process? `name`: "ipc", "net" ... 1 yes, 0 no, -1 with errno.
 */
int ns_is_own (const char *path, const char *name);

/* Joins several of a process at once, all or none: Linux 5.8, EINVAL before. CLONE_NEWUSER among
 * them is no obstacle to the others, whatever owns them. */
int ns_join_process (int pidfd, int types);

/* Leaves for a new one. */
int ns_unshare (int type);

/* Why a clone or unshare of these CLONE_NEW* failed with `errnum`, in words: a limit, a missing
 * right, or a type that this kernel was built without, which is named. RT-NS-MAKE; -1. */
int ns_explain (int types, int errnum, struct error *err);

/* Was the namespace made in this user namespace? 1, 0 (also where the owner is one that this
 * process may not see), -1 with errno. Linux 4.9. */
int ns_is_owned_by (int ns, int user_ns);

/* Brings "lo" up in the network namespace of this process. */
int ns_loopback_up (void);

/* A user namespace without a process in it, with these maps (the text of uid_map and gid_map), for
 * id-mapped mounts. The helper process is gone when this returns. */
int ns_user_with_maps (const char *uid_map, const char *gid_map);

#endif
