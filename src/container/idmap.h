/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idmap: linux.uidMappings and gidMappings become the maps of a new user namespace
 * (config-linux.md, "User namespace mappings"; user_namespaces(7)).
 */
#ifndef RT_CONTAINER_IDMAP_H
#define RT_CONTAINER_IDMAP_H

#include "base/error.h"
#include "base/text.h"
#include "oci-spec/types.h"

#include <stdbool.h>
#include <sys/types.h>

/* The lines of uid_map or gid_map. Pure. */
void idmap_text (const struct oci_id_mappings *mappings, struct text *out);

/* outside, while the child waits: writes both maps. Directly where rt may; else by newuidmap and
 * newgidmap of PATH; else, when the maps cover only the caller's own id, as a single line with
 * setgroups denied. */
int idmap_grant (const struct oci_id_mappings *uid, const struct oci_id_mappings *gid, pid_t pid,
                 struct error *err);

/* Do the lines of a uid_map or gid_map say the same, in any order and any pieces? Pure. */
bool idmap_is_same (const struct oci_id_mappings *mappings, const char *map);

/* outside: `pid` stands in the user namespace that the document joins. Where the document has
 * mappings of its own, they must be those of that namespace: ids are looked up in them. */
int idmap_check_joined (const struct oci_id_mappings *uid, const struct oci_id_mappings *gid,
                        pid_t pid, struct error *err);

/* inside: whether this user namespace denies setgroups. */
bool idmap_setgroups_denied (void);

#endif
