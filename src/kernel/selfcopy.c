/* SPDX-License-Identifier: Apache-2.0 */
/* selfcopy: see selfcopy.h. */
#include "kernel/selfcopy.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/privileges.h"
#include "kernel/selfcopy_keep.h"
#include "kernel/selfcopy_mount.h"
#include "kernel/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3: vm.memfd_noexec may forbid executable ones otherwise */
#endif

extern char **environ;

/* An inode of its own, and out of reach for writing: by its mount, or as a memfd by its seals. */
static bool is_protected (int exe)
{
    int seals = fcntl (exe, F_GET_SEALS);

    return (seals >= 0 && (seals & SEALS) == SEALS) || selfcopy_is_copy (exe);
}

static bool may_clone_mounts (void)
{
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;

    return capabilities_get (&effective, &permitted, &inheritable) == 0 &&
           (effective >> CAP_SYS_ADMIN & 1);
}

/* Returns where there is no copy that is kept, and none can be: then one in memory has to do. */
static void execute_kept (int exe, char *const argv[])
{
    if (selfcopy_by_mount (argv, environ) == -ENOENT && may_clone_mounts () &&
        selfcopy_keep (exe, environ) == 0)
        (void)selfcopy_by_mount (argv, environ);
}

static int hint_limit (struct error *err)
{
    struct rlimit limit;

    if (getrlimit (RLIMIT_FSIZE, &limit) < 0)
        return -1;
    return error_hint (err,
                       "rt was called with an RLIMIT_FSIZE of %llu bytes, which may not be raised "
                       "here, and its program is larger: raise it (ulimit -f)",
                       (unsigned long long)limit.rlim_max);
}

static int copy_by_memfd (int exe, struct error *err)
{
    AUTO_FD int copy = memfd_create ("rt", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

    if (copy < 0 && errno == EINVAL)
        copy = memfd_create ("rt", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (copy < 0)
        return error_set (err, "RT-SELF-COPY", errno, "cannot make a memfd for a copy of rt");
    if (selfcopy_fill (exe, copy) < 0) {
        error_set (err, "RT-SELF-COPY", errno, "cannot copy rt's own program file");
        return err->errnum == EFBIG ? hint_limit (err) : -1;
    }
    if (fchmod (copy, 0500) < 0 || fd_seal (copy, SEALS) < 0)
        return error_set (err, "RT-SELF-COPY", errno, "cannot seal the copy of rt");
    return take_fd (&copy);
}

int selfcopy_protect (char *const argv[], struct error *err)
{
    if (selfcopy_was_copy ())
        return 0;
    AUTO_FD int exe = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (exe < 0) {
        error_set (err, "RT-SELF-EXE", errno, "cannot open /proc/self/exe");
        return err->errnum == ENOENT ? error_hint (err, "rt needs /proc mounted where it is called")
                                     : -1;
    }
    if (is_protected (exe))
        return 0;
    execute_kept (exe, argv);
    AUTO_FD int copy = copy_by_memfd (exe, err);
    if (copy < 0)
        return -1;
    (void)sys_execveat (copy, "", argv, environ, AT_EMPTY_PATH);
    error_set (err, "RT-SELF-EXEC", errno, "cannot execute the protected copy of rt");
    return error_hint (err, "a noexec mount or vm.memfd_noexec may forbid it");
}
