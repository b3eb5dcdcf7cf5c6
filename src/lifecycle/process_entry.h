/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_entry: what main () does with its own process before the verb begins: which descriptors
 * go on to the container, and that the container never gets hold of rt's own executable.
 */
#ifndef RT_LIFECYCLE_PROCESS_ENTRY_H
#define RT_LIFECYCLE_PROCESS_ENTRY_H

#include "base/error.h"

#include <stdbool.h>

/* First of all: 0, 1 and 2 are open from here on. -1 with errno. */
int process_fill_standard (void);

/* Before anything is opened. The descriptors from 3 to 3 + preserve_fds - 1 must be open and stay
 * as they are; all behind them become close-on-exec. */
int process_guard_fds (unsigned int preserve_fds, struct error *err);

/* Before anything of a container is touched, for verbs that start a process in one; may execute rt
 * again (kernel/selfcopy.h). `argv` is that of main (). */
int process_protect (char *const argv[], struct error *err);

/* Is this the root of a user namespace other than the machine's first one? 1 yes, 0 no, -1 with
 * errno: it could not be looked at. */
int process_in_user_namespace (void);

#endif
