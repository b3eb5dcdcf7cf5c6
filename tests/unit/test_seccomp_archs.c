/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp on several architectures: what is made of a profile like that of the engines is held
 * against libseccomp's own program for all of them, number by number.
 */
#include "container/seccomp.h"

#include "bpf_machine.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__

/* A profile like that of the engines: some 380 names, a few with arguments. Every fifth number is
 * left out. */
struct engine_profile {
    struct oci_seccomp seccomp;
    struct oci_seccomp_syscall syscalls[4];
    struct oci_seccomp_arg args[3];
    char *names[1024];
    char *personality[2];
    char *clone[2];
    char *denied[3];
    uint32_t archs[3];
};

static void make_engine_profile (struct engine_profile *p, size_t archs)
{
    *p = (struct engine_profile){
        .args = {{.index = 0, .value = 0, .op = SCMP_CMP_EQ},
                 {.index = 0, .value = 0x20008, .op = SCMP_CMP_EQ},
                 {.index = 0, .value = 0x7e020000, .op = SCMP_CMP_MASKED_EQ}},
        .personality = {"personality"},
        .clone = {"clone"},
        .denied = {"clone3", "bpf"},
        .archs = {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32},
    };
    size_t count = 0;
    for (int nr = 0; nr < 450; nr++) {
        char *name = seccomp_syscall_resolve_num_arch (SCMP_ARCH_X86_64, nr);
        if (name && nr % 5 != 0 && nr != SYS_clone && nr != SYS_personality)
            p->names[count++] = name;
        else
            free (name);
    }
    p->names[count++] = strdup ("socketcall");
    p->names[count++] = strdup ("mmap2");
    p->names[count++] = strdup ("futex_time64");
    p->syscalls[0] = (struct oci_seccomp_syscall){.names = {.count = count, .items = p->names},
                                                  .action = SCMP_ACT_ALLOW};
    p->syscalls[1] = (struct oci_seccomp_syscall){.names = {.count = 1, .items = p->personality},
                                                  .action = SCMP_ACT_ALLOW,
                                                  .args = {.count = 2, .items = p->args}};
    p->syscalls[2] = (struct oci_seccomp_syscall){.names = {.count = 1, .items = p->clone},
                                                  .action = SCMP_ACT_ALLOW,
                                                  .args = {.count = 1, .items = p->args + 2}};
    p->syscalls[3] = (struct oci_seccomp_syscall){.names = {.count = 2, .items = p->denied},
                                                  .action = SCMP_ACT_ERRNO (0),
                                                  .errno_ret = {.present = true, .value = 99}};
    p->seccomp.default_action = SCMP_ACT_ERRNO (0);
    p->seccomp.syscalls.count = 4;
    p->seccomp.syscalls.items = p->syscalls;
    p->seccomp.architectures.count = archs;
    p->seccomp.architectures.items = p->archs;
    /* clone3 and bpf are among the allowed names as well; drop them there */
    for (size_t i = 0; i < count; i++)
        if (!strcmp (p->names[i], "clone3") || !strcmp (p->names[i], "bpf")) {
            free (p->names[i]);
            p->names[i] = strdup ("read");
        }
}

static void free_engine_profile (struct engine_profile *p)
{
    for (size_t i = 0; p->names[i]; i++)
        free (p->names[i]);
}

/* What libseccomp itself makes of all architectures in one program. */
static size_t reference (const struct engine_profile *p, struct sock_filter *code, size_t size)
{
    scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ERRNO (EPERM));

    for (size_t i = 1; i < p->seccomp.architectures.count; i++)
        assert_int_equal (seccomp_arch_add (filter, p->archs[i]), 0);
    for (size_t i = 0; p->names[i]; i++) {
        int nr = seccomp_syscall_resolve_name (p->names[i]);
        assert_int_equal (seccomp_rule_add (filter, SCMP_ACT_ALLOW, nr, 0), 0);
    }
    int nr = SCMP_SYS (personality);
    assert_int_equal (seccomp_rule_add (filter, SCMP_ACT_ALLOW, nr, 1, SCMP_A0 (SCMP_CMP_EQ, 0, 0)),
                      0);
    assert_int_equal (
        seccomp_rule_add (filter, SCMP_ACT_ALLOW, nr, 1, SCMP_A0 (SCMP_CMP_EQ, 0x20008, 0)), 0);
    assert_int_equal (seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (clone), 1,
                                        SCMP_A0 (SCMP_CMP_MASKED_EQ, 0x7e020000, 0)),
                      0);
    assert_int_equal (seccomp_rule_add (filter, SCMP_ACT_ERRNO (99), SCMP_SYS (clone3), 0), 0);
    assert_int_equal (seccomp_rule_add (filter, SCMP_ACT_ERRNO (99), SCMP_SYS (bpf), 0), 0);
    int fd = memfd_create ("reference", 0);
    assert_int_equal (seccomp_export_bpf (filter, fd), 0);
    ssize_t length = pread (fd, code, size * sizeof (*code), 0);
    assert_true (length > 0);
    close (fd);
    seccomp_release (filter);
    return (size_t)length / sizeof (*code);
}

