/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch: the last steps of a process that becomes the container's, without anything of rt.
 *
 * A process that other processes of the container can see must hold nothing that they may not have:
 * they may be allowed to trace it (CAP_SYS_PTRACE), whatever PR_SET_DUMPABLE says. So all that
 * takes rights is done before, and what is left is packed into one mapping: the program's path, its
 * arguments and environment, the filter, a stack. launch_leave () unmaps all other memory that can
 * be written (the document, the caller's environment, paths of the state), or with birth keeps it
 * from the process that is born (MADV_DONTFORK), and goes on there with system calls alone, as
 * libc's own data is gone. Then, in this order:
 *
 *   1. the filter is loaded. What follows are the calls that kernel/door.h lets through. Its
 *      listener goes over the channel and is closed
 *   2. the capabilities are set, if CAP_SYS_ADMIN was kept to load the filter
 *   3. birth: the process proper is cloned as the parent's child (CLONE_PARENT), into the pid
 *      namespace that was joined for children. It inherits what is right already, so it is so from
 *      its first instant. The process that cloned it ends
 *   4. a session of its own, and descriptor 0 as its terminal: only a process itself can do these
 *   5. gated: says GATED, waits for GO. With a gate it closes the channel and waits; what connects
 *      there and says the word is the channel from then on. After the old word no GO is waited for.
 * TERM, INT and HUP end the wait
 *   6. NOTIFY: hands over the receiving socket of NOTIFY_SOCKET
 *   7. says EXEC, waits for GO, and executes. A failure is told as FAILED
 *
 * A channel that closes ends it. A call that is refused in spite of the door ends it by a trap.
 *
 * Where rawcall.h knows the processor (x86-64, aarch64), and no sanitizer is built in, memory is
 * left; elsewhere the same steps are taken with the memory that is there.
 */
#ifndef RT_KERNEL_LAUNCH_H
#define RT_KERNEL_LAUNCH_H

#include "kernel/door.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the packets of the channel are called. A packet begins with such a number (uint32_t). */
struct launch_words {
    uint32_t failed; /* payload: struct launch_failure */
    uint32_t listener;
    uint32_t gated;
    uint32_t notify;
    uint32_t exec;
    uint32_t go; /* the one that is received */
};

enum launch_step {
    LAUNCH_LEAVE = 1,
    LAUNCH_PROCFS,
    LAUNCH_FILTER,
    LAUNCH_CAPABILITIES,
    LAUNCH_BIRTH,
    LAUNCH_TERMINAL,
    LAUNCH_EXEC,
    LAUNCH_REFUSED /* the same where there is a gate, and the file itself is the reason */
};

#define LAUNCH_HEAD 4096

/* The exit status of LAUNCH_REFUSED, which the process has said on its standard error: a created
 * container has started then, and failed, as with runc. */
#define LAUNCH_REFUSED_STATUS 255

/* Followed by the program's path with its NUL, and by up to LAUNCH_HEAD first bytes of its file. */
struct launch_failure {
    uint32_t step; /* enum launch_step */
    int32_t errnum;
};

struct launch_request {
    struct launch_words words;
    bool leaves; /* launch_leave () follows */
    char *const *argv;
    char *const *envp; /* ends with NULL */
    bool tells_pid;    /* envp has LISTEN_PID=..., whose value is the process proper's own number */

    const struct sock_filter *filter; /* NULL = none */
    uint16_t filter_count;
    uint32_t filter_flags; /* SECCOMP_FILTER_FLAG_* */
    const uint32_t *door;  /* DOOR_WORDS; not looked at without a filter */

    bool sets_capabilities; /* step 2 */
    uint64_t effective, permitted, inheritable;

    bool birth;
    bool opens_procfs; /* instead of steps 4 to 7: fsopen (2), tells `listener`, ends (procfs.h) */
    bool session;
    bool terminal;
    int line;                  /* the channel; SOCK_SEQPACKET */
    bool gated;                /* says GATED: where there is a gate, or hooks follow */
    int gate;                  /* listening; -1 = none */
    int notify;                /* -1 = none */
    const char *gate_word;     /* what opens the gate, with its NUL */
    const char *gate_word_old; /* the same, where GO does not follow */
};

struct launch;

/* Packs. Everything of the request is copied but the descriptors. Needs /proc (kernel/procfd.h).
 * What is allocated afterwards may stay behind launch_leave (). NULL with errno. */
struct launch *launch_make (const struct launch_request *request);

/* Steps 1 to 7, after all other memory was left. `path` is the program's, shorter than PATH_MAX. */
_Noreturn void launch_leave (struct launch *launch, const char *path);

/* The same in two, in this process's own memory, where hooks run between them: steps 1 to 6, and
 * step 7. With birth launch_begin () returns in the process proper. It returns the channel, which
 * is another one than before where there is a gate. */
int launch_begin (struct launch *launch);
_Noreturn void launch_execute (struct launch *launch, const char *path);

/* The signals that end a wait at the gate get a handler that ends the process with 128 + signal: a
 * first process of a pid namespace would never see them else. execve () takes it away. */
int launch_heed_signals (void);

#endif
