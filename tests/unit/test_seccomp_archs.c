/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp on several architectures: what is made of the engines' own profiles is held against
 * libseccomp's programs, number by number; and it must not be slower than those.
 */
#include "container/seccomp.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "oci-spec/config.h"
#include "seccomp_reference.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/syscall.h>

#include <cmocka.h>

#ifdef __x86_64__

static const uint64_t arguments[][6] = {
    {0},        {8, 1, 9},  {0x20008},          {0x10020000},
    {16, 3, 9}, {16, 3, 0}, {0xffffffff, 9, 1}, {0x100000000, 0x100000008, 0x100000009}};

/* linux.seccomp of a file, as the document is read. */
static const struct oci_seccomp *read_profile (struct arena *arena, const char *path)
{
    AUTO_TEXT struct text text = {0};
    struct error err = {0};
    size_t length;
    AUTO_FD int fd = open (path, O_RDONLY | O_CLOEXEC);

    assert_true (fd >= 0);
    AUTO_FREE char *profile = fd_read_all (fd, 1 << 24, &length, path, &err);
    assert_non_null (profile);
    text_printf (&text,
                 "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},"
                 "\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]},\"linux\":{\"seccomp\":%s}}",
                 profile);
    const char *copy = arena_copy (arena, text.bytes, text.length);
    const struct oci_config *config =
        oci_config_parse (arena, path, copy, text.length, NULL, NULL, &err);
    if (!config)
        fail_msg ("%s: %s", path, err.text);
    return config->linux.seccomp;
}

static void compare_arch (const struct oci_seccomp *seccomp, const struct seccomp_program *program,
                          uint32_t arch)
{
    static struct reference reference;
    uint32_t audit = arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch;
    uint32_t bit = arch == SCMP_ARCH_X32 ? X32_BIT : 0;
    int64_t highest = reference_highest (seccomp, arch);
    size_t wide = arch == SCMP_ARCH_X86 ? COUNT (arguments) - 1 : COUNT (arguments);
    size_t allowed = 0;

    make_reference (seccomp, arch, &reference);
    for (uint32_t number = 0; number < 1100; number++)
        for (size_t a = 0; a < wide; a++) {
            struct seccomp_data data = {.nr = (int)(number | bit), .arch = audit};
            memcpy (data.args, arguments[a], sizeof (data.args));
            uint32_t want = (int64_t)(number | bit) > highest
                                ? (uint32_t)ERRNO (ENOSYS)
                                : run_code (reference.code, reference.count, &data);
            uint32_t is = run_code (program->instructions, program->count, &data);
            if (is != want)
                fail_msg ("arch %#x number %#x arguments %zu: %#x instead of %#x", arch,
                          number | bit, a, is, want);
            allowed += is == ALLOW;
        }
    assert_true (allowed > 250 * wide);
}

/* Instructions that all calls of the native architecture take, each once. */
static size_t steps (const struct sock_filter *code, size_t count)
{
    machine_steps = 0;
    for (int number = 0; number < 450; number++) {
        struct seccomp_data data = {.nr = number, .arch = AUDIT_ARCH_X86_64};
        (void)run_code (code, count, &data);
    }
    return machine_steps;
}

static void compare_profile (const struct oci_seccomp *seccomp)
{
    static const uint32_t hot[] = {SYS_read, SYS_close, SYS_openat, SYS_getpid, SYS_sendmsg};
    static struct reference reference;
    struct seccomp_program program;

    prepare (seccomp, &program);
    assert_true (program.count < 600);
    /* The door of rt costs them nothing. */
    for (size_t i = 0; i < COUNT (hot); i++)
        assert_true (kernel_remembers (&program, hot[i]));
    compare_arch (seccomp, &program, SCMP_ARCH_X86_64);
    compare_arch (seccomp, &program, SCMP_ARCH_X86);
    compare_arch (seccomp, &program, SCMP_ARCH_X32);
    assert_int_equal (ask (&program, AUDIT_ARCH_AARCH64, 0, NULL), KILL);
    make_reference (seccomp, SCMP_ARCH_X86_64, &reference);
    assert_true (steps (program.instructions, program.count) <
                 steps (reference.code, reference.count));
    seccomp_program_release (&program);
}

