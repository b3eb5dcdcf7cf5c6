/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names: see names.h. Where two names share a number, the first one is the name of the number.
 */
#include "oci-spec/names.h"

#include "oci-spec/seccomp_words.h"

#include "base/text.h"
#include "oci-spec/config.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>

/* What the headers of older distributions lack. */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define NAMES(id, what_, list)                                                                     \
    const struct oci_names id = {                                                                  \
        .what = what_, .items = list, .count = sizeof (list) / sizeof (*list)}

/* A constant under its own name. */
/* clang-format off */
#define SAME(constant) {#constant, constant}
/* clang-format on */

static const struct oci_name namespaces[] = {
    {"pid", CLONE_NEWPID},       {"network", CLONE_NEWNET}, {"mount", CLONE_NEWNS},
    {"ipc", CLONE_NEWIPC},       {"uts", CLONE_NEWUTS},     {"user", CLONE_NEWUSER},
    {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME},
};
NAMES (oci_namespaces, "namespace type", namespaces);

static const struct oci_name capabilities[] = {
    SAME (CAP_CHOWN),
    SAME (CAP_DAC_OVERRIDE),
    SAME (CAP_DAC_READ_SEARCH),
    SAME (CAP_FOWNER),
    SAME (CAP_FSETID),
    SAME (CAP_KILL),
    SAME (CAP_SETGID),
    SAME (CAP_SETUID),
    SAME (CAP_SETPCAP),
    SAME (CAP_LINUX_IMMUTABLE),
    SAME (CAP_NET_BIND_SERVICE),
    SAME (CAP_NET_BROADCAST),
    SAME (CAP_NET_ADMIN),
    SAME (CAP_NET_RAW),
    SAME (CAP_IPC_LOCK),
    SAME (CAP_IPC_OWNER),
    SAME (CAP_SYS_MODULE),
    SAME (CAP_SYS_RAWIO),
    SAME (CAP_SYS_CHROOT),
    SAME (CAP_SYS_PTRACE),
    SAME (CAP_SYS_PACCT),
    SAME (CAP_SYS_ADMIN),
    SAME (CAP_SYS_BOOT),
    SAME (CAP_SYS_NICE),
    SAME (CAP_SYS_RESOURCE),
    SAME (CAP_SYS_TIME),
    SAME (CAP_SYS_TTY_CONFIG),
    SAME (CAP_MKNOD),
    SAME (CAP_LEASE),
    SAME (CAP_AUDIT_WRITE),
    SAME (CAP_AUDIT_CONTROL),
    SAME (CAP_SETFCAP),
    SAME (CAP_MAC_OVERRIDE),
    SAME (CAP_MAC_ADMIN),
    SAME (CAP_SYSLOG),
    SAME (CAP_WAKE_ALARM),
    SAME (CAP_BLOCK_SUSPEND),
    SAME (CAP_AUDIT_READ),
    SAME (CAP_PERFMON),
    SAME (CAP_BPF),
    SAME (CAP_CHECKPOINT_RESTORE),
};
NAMES (oci_capability_names, "capability", capabilities);

static const struct oci_name rlimit_types[] = {
    SAME (RLIMIT_AS),     SAME (RLIMIT_CORE),   SAME (RLIMIT_CPU),        SAME (RLIMIT_DATA),
    SAME (RLIMIT_FSIZE),  SAME (RLIMIT_LOCKS),  SAME (RLIMIT_MEMLOCK),    SAME (RLIMIT_MSGQUEUE),
    SAME (RLIMIT_NICE),   SAME (RLIMIT_NOFILE), SAME (RLIMIT_NPROC),      SAME (RLIMIT_RSS),
    SAME (RLIMIT_RTPRIO), SAME (RLIMIT_RTTIME), SAME (RLIMIT_SIGPENDING), SAME (RLIMIT_STACK),
};
NAMES (oci_rlimit_types, "rlimit type", rlimit_types);

static const struct oci_name hook_kinds[] = {
    {"prestart", OCI_HOOK_PRESTART},
    {"createRuntime", OCI_HOOK_CREATE_RUNTIME},
    {"createContainer", OCI_HOOK_CREATE_CONTAINER},
    {"startContainer", OCI_HOOK_START_CONTAINER},
    {"poststart", OCI_HOOK_POSTSTART},
    {"poststop", OCI_HOOK_POSTSTOP},
};
NAMES (oci_hook_kinds, "hook", hook_kinds);

