/* SPDX-License-Identifier: Apache-2.0 */
/* ioprio: see ioprio.h. */
#include "container/ioprio.h"

#include "kernel/sched.h"
#include "oci-spec/names.h"

#include <errno.h>

int ioprio_apply (const struct oci_io_priority *priority, struct error *err)
{
    if (!priority || sched_set_io (priority->io_class, priority->priority) == 0)
        return 0;
    int errnum = errno;
    const char *name = oci_names_of (&oci_io_priority_classes, (uint64_t)priority->io_class);
    error_set (err, "RT-IOPRIO-SET", errnum, "cannot set I/O priority %s %d", name ? name : "",
               priority->priority);
    if (errnum == EPERM)
        error_hint (err, "IOPRIO_CLASS_RT needs CAP_SYS_ADMIN or CAP_SYS_NICE");
    return error_at (err, "/process/ioPriority");
}
