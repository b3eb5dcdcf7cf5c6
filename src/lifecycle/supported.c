/* SPDX-License-Identifier: Apache-2.0 */
/* supported: see supported.h. */
#include "lifecycle/supported.h"

#include <sched.h>

static int unsupported (struct error *err, const char *what, const char *pointer)
{
    error_set (err, "RT-UNSUPPORTED", 0, "%s is not supported yet", what);
    return error_at (err, "%s", pointer);
}

int supported_check (const struct oci_config *config, struct error *err)
{
    const struct oci_namespace *mount = oci_config_namespace (config, CLONE_NEWNS);

    if (!mount)
        return unsupported (err, "a container without a mount namespace of its own",
                            "/linux/namespaces");
    if (mount->path)
        return unsupported (err, "joining a mount namespace", "/linux/namespaces");
    return 0;
}
