/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_compile: see seccomp_compile.h.
 *
 * The program asks for the architecture, then for the number of the call:
 *
 *     load arch
 *     is it A?           for each architecture A of the profile: search among its numbers
 *     kill
 *
 * and, before the numbers of the native one, whether it is rt itself that still has something to do
 * (kernel/door.h).
 *
 * libseccomp knows the numbers of the names. It could make the whole program as well, but that
 * takes longer than everything else of a container's start, as its work grows with the square of
 * the program.
 */
#include "container/seccomp_compile.h"

#include "container/seccomp_calls.h"
#include "container/seccomp_code.h"
#include "container/seccomp_door.h"
#include "container/seccomp_library.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>

#define ARCHS_MAX 32

/* What the filter answers for, each once. x32 is no architecture to the kernel, but numbers of
 * x86_64. */
struct archs {
    size_t count;
    uint32_t items[ARCHS_MAX]; /* SCMP_ARCH_*, the native one first */
    bool x32;
};

/* Profiles of before a system call deny it by their default, and programs that would do without it
 * see "not permitted" instead of "not there" (SEC-25). Only a default that denies is meant. */
static bool default_denies (uint32_t action)
{
    switch (action & SECCOMP_RET_ACTION_FULL) {
    case SCMP_ACT_ALLOW:
    case SCMP_ACT_LOG:
    case SCMP_ACT_TRACE (0):
    case SCMP_ACT_NOTIFY:
        return false;
    default:
        return action != SCMP_ACT_ERRNO (ENOSYS);
    }
}

/* Is there a call that an agent is to answer for? */
static bool notifies (const struct oci_seccomp *seccomp)
{
    if (seccomp->default_action == SCMP_ACT_NOTIFY)
        return true;
    for (size_t i = 0; i < seccomp->syscalls.count; i++) {
        const struct oci_seccomp_syscall *entry = &seccomp->syscalls.items[i];
        for (size_t n = 0; n < entry->names.count && entry->action == SCMP_ACT_NOTIFY; n++)
            if (seccomp_syscall_resolve_name (entry->names.items[n]) != __NR_SCMP_ERROR)
                return true;
    }
    return false;
}

/* Native first (always there: SEC-10), then the others. */
static int list_archs (const struct oci_seccomp *seccomp, struct archs *archs, struct error *err)
{
    uint32_t native = seccomp_arch_native ();

    *archs = (struct archs){.count = 1, .items = {native}};
    for (size_t i = 0; i < seccomp->architectures.count; i++) {
        uint32_t arch = seccomp->architectures.items[i];
        bool listed = arch == SCMP_ARCH_NATIVE;
        for (size_t k = 0; k < archs->count && !listed; k++)
            listed = archs->items[k] == arch;
        if (listed)
            continue;
        const char *name = oci_names_of (&oci_seccomp_archs, arch);
        if ((arch ^ native) & __AUDIT_ARCH_LE)
            return error_set (err, "RT-SECCOMP-ARCH", 0,
                              "architecture %s has another byte order than this machine",
                              name ? name : "");
        if (arch == SCMP_ARCH_X32 && native == SCMP_ARCH_X86_64) {
            archs->x32 = true;
            continue;
        }
        if (archs->count == ARCHS_MAX)
            return error_set (err, "RT-SECCOMP-ARCH", 0, "more than %d architectures", ARCHS_MAX);
        archs->items[archs->count++] = arch;
    }
    return 0;
}

static size_t write_arch (struct code *code, const struct seccomp_profile *profile,
                          const struct archs *archs, uint32_t arch, struct error *err)
{
    if (!seccomp_calls_know (arch))
        return seccomp_library_write (code, profile, arch, err);
    size_t place =
        seccomp_calls_write (code, profile, arch, archs->x32 && arch == SCMP_ARCH_X86_64);
    if (place == 0)
        error_set (err, "RT-SECCOMP-BUILD", errno, "cannot compile the seccomp profile");
    return place;
}

