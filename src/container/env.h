/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env: process.env (config.md) as the container's process gets it.
 *
 * prepare   pure apart from memory; anywhere before exec. Nothing of rt's own environment is in it
 *           (PRC-42). Of a name that is given twice the last one wins, at its place (PRC-06). HOME
 *           is added, or replaced where it is empty, with `home` (PRC-07; NULL = leave it alone).
 *           TERM and PATH are never made up (PRC-03, PRC-09). `passed` (NULL = none) tells of what
 *           rt hands to the process, and outweighs what the document says of it.
 *
 * env->items is terminated by NULL and points into process->env and the arena. RT-ENV-ENTRY at
 * /process/env/N. Texts never show an entry: it may hold a secret (HDN-19).
 */
#ifndef RT_CONTAINER_ENV_H
#define RT_CONTAINER_ENV_H

#include "base/arena.h"
#include "base/error.h"
#include "oci-spec/process.h"

int env_prepare (struct arena *arena, const struct oci_process *process, const char *home,
                 const struct oci_strings *passed, struct oci_strings *env, struct error *err);

/* The value of a variable, or NULL. */
const char *env_value (const struct oci_strings *env, const char *name);

/* Must user_home () be asked at all? */
bool env_needs_home (const struct oci_process *process);

#endif
