/* SPDX-License-Identifier: Apache-2.0 */
/*
 * existing: a container as a verb finds it that create has left behind.
 */
#ifndef RT_LIFECYCLE_EXISTING_H
#define RT_LIFECYCLE_EXISTING_H

#include "base/arena.h"
#include "base/error.h"
#include "lifecycle/lifecycle.h"
#include "oci-spec/state.h"
#include "state/record.h"

#include <stdbool.h>

struct existing {
    struct arena arena;
    int directory; /* STATE_ROOT/ID; set as soon as it is open, also where the rest fails */
    struct record record;
    enum oci_status status;
    bool frozen; /* a created container can be frozen, too */
};

#define EXISTING_INIT                                                                              \
    {                                                                                              \
        .arena = ARENA_INIT, .directory = -1                                                       \
    }
#define AUTO_EXISTING __attribute__ ((cleanup (existing_release)))
void existing_release (struct existing *existing);

/* Fills all of it. `lock`: waits for the verbs that change the container, and is one of them. */
int existing_open (struct existing *existing, const struct lifecycle_globals *globals,
                   const char *id, bool lock, struct error *err);

/* The document as create read it, with the resources that the last update left; in the arena. */
const struct oci_config *existing_config (struct existing *existing, struct error *err);

/* What a verb says that needs a process to be there; -1. Engines know the words (ENG-16). */
int existing_not_running (const char *id, struct error *err);

#endif