/* Before the part of the native architecture, which begins at `native`. 0 with errno. */
static size_t write_door (struct code *code, const uint32_t *words, size_t native)
{
    const struct sock_filter *items = code_from (code, native);
    struct seccomp_door door;

    if (!items) /* too long: told below */
        return native;
    return seccomp_door_find (&door, items, native) < 0
               ? 0
               : seccomp_door_write (code, &door, words, native, native);
}

/* The native architecture is written last, so it is asked for first and is close by. */
static int write_program (struct code *code, const struct seccomp_profile *profile,
                          const struct archs *archs, const uint32_t *door, struct error *err)
{
    size_t places[ARCHS_MAX];

    for (size_t i = archs->count; i-- > 0;) {
        places[i] = write_arch (code, profile, archs, archs->items[i], err);
        if (places[i] == 0)
            return -1;
    }
    places[0] = write_door (code, door, places[0]);
    if (places[0] == 0)
        return error_set (err, "RT-SECCOMP-BUILD", errno, "cannot compile the seccomp profile");
    size_t other = code_return (code, SECCOMP_RET_KILL_THREAD);
    for (size_t i = archs->count; i-- > 0;)
        other = code_jump (code, BPF_JEQ, archs->items[i], places[i], other);
    (void)code_load (code, offsetof (struct seccomp_data, arch));
    if (code->count <= BPF_MAXINSNS)
        return 0;
    error_set (err, "RT-SECCOMP-SIZE", 0, "the seccomp profile makes %zu instructions",
               code->count);
    return error_hint (err, "the kernel takes %d: name fewer architectures or conditions",
                       BPF_MAXINSNS);
}

/* SEC-04: a name that no architecture of libseccomp has; those of other kernels' calls it knows. */
static int check_names (const struct oci_seccomp *seccomp, struct error *err)
{
    for (size_t i = 0; i < seccomp->syscalls.count; i++) {
        const struct oci_strings *names = &seccomp->syscalls.items[i].names;
        for (size_t n = 0; n < names->count; n++) {
            if (seccomp_syscall_resolve_name (names->items[n]) != __NR_SCMP_ERROR)
                continue;
            error_set (err, "RT-SECCOMP-UNKNOWN", 0, "unknown system call \"%s\"", names->items[n]);
            error_at (err, "/linux/seccomp/syscalls/%zu/names/%zu", i, n);
            return error_hint (err, "the annotation run.oci.seccomp_fail_unknown_syscall makes "
                                    "this an error");
        }
    }
    return 0;
}

int seccomp_compile (const struct oci_seccomp *seccomp, struct seccomp_program *program,
                     struct error *err)
{
    AUTO_CODE struct code code = {0};
    struct archs archs;

    /* libseccomp would ask the kernel what it can; the floor is known. */
    (void)seccomp_api_set (6);
    if (list_archs (seccomp, &archs, err) < 0)
        return error_at (err, "/linux/seccomp/architectures");
    if (seccomp->unknown_is_error && check_names (seccomp, err) < 0)
        return -1;

    uint32_t action = code_answer (seccomp->default_action, &seccomp->default_errno_ret);
    const struct seccomp_profile profile = {
        .document = seccomp,
        .default_action = action,
        .newer_is_enosys = default_denies (action),
    };
    if (code_init (&code) < 0 || door_make (program->door) < 0)
        return error_set (err, "RT-SECCOMP-BUILD", errno, "cannot compile the seccomp profile");
    if (write_program (&code, &profile, &archs, program->door, err) < 0)
        return error_at (err, "/linux/seccomp");
    program->instructions = code_take (&code);
    if (!program->instructions)
        return error_set (err, "RT-SECCOMP-BUILD", errno, "cannot compile the seccomp profile");
    program->count = (uint16_t)code.count;
    return notifies (seccomp);
}