/* rows: SEC-10 SEC-25 SEC-26 SEC-27 */
static void profiles_of_the_engines (void **state)
{
    (void)state;
    const char *top = getenv ("srcdir");
    AUTO_TEXT struct text pattern = {0};
    glob_t found;

    text_printf (&pattern, "%s/tests/engines/captured/seccomp/*.json", top ? top : ".");
    assert_int_equal (glob (text_string (&pattern), 0, NULL, &found), 0);
    assert_true (found.gl_pathc >= 8);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        compare_profile (read_profile (&arena, found.gl_pathv[i]));
    }
    globfree (&found);
}

/* rows: SEC-10 SEC-26 */
static void every_architecture_that_the_library_knows (void **state)
{
    (void)state;
    static struct reference reference;
    static uint32_t archs[] = {SCMP_ARCH_AARCH64, SCMP_ARCH_ARM,         SCMP_ARCH_RISCV64,
                               SCMP_ARCH_MIPSEL,  SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_MIPSEL64,
                               SCMP_ARCH_PPC64LE};
    static char *const names[] = {"read", "socket", "semget", "personality", "clone3", "msgrcv",
                                  "mmap", "mmap2",  "send",   "socketcall",  "set_tls"};
    struct oci_seccomp seccomp = {
        .default_action = SCMP_ACT_ERRNO (0),
        SYSCALLS ({.names = {.count = COUNT (names) - 1, .items = (char **)names},
                   .action = SCMP_ACT_ALLOW},
                  {.names = NAMES ("personality", "connect", "semctl"),
                   .action = SCMP_ACT_TRAP,
                   ARGS ({.index = 0, .value = 0x100000008, .op = SCMP_CMP_EQ})}),
    };

    for (size_t a = 0; a < COUNT (archs); a++) {
        struct seccomp_program program;
        seccomp.architectures.count = 1;
        seccomp.architectures.items = &archs[a];
        prepare (&seccomp, &program);
        make_reference (&seccomp, archs[a], &reference);
        int64_t highest = reference_highest (&seccomp, archs[a]);
        assert_true (highest > 400 && highest < 7000);
        for (uint32_t number = 0; number < 7000; number++)
            for (size_t k = 0; k < COUNT (arguments); k++) {
                struct seccomp_data data = {.nr = (int)number, .arch = archs[a]};
                memcpy (data.args, arguments[k], sizeof (data.args));
                if (ask (&program, archs[a], number, arguments[k]) !=
                    (number > highest ? (uint32_t)ERRNO (ENOSYS)
                                      : run_code (reference.code, reference.count, &data)))
                    fail_msg ("arch %#x number %u arguments %zu", archs[a], number, k);
            }
        seccomp_program_release (&program);
    }
}

/* rows: SEC-26 */
static void private_calls_of_arm_are_not_the_newest (void **state)
{
    (void)state;
    struct seccomp_program program;
    struct oci_seccomp seccomp = {
        .default_action = SCMP_ACT_ERRNO (0),
        ARCHS (SCMP_ARCH_ARM),
        SYSCALLS ({.names = NAMES ("openat2", "set_tls"), .action = SCMP_ACT_ALLOW}),
    };

    prepare (&seccomp, &program);
    assert_int_equal (ask (&program, AUDIT_ARCH_ARM, 437, NULL), ALLOW);
    assert_int_equal (ask (&program, AUDIT_ARCH_ARM, 436, NULL), ERRNO (EPERM));
    assert_int_equal (ask (&program, AUDIT_ARCH_ARM, 438, NULL), ERRNO (ENOSYS));
    assert_int_equal (ask (&program, AUDIT_ARCH_ARM, 0xf0005, NULL), ALLOW);
    assert_int_equal (ask (&program, AUDIT_ARCH_ARM, 0xf0004, NULL), ERRNO (EPERM));
    seccomp_program_release (&program);
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
    assert_int_equal (ask (&program, AUDIT_ARCH_X86_64, 0, NULL), ALLOW);
    assert_int_equal (ask (&program, AUDIT_ARCH_X86_64, X32_BIT, NULL), KILL);
    assert_int_equal (ask (&program, AUDIT_ARCH_X86_64, UINT32_MAX - 1, NULL), KILL);
    assert_int_equal (ask (&program, AUDIT_ARCH_X86_64, UINT32_MAX, NULL), ERRNO (ENOSYS));
    assert_int_equal (ask (&program, AUDIT_ARCH_I386, 3, NULL), KILL);
    seccomp_program_release (&program);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (profiles_of_the_engines),
        cmocka_unit_test (every_architecture_that_the_library_knows),
        cmocka_unit_test (private_calls_of_arm_are_not_the_newest),
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
