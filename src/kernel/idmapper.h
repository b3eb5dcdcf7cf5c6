/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idmapper: a child of rt's that stays outside and maps the ids of mounts for the inside.
 *
 * The kernel maps the ids of a mount only for a process with rights over its file system: the
 * container's root in a user namespace has none. But what is to be mapped may be in sight only
 * inside, since an earlier mount of the document put it there. So the inside copies it, and the
 * child, which it reaches by a socket that it has inherited, maps the copy.
 */
#ifndef RT_KERNEL_IDMAPPER_H
#define RT_KERNEL_IDMAPPER_H

#include "kernel/mountfd.h"

#include <stdbool.h>

struct idmapper {
    int line;  /* owned by both sides */
    int pidfd; /* of the child; the outside's */
};

#define IDMAPPER_INIT                                                                              \
    {                                                                                              \
        .line = -1, .pidfd = -1                                                                    \
    }

/* outside, before the clone. It serves `count` calls of idmapper_map, then ends by itself; with its
 * parent it dies. -1 with errno. */
int idmapper_begin (struct idmapper *idmapper, unsigned int count);

/* inside: as mountfd_idmap. */
int idmapper_map (const struct idmapper *idmapper, const struct mountfd *mount, int userns,
                  bool recursive);

/* outside: nothing is left of it. inside: the line is closed. */
void idmapper_end (struct idmapper *idmapper);

#endif
