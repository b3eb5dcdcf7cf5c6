/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selection: the containers that one call of a verb is for: those of its ids, or with --regex all
 * that its patterns match.
 */
#ifndef RT_COMMANDS_SELECTION_H
#define RT_COMMANDS_SELECTION_H

#include "command.h"

/* The words are ids, or with `regex` extended regular expressions (POSIX) that match a part of an
 * id. In the arena; none where nothing matches. */
int selection_find (const struct invocation *invocation, char *const *words, size_t count,
                    bool regex, struct oci_strings *ids, struct error *err);

/* One that fails does not keep the others from it: each failure is told; the last one is err. */
int selection_each (const struct oci_strings *ids,
                    int (*act) (const char *id, const void *context, struct error *err),
                    const void *context, struct error *err);

#endif
