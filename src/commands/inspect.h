/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect: a container as `state` and `list` show it. Takes no lock: the record is replaced whole.
 */
#ifndef RT_COMMANDS_INSPECT_H
#define RT_COMMANDS_INSPECT_H

#include "base/arena.h"
#include "base/error.h"
#include "oci-spec/state.h"

/* Strings and maps live in the arena. RT-STATE-MISSING where there is no such container. */
int inspect_container (const char *state_root, const char *id, struct arena *arena,
                       struct oci_state *state, struct error *err);

#endif
