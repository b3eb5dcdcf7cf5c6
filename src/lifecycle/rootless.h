/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootless: a document that asks for no user namespace, run by a user without privileges.
 *
 * He cannot have what it says: each other namespace needs privileges, which only a user namespace
 * gives him. Such a document is most of the time one that was made for root, so it gets the user
 * namespace that he may have (UID-12), and a warning.
 */
#ifndef RT_LIFECYCLE_ROOTLESS_H
#define RT_LIFECYCLE_ROOTLESS_H

#include "base/arena.h"
#include "base/error.h"
#include "oci-spec/config.h"

/* Before the document is decided about: its root becomes the caller, and its further ids become the
 * caller's subordinate ones, for as many as he has. Nothing where the document has a user namespace
 * or the caller has privileges. The group of a devpts that is not among the ids is left out. The
 * user of the process must be among the ids. `path`: PATH. */
int rootless_complete (struct arena *arena, struct oci_config *config, const char *path,
                       struct error *err);

#endif