static const struct oci_name signals[] = {
    SAME (SIGHUP),    SAME (SIGINT),       SAME (SIGQUIT),
    SAME (SIGILL),    SAME (SIGTRAP),      SAME (SIGABRT),
    SAME (SIGBUS),    SAME (SIGFPE),       SAME (SIGKILL),
    SAME (SIGUSR1),   SAME (SIGSEGV),      SAME (SIGUSR2),
    SAME (SIGPIPE),   SAME (SIGALRM),      SAME (SIGTERM),
#ifdef SIGSTKFLT
    SAME (SIGSTKFLT),
#endif
    SAME (SIGCHLD),   SAME (SIGCONT),      SAME (SIGSTOP),
    SAME (SIGTSTP),   SAME (SIGTTIN),      SAME (SIGTTOU),
    SAME (SIGURG),    SAME (SIGXCPU),      SAME (SIGXFSZ),
    SAME (SIGVTALRM), SAME (SIGPROF),      SAME (SIGWINCH),
    SAME (SIGIO),     SAME (SIGPWR),       SAME (SIGSYS),
    SAME (SIGIOT),    {"SIGCLD", SIGCHLD}, SAME (SIGPOLL),
    {"SIGRTMIN", 34}, {"SIGRTMAX", 64}, /* below 34 the C library keeps some for itself */
};
NAMES (oci_signals, "signal", signals);

static const struct oci_name propagations[] = {
    {"private", MS_PRIVATE},       {"rprivate", MS_PRIVATE | MS_REC},
    {"slave", MS_SLAVE},           {"rslave", MS_SLAVE | MS_REC},
    {"shared", MS_SHARED},         {"rshared", MS_SHARED | MS_REC},
    {"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE | MS_REC},
};
NAMES (oci_propagations, "propagation", propagations);

static const struct oci_name seccomp_actions[] = {
    SAME (SCMP_ACT_KILL),
    SAME (SCMP_ACT_KILL_THREAD),
    SAME (SCMP_ACT_KILL_PROCESS),
    SAME (SCMP_ACT_TRAP),
    {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO (0)},
    {"SCMP_ACT_TRACE", SCMP_ACT_TRACE (0)},
    SAME (SCMP_ACT_ALLOW),
    SAME (SCMP_ACT_LOG),
    SAME (SCMP_ACT_NOTIFY),
};
NAMES (oci_seccomp_actions, "seccomp action", seccomp_actions);

static const struct oci_name seccomp_archs[] = {
    SAME (SCMP_ARCH_X86),         SAME (SCMP_ARCH_X86_64),  SAME (SCMP_ARCH_X32),
    SAME (SCMP_ARCH_ARM),         SAME (SCMP_ARCH_AARCH64), SAME (SCMP_ARCH_LOONGARCH64),
    SAME (SCMP_ARCH_M68K),        SAME (SCMP_ARCH_MIPS),    SAME (SCMP_ARCH_MIPS64),
    SAME (SCMP_ARCH_MIPS64N32),   SAME (SCMP_ARCH_MIPSEL),  SAME (SCMP_ARCH_MIPSEL64),
    SAME (SCMP_ARCH_MIPSEL64N32), SAME (SCMP_ARCH_PPC),     SAME (SCMP_ARCH_PPC64),
    SAME (SCMP_ARCH_PPC64LE),     SAME (SCMP_ARCH_S390),    SAME (SCMP_ARCH_S390X),
    SAME (SCMP_ARCH_SH),          SAME (SCMP_ARCH_SHEB),    SAME (SCMP_ARCH_PARISC),
    SAME (SCMP_ARCH_PARISC64),    SAME (SCMP_ARCH_RISCV64),
};
NAMES (oci_seccomp_archs, "seccomp architecture", seccomp_archs);

static const struct oci_name seccomp_operators[] = {
    SAME (SCMP_CMP_NE), SAME (SCMP_CMP_LT), SAME (SCMP_CMP_LE),        SAME (SCMP_CMP_EQ),
    SAME (SCMP_CMP_GE), SAME (SCMP_CMP_GT), SAME (SCMP_CMP_MASKED_EQ),
};
NAMES (oci_seccomp_operators, "seccomp operator", seccomp_operators);

static const struct oci_name seccomp_flags[] = {
    {"SECCOMP_FILTER_FLAG_TSYNC", 1 << 0},
    {"SECCOMP_FILTER_FLAG_LOG", 1 << 1},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", 1 << 2},
    SAME (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV),
};
NAMES (oci_seccomp_flags, "seccomp flag", seccomp_flags);

static const struct oci_name scheduler_policies[] = {
    SAME (SCHED_OTHER), SAME (SCHED_FIFO),     SAME (SCHED_RR),
    SAME (SCHED_BATCH), {"SCHED_ISO", 4}, /* reserved by the kernel, which refuses it */
    SAME (SCHED_IDLE),  {"SCHED_DEADLINE", 6},
};
NAMES (oci_scheduler_policies, "scheduling policy", scheduler_policies);

static const struct oci_name scheduler_flags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", 0x01},  {"SCHED_FLAG_RECLAIM", 0x02},
    {"SCHED_FLAG_DL_OVERRUN", 0x04},     {"SCHED_FLAG_KEEP_POLICY", 0x08},
    {"SCHED_FLAG_KEEP_PARAMS", 0x10},    {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40},
};
NAMES (oci_scheduler_flags, "scheduling flag", scheduler_flags);

