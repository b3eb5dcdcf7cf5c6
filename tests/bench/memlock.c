/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memlock: lets crun be measured where CAP_SYS_RESOURCE is missing.
 *
 * Before it loads its device program crun raises RLIMIT_MEMLOCK, which kernels before 5.11 needed,
 * and gives up where it may not. Preloaded, this makes that one call succeed; all others go
 * through.
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int setrlimit (__rlimit_resource_t resource, const struct rlimit *limit)
{
    if (resource == RLIMIT_MEMLOCK)
        return 0;
    return (int)syscall (SYS_prlimit64, 0, resource, limit, NULL);
}

int setrlimit64 (__rlimit_resource_t resource, const struct rlimit64 *limit)
{
    return setrlimit (resource, (const struct rlimit *)limit);
}
