/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subids: the ids that an ordinary user may map besides his own: /etc/subuid and /etc/subgid
 * (subuid(5)). Without NSS: a user or a range that is not in the files has no part in it.
 */
#ifndef RT_CONTAINER_SUBIDS_H
#define RT_CONTAINER_SUBIDS_H

#include "base/arena.h"
#include "oci-spec/types.h"

#include <sys/types.h>

/* Pure: the name of `uid` in the text of a passwd file; NULL: it has none. */
const char *subids_name (struct arena *arena, const char *passwd, uid_t uid);

/* Pure: 0 is `own`; the ranges of the user follow from 1 on, in the order of `text`. Lines that are
 * none count as little as for newuidmap. */
void subids_map (struct arena *arena, const char *text, const char *name, uid_t uid, uint32_t own,
                 struct oci_id_mappings *mappings);

/* The maps of this process's user. Only his own ids where newuidmap and newgidmap, which alone may
 * map others, are not in `path` (PATH; NULL: they are not). */
void subids_prepare (struct arena *arena, const char *path, struct oci_id_mappings *uids,
                     struct oci_id_mappings *gids);

#endif
