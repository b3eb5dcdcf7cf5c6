/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: a change of limits laid over those that hold, and limits as a document again
 * (FEATURES UPD-02, UPD-15, UPD-23). Pure.
 */
#ifndef OCI_SPEC_UPDATE_H
#define OCI_SPEC_UPDATE_H

#include "base/arena.h"
#include "base/text.h"
#include "oci-spec/resources.h"

/* What holds after `change`: its properties win, all others stay as in `base` (NULL = none). Of
 * lists an entry replaces the one of the same device, page size, interface or file, and others
 * stay. Values that mean "not asked" (cgroup/knob.h) change nothing, nor do device rules. A
 * memory.limit of -1 lifts the one of memory plus swap too, unless that is given (UPD-04). The
 * result shares strings with both. */
struct oci_resources *oci_resources_merge (struct arena *arena, const struct oci_resources *base,
                                           const struct oci_resources *change);

/* The document that oci_resources_parse () makes the same struct of; without device rules. */
void oci_resources_write (struct text *out, const struct oci_resources *resources);

#endif
