/* SPDX-License-Identifier: Apache-2.0 */
/*
 * become: the last leg. A process that stands inside, as the container's root, becomes the process
 * of the document. Start and exec share it, so the one right order of these calls exists once:
 *
 *   become_settle   all that needs rights, /proc or descriptors, while the channel may still be
 * used in the ordinary way; what is left for kernel/launch.h is packed become          the rights
 * of the document and no more, the program is looked for as its user, all descriptors but the
 * container's own are closed, and the launch begins
 */
#ifndef RT_LIFECYCLE_BECOME_H
#define RT_LIFECYCLE_BECOME_H

#include "base/arena.h"
#include "base/error.h"
#include "container/seccomp.h"
#include "lifecycle/lifecycle.h"
#include "oci-spec/config.h"

#include <stdbool.h>
#include <stdint.h>

/* What becomes of the additional groups: those of the document; none may be set, as the user
 * namespace denies setgroups; or they stay rt's caller's. */
enum become_groups { BECOME_GROUPS_SET, BECOME_GROUPS_DENIED, BECOME_GROUPS_KEEP };

struct launch;

struct become {
    struct arena *arena;
    const struct oci_process *process;
    const struct oci_linux *linux; /* personality, memory policy, mount label */
    const char *id;                /* names the session keyring */
    int root;                      /* the container's root directory */
    int *line;                     /* the channel; another one when the gate has opened */
    int gate;                      /* create: where the process waits; -1 = it does not */
    int notify;                    /* goes to the parent that starts it; -1 = none */
    enum become_groups groups;     /* by become_root */
    uint64_t signals;              /* signals_reset: those that may have another action */
    bool no_new_keyring;
    bool affinity_is_set; /* exec: it stays */
    bool birth;           /* this process clones the process proper into a joined pid namespace */
    bool seen;            /* at the gate, by its owner, who is not root: join.h */
    struct passed_fds fds;
    bool has_notify_socket; /* container/notify_socket is there */
    const struct seccomp_program *seccomp;
    const struct oci_hooks *start_hooks; /* startContainer; NULL = none (exec) */
    const char *hook_state;              /* for their standard input */
    const struct hooks_output *hooks_output;
    struct oci_strings env; /* by become_settle */
    struct launch *launch;  /* the same */
};

/* inside, where the user namespace (if there is one, `userns`) was entered: the ids that root has
 * in it, as until then a process has the overflow ids there. Takes PR_SET_PDEATHSIG away. Fills
 * *groups. */
int become_root (bool userns, const struct oci_config *config, enum become_groups *groups,
                 struct error *err);

/* inside: all that needs rights or /proc. Fills become->env and become->launch. The limits of the
 * process may be set afterwards: nothing big is allocated or opened then. */
int become_settle (struct become *become, struct error *err);

/* inside: enters process.cwd, which must lie below the root (CVE-2024-21626). */
int become_enter_cwd (const struct oci_process *process, struct error *err);

/* inside, after become_settle: does not return but on failure. */
int become (const struct become *become, struct error *err);

#endif
