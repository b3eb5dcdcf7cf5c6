/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executable: which file process.args[0] is (config.md, "Process"; execvp(3)).
 *
 * find    inside, after the root was entered, the chdir to process.cwd and the change of ids: what
 *         counts is what the container's user may run, its CAP_DAC_OVERRIDE included (PRC-04). Not
 *         at create time, as hooks and mounts may still bring the file (PRC-05). PATH is that of
 *         `env` alone; without one nothing is found (PRC-03). An empty element of PATH is the
 *         working directory. The right to run is checked here for good texts; execve decides.
 * explain anywhere, after execve failed: what is wrong with the file, e.g. that it is a script
 * whose interpreter is missing (PRC-44).
 *
 * RT-EXEC-MISSING, RT-EXEC-DENIED, RT-EXEC-FORMAT, RT-EXEC-FAILED at /process/args/0.
 */
#ifndef RT_CONTAINER_EXECUTABLE_H
#define RT_CONTAINER_EXECUTABLE_H

#include "base/arena.h"
#include "base/error.h"
#include "oci-spec/types.h"

#include <stddef.h>

int executable_find (struct arena *arena, const char *arg0, const struct oci_strings *env,
                     char **path, struct error *err);

/* Pure: fills `err` for execve (path) that failed with errnum; -1. `bytes` are the first ones of
 * the file, as far as they could be read. */
int executable_explain (int errnum, const char *path, const char *bytes, size_t length,
                        struct error *err);

/* pure: the interpreter that a file needs, from its first bytes: behind "#!", or ELF's PT_INTERP.
 * False where it needs none or it cannot be told. */
bool executable_interpreter (const char *bytes, size_t length, char *interpreter, size_t size);

#endif