static const struct oci_name io_priority_classes[] = {
    {"IOPRIO_CLASS_RT", 1},
    {"IOPRIO_CLASS_BE", 2},
    {"IOPRIO_CLASS_IDLE", 3},
};
NAMES (oci_io_priority_classes, "I/O priority class", io_priority_classes);

/* linux/mempolicy.h has these in an enum, whose younger members cannot be asked for. */
static const struct oci_name memory_policy_modes[] = {
    {"MPOL_DEFAULT", 0},    {"MPOL_BIND", 2},
    {"MPOL_INTERLEAVE", 3}, {"MPOL_WEIGHTED_INTERLEAVE", 6},
    {"MPOL_PREFERRED", 1},  {"MPOL_PREFERRED_MANY", 5},
    {"MPOL_LOCAL", 4},
};
NAMES (oci_memory_policy_modes, "memory policy mode", memory_policy_modes);

static const struct oci_name memory_policy_flags[] = {
    {"MPOL_F_NUMA_BALANCING", 1 << 13},
    {"MPOL_F_RELATIVE_NODES", 1 << 14},
    {"MPOL_F_STATIC_NODES", 1 << 15},
};
NAMES (oci_memory_policy_flags, "memory policy flag", memory_policy_flags);

static const struct oci_name personality_domains[] = {
    {"LINUX", PER_LINUX},
    {"LINUX32", PER_LINUX32},
};
NAMES (oci_personality_domains, "personality", personality_domains);

bool oci_names_find (const struct oci_names *names, const char *name, uint64_t *value)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_equal (names->items[i].name, name)) {
            *value = names->items[i].value;
            return true;
        }
    return false;
}

const char *oci_names_of (const struct oci_names *names, uint64_t value)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->items[i].value == value)
            return names->items[i].name;
    return NULL;
}

const char *oci_names_nearest (const struct oci_names *names, const char *name)
{
    size_t length = strlen (name);
    size_t best = length / 3 + 1; /* this far away is another word */
    const char *nearest = NULL;

    if (length == 0)
        return NULL;
    for (size_t i = 0; i < names->count; i++) {
        const char *candidate = names->items[i].name;
        /* A word that was cut short is near to what it begins. */
        if (length > 3 && strncasecmp (candidate, name, length) == 0)
            return candidate;
        size_t far = text_distance (name, candidate);
        if (far < best) {
            best = far;
            nearest = candidate;
        }
    }
    return nearest;
}

/* "MIN+3", "MAX", "MAX-1": what follows SIGRT. */
static int realtime_signal (const char *text)
{
    bool from_min = strncasecmp (text, "MIN", 3) == 0;
    uint64_t steps = 0;

    if (!from_min && strncasecmp (text, "MAX", 3) != 0)
        return -1;
    text += 3;
    if (*text != '\0' && (*text != (from_min ? '+' : '-') ||
                          text_to_uint64 (text + 1, (uint64_t)(SIGRTMAX - SIGRTMIN), &steps) < 0))
        return -1;
    return from_min ? SIGRTMIN + (int)steps : SIGRTMAX - (int)steps;
}

int oci_signal_from_text (const char *text)
{
    uint64_t number;

    if (text_to_uint64 (text, (uint64_t)SIGRTMAX, &number) == 0)
        return (int)number;
    if (strncasecmp (text, "SIG", 3) == 0)
        text += 3;
    if (strncasecmp (text, "RT", 2) == 0)
        return realtime_signal (text + 2);
    for (size_t i = 0; i < oci_signals.count; i++)
        if (strcasecmp (oci_signals.items[i].name + strlen ("SIG"), text) == 0)
            return (int)oci_signals.items[i].value;
    return -1;
}

const char *oci_signal_name (int signal)
{
    const char *name = signal > 0 ? oci_names_of (&oci_signals, (uint64_t)signal) : NULL;

    return name ? name : "SIGRT";
}