static int64_t highest (const struct engine_profile *p, uint32_t arch)
{
    int64_t found = -1;

    for (size_t s = 0; s < p->seccomp.syscalls.count; s++)
        for (size_t i = 0; i < p->syscalls[s].names.count; i++) {
            int nr = seccomp_syscall_resolve_name_arch (arch, p->syscalls[s].names.items[i]);
            if (nr > found)
                found = nr;
        }
    return found;
}

/* Ours must say what libseccomp says, but for numbers above the highest one of the profile. */
static void compare_all (size_t archs)
{
    static const uint64_t args[][6] = {{0}, {0x20008}, {0x10020000}, {1, 2, 3, 4, 5, 6}};
    static const uint32_t audit[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64};
    static struct engine_profile profile;
    static struct sock_filter expected[BPF_MAXINSNS];
    struct seccomp_program program;

    make_engine_profile (&profile, archs);
    prepare (&profile.seccomp, &program);
    size_t count = reference (&profile, expected, COUNT (expected));
    int64_t max64 = highest (&profile, SCMP_ARCH_X86_64);
    int64_t max32 = archs > 1 ? highest (&profile, SCMP_ARCH_X86) : INT64_MAX;
    int64_t max_x32 = archs > 2 ? highest (&profile, SCMP_ARCH_X32) : INT64_MAX;
    assert_true (max64 > 400);
    size_t enosys = 0;

    for (size_t a = 0; a < COUNT (audit); a++)
        for (uint32_t i = 0; i < 2000; i++) {
            uint32_t nr = i < 1000 ? i : X32_BIT + (i - 1000);
            for (size_t k = 0; k < COUNT (args); k++) {
                struct seccomp_data data = {.nr = (int)nr, .arch = audit[a]};
                memcpy (data.args, args[k], sizeof (data.args));
                int64_t max = a == 1 ? max32 : a == 2 ? INT64_MAX : nr >= X32_BIT ? max_x32 : max64;
                uint32_t want = nr > max ? ERRNO (ENOSYS) : run_code (expected, count, &data);
                uint32_t is = ask (&program, audit[a], nr, args[k]);
                if (want != is)
                    fail_msg ("arch %#x nr %#x args %zu: %#x instead of %#x", audit[a], nr, k, is,
                              want);
                enosys += is == ERRNO (ENOSYS);
            }
        }
    assert_true (enosys > 1000);
    assert_int_equal (ask (&program, AUDIT_ARCH_AARCH64, 0, NULL), KILL);
    seccomp_program_release (&program);
    free_engine_profile (&profile);
}

/* rows: SEC-10 SEC-11 SEC-25 SEC-26 SEC-27 */
static void same_as_libseccomp_native (void **state)
{
    (void)state;
    compare_all (1);
}

/* rows: SEC-10 SEC-25 SEC-26 SEC-27 */
static void same_as_libseccomp_two_archs (void **state)
{
    (void)state;
    compare_all (2);
}

/* rows: SEC-10 SEC-25 SEC-26 SEC-27 */
static void same_as_libseccomp_with_x32 (void **state)
{
    (void)state;
    compare_all (3);
}

/* rows: SEC-11 */
static void x32_is_killed_where_it_is_not_named (void **state)
{
    (void)state;
    struct seccomp_program program;
    struct oci_seccomp seccomp = {
        .default_action = SCMP_ACT_ERRNO (0),
        SYSCALLS ({.names = NAMES ("read"), .action = SCMP_ACT_ALLOW}),
    };

    prepare (&seccomp, &program);
    assert_int_equal (ask (&program, AUDIT_ARCH_X86_64, SYS_read, NULL), ALLOW);
    assert_int_equal (ask (&program, AUDIT_ARCH_X86_64, X32_BIT | SYS_read, NULL), KILL);
    assert_int_equal (ask (&program, AUDIT_ARCH_I386, 3, NULL), KILL);
    seccomp_program_release (&program);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (same_as_libseccomp_native),
        cmocka_unit_test (same_as_libseccomp_two_archs),
        cmocka_unit_test (same_as_libseccomp_with_x32),
        cmocka_unit_test (x32_is_killed_where_it_is_not_named),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}

#else

int main (void)
{
    return 77; /* automake: skipped */
}

#endif
