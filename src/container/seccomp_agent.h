/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_agent: who answers for the calls with SCMP_ACT_NOTIFY, at seccomp.listenerPath
 * (config-linux.md, "The Container Process State").
 */
#ifndef RT_CONTAINER_SECCOMP_AGENT_H
#define RT_CONTAINER_SECCOMP_AGENT_H

#include "base/error.h"
#include "oci-spec/seccomp.h"
#include "oci-spec/state.h"

#include <sys/types.h>

/* outside, before there is anything to undo: is there somebody at listenerPath? The agent does not
 * see that it was asked. */
int seccomp_agent_prepare (const struct oci_seccomp *seccomp, struct error *err);

/* outside, while the process waits right behind its filter: connects to the agent, gives it the
 * listener with the state of the container, and closes the connection. `pid`: the process, in the
 * runtime's pid namespace. The listener stays the caller's, who closes it: an agent's death must be
 * the end of the last one (SEC-20). */
int seccomp_agent_grant (const struct oci_seccomp *seccomp, pid_t pid,
                         const struct oci_state *state, int listener, struct error *err);

#endif
