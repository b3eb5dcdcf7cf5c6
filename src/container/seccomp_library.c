/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_library: see seccomp_library.h. */
#include "container/seccomp_library.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define AUTO_FILTER __attribute__ ((cleanup (filter_release)))
static void filter_release (scmp_filter_ctx *filter)
{
    if (*filter)
        seccomp_release (*filter);
}

/* libseccomp takes each argument once a rule; a profile that names one twice means "or" (SEC-07).
 */
static bool has_argument_twice (const struct oci_seccomp_syscall *entry)
{
    unsigned int seen = 0;

    for (size_t i = 0; i < entry->args.count; i++) {
        if (seen >> entry->args.items[i].index & 1)
            return true;
        seen |= 1u << entry->args.items[i].index;
    }
    return false;
}

/* 0 or libseccomp's negative errno. */
static int add_call (scmp_filter_ctx filter, const struct oci_seccomp_syscall *entry,
                     uint32_t action, int number)
{
    struct scmp_arg_cmp compare[6];
    bool one_by_one = has_argument_twice (entry);
    unsigned int count = 0;

    for (size_t i = 0; i < entry->args.count; i++) {
        const struct oci_seccomp_arg *arg = &entry->args.items[i];
        compare[count++] = (struct scmp_arg_cmp){
            .arg = arg->index,
            .op = (enum scmp_compare)arg->op,
            .datum_a = arg->value,
            .datum_b = arg->value_two,
        };
        if (!one_by_one)
            continue;
        int result = seccomp_rule_add_array (filter, action, number, 1, compare);
        if (result < 0 && result != -EEXIST)
            return result;
        count = 0;
    }
    return one_by_one ? 0 : seccomp_rule_add_array (filter, action, number, count, compare);
}

static int add_calls (scmp_filter_ctx filter, const struct seccomp_profile *profile,
                      struct error *err)
{
    const struct oci_seccomp *document = profile->document;

    for (size_t i = 0; i < document->syscalls.count; i++) {
        const struct oci_seccomp_syscall *entry = &document->syscalls.items[i];
        uint32_t action = code_answer (entry->action, &entry->errno_ret);
        if (action == profile->default_action)
            continue; /* says nothing, and libseccomp refuses it (SEC-09) */
        for (size_t n = 0; n < entry->names.count; n++) {
            /* The native number, which libseccomp translates. */
            int number = seccomp_syscall_resolve_name (entry->names.items[n]);
            int result = number == __NR_SCMP_ERROR ? 0 : add_call (filter, entry, action, number);
            if (result < 0 && result != -EEXIST) /* what was said before counts */
                return error_set (err, "RT-SECCOMP-RULE", -result, "seccomp rule for %s",
                                  entry->names.items[n]);
        }
    }
    return 0;
}

/* The filter's program; the place where it begins, 0 with errno. libseccomp 2.5 writes to
 * descriptors only. */
static size_t insert_filter (struct code *code, scmp_filter_ctx filter)
{
    struct sock_filter items[BPF_MAXINSNS];
    AUTO_FD int fd = memfd_create ("seccomp", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create ("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        return 0;
    int result = seccomp_export_bpf (filter, fd);
    if (result < 0) {
        errno = -result;
        return 0;
    }
    ssize_t size = pread (fd, items, sizeof (items), 0);
    if (size <= 0)
        return 0;
    return code_insert (code, items, (size_t)size / sizeof (*items));
}

static int64_t highest_number (const struct oci_seccomp *document, uint32_t arch)
{
    int64_t highest = -1;

    for (size_t i = 0; i < document->syscalls.count; i++)
        for (size_t n = 0; n < document->syscalls.items[i].names.count; n++) {
            const char *name = document->syscalls.items[i].names.items[n];
            int number = seccomp_syscall_resolve_name_arch (arch, name);
            if (number > highest)
                highest = number;
        }
    return highest;
}

static int begin (scmp_filter_ctx filter, uint32_t arch, struct error *err)
{
    uint32_t native = seccomp_arch_native ();
    const char *name = oci_names_of (&oci_seccomp_archs, arch);
    int result = 0;

    if (!filter)
        return error_set (err, "RT-SECCOMP-BUILD", EINVAL, "libseccomp refuses the default action");
    if (arch != native)
        result = seccomp_arch_add (filter, arch);
    if (arch != native && result == 0)
        result = seccomp_arch_remove (filter, native);
    if (result == 0)
        return 0;
    return error_set (err, "RT-SECCOMP-ARCH", -result,
                      "this machine or this libseccomp does not do architecture %s",
                      name ? name : "");
}

size_t seccomp_library_write (struct code *code, const struct seccomp_profile *profile,
                              uint32_t arch, struct error *err)
{
    AUTO_FILTER scmp_filter_ctx filter = seccomp_init (profile->default_action);

    if (begin (filter, arch, err) < 0 || add_calls (filter, profile, err) < 0)
        return 0;
    (void)seccomp_attr_set (filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, too (SEC-27) */
    size_t place = insert_filter (code, filter);
    if (place == 0) {
        error_set (err, "RT-SECCOMP-BUILD", errno, "cannot compile the seccomp profile");
        return 0;
    }
    int64_t highest = highest_number (profile->document, arch);
    if (!profile->newer_is_enosys || highest < 0)
        return place;
    size_t newer = code_return (code, SECCOMP_RET_ERRNO | ENOSYS);
    (void)code_jump (code, BPF_JGT, (uint32_t)highest, newer, place);
    return code_load (code, offsetof (struct seccomp_data, nr));
}
