/* SPDX-License-Identifier: Apache-2.0 */
/*
 * section: config.json's `linux.section` (config-linux.md, "Section"; section(2), Linux 5.10).
 *
 * prepare  outside, before the clone: what must be opened where the host's paths can be seen.
 * apply    inside, after the mounts (it needs /proc) and before capabilities are dropped
 *          (CAP_SYS_ADMIN). NULL = absent.
 * undo     outside, when the start fails and when the container is deleted. Never fails.
 *
 * Leave out the verbs that the section does not need. Say here what must come before and after:
 * lifecycle/ keeps the order, this comment is where it learns it.
 *
 * RT-SECTION-NAME at /linux/section/name.
 */
#ifndef RT_CONTAINER_SECTION_H
#define RT_CONTAINER_SECTION_H

#include "base/error.h"

/* Of oci-spec/linux.h, where the decoder fills it. */
struct oci_section {
    const char *name;
};

/* What prepare opens and apply uses. */
struct section {
    int fd;
};
#define SECTION_INIT                                                                               \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

int section_prepare (const struct oci_section *document, struct section *section,
                     struct error *err);
int section_apply (const struct oci_section *document, struct section *section, struct error *err);
void section_release (struct section *section);

#endif
