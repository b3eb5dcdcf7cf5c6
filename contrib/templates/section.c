/* SPDX-License-Identifier: Apache-2.0 */
/* section: see section.h. */
#include "section.h" /* "container/section.h" in its place */

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int section_prepare (const struct oci_section *document, struct section *section, struct error *err)
{
    if (!document)
        return 0;
    AUTO_FD int fd = procfd_open ("self/section", O_RDWR);
    if (fd < 0) {
        int errnum = errno; /* before another call changes it */
        error_set (err, "RT-SECTION", errnum, "cannot open the section of this process");
        if (errnum == ENOENT)
            error_hint (err, "the kernel was built without CONFIG_SECTION");
        return error_at (err, "/linux/section");
    }
    section->fd = take_fd (&fd); /* outputs change only on success */
    return 0;
}

int section_apply (const struct oci_section *document, struct section *section, struct error *err)
{
    if (!document)
        return 0;
    if (fd_write_all (section->fd, document->name, strlen (document->name)) < 0) {
        error_set (err, "RT-SECTION-NAME", errno, "cannot set section \"%s\"", document->name);
        return error_at (err, "/linux/section/name");
    }
    return 0;
}

void section_release (struct section *section)
{
    drop_fd (&section->fd);
}
