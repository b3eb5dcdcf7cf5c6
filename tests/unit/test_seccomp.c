/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp: the program that is made of a profile, run here by an interpreter for each architecture,
 * number and arguments.
 */
#include "container/seccomp.h"

#include "bpf_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cmocka.h>

static void refuse (const struct oci_seccomp *seccomp, const char *code, const char *pointer)
{
    struct seccomp_program program = {0};
    struct error err = {0};

    assert_int_equal (seccomp_prepare (seccomp, &program, &err), -1);
    assert_string_equal (err.code, code);
    assert_string_equal (err.pointer, pointer);
    assert_null (program.instructions);
}

/* rows: SEC-34 */
static void absent_is_no_program (void **state)
{
    (void)state;
    struct seccomp_program program = {.count = 7};

    prepare (NULL, &program);
    assert_null (program.instructions);
    assert_int_equal (program.count, 0);
}

/* rows: SEC-01 SEC-02 SEC-05 SEC-09 */
static void actions_and_their_numbers (void **state)
{
    (void)state;
    struct seccomp_program program;
    struct oci_seccomp seccomp = {
        .default_action = SCMP_ACT_ALLOW,
        SYSCALLS ({.names = NAMES ("getpid"), .action = SCMP_ACT_ERRNO (0)},
                  {.names = NAMES ("getuid"),
                   .action = SCMP_ACT_ERRNO (0),
                   .errno_ret = {.present = true, .value = 38}},
                  {.names = NAMES ("getgid"),
                   .action = SCMP_ACT_ERRNO (0),
                   .errno_ret = {.present = true, .value = 0}},
                  {.names = NAMES ("mount"),
                   .action = SCMP_ACT_TRACE (0),
                   .errno_ret = {.present = true, .value = 4711}},
                  {.names = NAMES ("kexec_load"), .action = SCMP_ACT_KILL_PROCESS},
                  {.names = NAMES ("reboot"), .action = SCMP_ACT_KILL},
                  {.names = NAMES ("swapon"), .action = SCMP_ACT_TRAP},
                  {.names = NAMES ("sync"), .action = SCMP_ACT_LOG},
                  {.names = NAMES ("read", "write"), .action = SCMP_ACT_ALLOW}),
    };

    prepare (&seccomp, &program);
    assert_int_equal (ask1 (&program, SYS_getpid, 0, 0), ERRNO (EPERM));
    assert_int_equal (ask1 (&program, SYS_getuid, 0, 0), ERRNO (38));
    assert_int_equal (ask1 (&program, SYS_getgid, 0, 0), ERRNO (0));
    assert_int_equal (ask1 (&program, SYS_mount, 0, 0), SECCOMP_RET_TRACE | 4711);
    assert_int_equal (ask1 (&program, SYS_kexec_load, 0, 0), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal (ask1 (&program, SYS_reboot, 0, 0), KILL);
    assert_int_equal (ask1 (&program, SYS_swapon, 0, 0), SECCOMP_RET_TRAP);
    assert_int_equal (ask1 (&program, SYS_sync, 0, 0), SECCOMP_RET_LOG);
    assert_int_equal (ask1 (&program, SYS_write, 0, 0), ALLOW);
    assert_int_equal (ask1 (&program, 5000, 0, 0), ALLOW);
    seccomp_program_release (&program);
}

/* rows: SEC-10 */
static void what_cannot_be_done_is_refused (void **state)
{
    (void)state;
    struct oci_seccomp arch = {.default_action = SCMP_ACT_ALLOW, ARCHS (SCMP_ARCH_S390X)};

    refuse (&arch, "RT-SECCOMP-ARCH", "/linux/seccomp/architectures");
}

/* rows: SEC-03 SEC-06 SEC-07 SEC-08 */
static void arguments (void **state)
{
    (void)state;
    struct seccomp_program program;
    struct oci_seccomp seccomp = {
        .default_action = SCMP_ACT_ERRNO (0),
        SYSCALLS ({.names = NAMES ("personality"),
                   .action = SCMP_ACT_ALLOW,
                   ARGS ({.index = 0, .value = 0, .op = SCMP_CMP_EQ},
                         {.index = 0, .value = 8, .op = SCMP_CMP_EQ},
                         {.index = 1, .value = 77, .op = SCMP_CMP_EQ})},
                  {.names = NAMES ("no_such_call_at_all", "clone"),
                   .action = SCMP_ACT_ALLOW,
                   ARGS ({.index = 0,
                          .value = 0x7e020000,
                          .value_two = 0x00020000,
                          .op = SCMP_CMP_MASKED_EQ})},
                  {.names = NAMES ("socket"),
                   .action = SCMP_ACT_ALLOW,
                   ARGS ({.index = 0, .value = 16, .op = SCMP_CMP_EQ},
                         {.index = 1, .value = 9, .op = SCMP_CMP_NE})},
                  {.names = NAMES ("dup2"),
                   .action = SCMP_ACT_ALLOW,
                   ARGS ({.index = 1, .value = 0x100000000, .op = SCMP_CMP_GT})},
                  {.names = NAMES ("kill"),
                   .action = SCMP_ACT_ERRNO (0),
                   .errno_ret = {.present = true, .value = 3},
                   ARGS ({.index = 1, .value = 9, .op = SCMP_CMP_LE})},
                  {.names = NAMES ("close"), .action = SCMP_ACT_ALLOW}),
    };

    prepare (&seccomp, &program);
    /* The same index twice: each condition is enough. */
    assert_int_equal (ask1 (&program, SYS_personality, 0, 5), ALLOW);
    assert_int_equal (ask1 (&program, SYS_personality, 8, 5), ALLOW);
    assert_int_equal (ask1 (&program, SYS_personality, 9, 77), ALLOW);
    assert_int_equal (ask1 (&program, SYS_personality, 9, 5), ERRNO (EPERM));
    /* value is the mask, valueTwo what must be left. */
    assert_int_equal (ask1 (&program, SYS_clone, 0x00020011, 0), ALLOW);
    assert_int_equal (ask1 (&program, SYS_clone, 0x10020011, 0), ERRNO (EPERM));
    assert_int_equal (ask1 (&program, SYS_clone, 0x00000011, 0), ERRNO (EPERM));
    /* Different indexes: both. */
    assert_int_equal (ask1 (&program, SYS_socket, 16, 8), ALLOW);
    assert_int_equal (ask1 (&program, SYS_socket, 16, 9), ERRNO (EPERM));
    assert_int_equal (ask1 (&program, SYS_socket, 2, 8), ERRNO (EPERM));
    /* All 64 bits count. */
    assert_int_equal (ask1 (&program, SYS_dup2, 0, 0x100000000), ERRNO (EPERM));
    assert_int_equal (ask1 (&program, SYS_dup2, 0, 0x100000001), ALLOW);
    assert_int_equal (ask1 (&program, SYS_kill, 1, 9), ERRNO (3));
    assert_int_equal (ask1 (&program, SYS_kill, 1, 10), ERRNO (EPERM));
    seccomp_program_release (&program);
}

/* rows: SEC-12 SEC-13 */
static void flags (void **state)
{
    (void)state;
    struct seccomp_program program;
    struct oci_seccomp seccomp = {.default_action = SCMP_ACT_ALLOW};

    prepare (&seccomp, &program);
    assert_int_equal (program.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
    seccomp_program_release (&program);
    seccomp.flags_present = true;
    prepare (&seccomp, &program);
    assert_int_equal (program.flags, 0);
    seccomp_program_release (&program);
    seccomp.flags = SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC | 1u << 5;
    prepare (&seccomp, &program);
    assert_int_equal (program.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC);
    seccomp_program_release (&program);
}

/* rows: SEC-25 */
static void newer_calls_by_default_action (void **state)
{
    (void)state;
    static const struct {
        uint32_t action;
        uint32_t data;
        uint32_t newer;
    } table[] = {
        {SCMP_ACT_ALLOW, 0, ALLOW},
        {SCMP_ACT_LOG, 0, SECCOMP_RET_LOG},
        {SCMP_ACT_TRACE (0), 1, SECCOMP_RET_TRACE | 1},
        {SCMP_ACT_ERRNO (0), 1, ERRNO (ENOSYS)},
        {SCMP_ACT_ERRNO (0), ENOSYS, ERRNO (ENOSYS)},
        {SCMP_ACT_KILL, 0, ERRNO (ENOSYS)},
        {SCMP_ACT_KILL_PROCESS, 0, ERRNO (ENOSYS)},
        {SCMP_ACT_TRAP, 0, ERRNO (ENOSYS)},
    };

    for (size_t i = 0; i < COUNT (table); i++) {
        struct seccomp_program program;
        struct oci_seccomp seccomp = {
            .default_action = table[i].action,
            .default_errno_ret = {.present = table[i].data != 0, .value = table[i].data},
            SYSCALLS ({.names = NAMES ("close_range"),
                       .action = SCMP_ACT_ERRNO (0),
                       .errno_ret = {.present = true, .value = 7}}),
        };
        prepare (&seccomp, &program);
        assert_int_equal (ask1 (&program, SYS_close_range, 0, 0), ERRNO (7));
        assert_int_equal (ask1 (&program, SYS_close_range + 1, 0, 0), table[i].newer);
        seccomp_program_release (&program);
    }

    /* A profile that names nothing has no highest number. */
    struct seccomp_program program;
    struct oci_seccomp nothing = {.default_action = SCMP_ACT_ERRNO (0)};
    prepare (&nothing, &program);
    assert_int_equal (ask1 (&program, 1000, 0, 0), ERRNO (EPERM));
    seccomp_program_release (&program);
}

/* rows: SEC-28 */
static void too_long_is_told (void **state)
{
    (void)state;
    static struct oci_seccomp_syscall syscalls[1200];
    static struct oci_seccomp_arg args[COUNT (syscalls)];
    static char *names[] = {"ioctl", NULL};
    struct oci_seccomp seccomp = {
        .default_action = SCMP_ACT_ERRNO (0),
        .syscalls = {.count = COUNT (syscalls), .items = syscalls},
    };

    for (size_t i = 0; i < COUNT (syscalls); i++) {
        args[i] = (struct oci_seccomp_arg){.index = 1, .value = 0x100000001 * i, .op = SCMP_CMP_EQ};
        syscalls[i] = (struct oci_seccomp_syscall){.names = {.count = 1, .items = names},
                                                   .action = SCMP_ACT_ALLOW,
                                                   .args = {.count = 1, .items = &args[i]}};
    }
    refuse (&seccomp, "RT-SECCOMP-SIZE", "/linux/seccomp");
}

static const struct oci_seccomp notifying = {
    .default_action = SCMP_ACT_ERRNO (0),
    .flags_present = true,
    .flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG,
    SYSCALLS ({.names = NAMES ("sendmsg", "exit_group"), .action = SCMP_ACT_NOTIFY},
              {.names = NAMES ("recvmsg", "close"), .action = SCMP_ACT_KILL_PROCESS}),
};

/* rows: SEC-12 SEC-14 SEC-15 */
static void a_listener_is_asked_for_where_somebody_is_to_answer (void **state)
{
    (void)state;
    struct seccomp_program program;
    struct seccomp_program other;
    struct oci_seccomp unknown = {
        .default_action = SCMP_ACT_ALLOW,
        SYSCALLS ({.names = NAMES ("no_such_call"), .action = SCMP_ACT_NOTIFY}),
    };

    prepare (&unknown, &program);
    assert_int_equal (program.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
    seccomp_program_release (&program);

    prepare (&notifying, &program);
    assert_int_equal (program.flags, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH |
                                         SECCOMP_FILTER_FLAG_LOG |
                                         SECCOMP_FILTER_FLAG_NEW_LISTENER);
    prepare (&notifying, &other);
    assert_memory_not_equal (program.door, other.door, sizeof (other.door));
    seccomp_program_release (&other);
    seccomp_program_release (&program);
}

static const struct door_call *door_call (uint32_t number)
{
    for (size_t i = 0; i < door_call_count; i++)
        if (door_calls[i].number == number)
            return &door_calls[i];
    return NULL;
}

static uint32_t ask_door (const struct seccomp_program *program, uint32_t number, uint64_t *args)
{
    return ask (program, AUDIT_ARCH_X86_64, number, args);
}

/* rows: SEC-21 SEC-22 */
static void only_the_secret_opens_the_door (void **state)
{
    (void)state;
    struct seccomp_program program;

    prepare (&notifying, &program);
    for (uint32_t number = 0; number < 400; number++) {
        uint64_t args[6] = {3, 4, 5, program.door[0], program.door[1], program.door[2]};
        const struct door_call *call = door_call (number);
        uint32_t closed = number == SYS_sendmsg || number == SYS_exit_group ? SECCOMP_RET_USER_NOTIF
                          : number == SYS_recvmsg || number == SYS_close ? SECCOMP_RET_KILL_PROCESS
                          : number > SYS_exit_group                      ? ERRNO (ENOSYS)
                                                                         : ERRNO (EPERM);
        if (call && call->mask != 0)
            args[call->arg] = call->says[1];
        assert_int_equal (ask_door (&program, number, args), call ? ALLOW : closed);
        /* Each bit counts. */
        for (size_t bit = 0; call && bit < 96; bit++) {
            args[3 + bit / 32] ^= 1u << bit % 32;
            assert_int_equal (ask_door (&program, number, args), closed);
            args[3 + bit / 32] ^= 1u << bit % 32;
        }
        machine_steps = 0;
        args[3] ^= 1;
        (void)ask_door (&program, SYS_sendmsg, args);
        size_t first = machine_steps;
        machine_steps = 0;
        args[3] ^= 1, args[5] ^= 1;
        (void)ask_door (&program, SYS_sendmsg, args);
        assert_int_equal (machine_steps, first);
    }
    /* Of another architecture these numbers are other calls. */
    const uint64_t args[6] = {3, 4, 5, program.door[0], program.door[1], program.door[2]};
    assert_int_equal (ask (&program, AUDIT_ARCH_I386, SYS_close, args), KILL);
    seccomp_program_release (&program);
}

/* Who may trace the process knows the secret, and must not gain a user namespace by it. */
static void the_door_is_as_wide_as_rt_needs (void **state)
{
    (void)state;
    static const struct {
        uint32_t number;
        int arg;
        uint64_t value;
        bool passes;
    } table[] = {
        {SYS_clone, 0, CLONE_PARENT, true},
        {SYS_clone, 0, CLONE_PARENT | SIGCHLD, true},
        {SYS_clone, 0, 0, false},
        {SYS_clone, 0, SIGCHLD, false},
        {SYS_clone, 0, CLONE_PARENT | CLONE_NEWUSER, false},
        {SYS_clone, 0, CLONE_PARENT | CLONE_CHILD_SETTID, false},
        {SYS_clone, 0, CLONE_PARENT | 1ull << 32, false},
        {SYS_ioctl, 1, TIOCSCTTY, true},
        {SYS_ioctl, 1, FIOCLEX, true},
        {SYS_ioctl, 1, TIOCSTI, false},
        {SYS_openat, 2, O_RDONLY, true},
        {SYS_openat, 2, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, true},
        {SYS_openat, 2, O_RDWR, false},
        {SYS_openat, 2, O_WRONLY | O_CLOEXEC, false},
        {SYS_openat, 2, O_CREAT, false},
    };
    struct seccomp_program program;
    struct oci_seccomp nothing = {.default_action = SCMP_ACT_KILL_PROCESS};

    prepare (&nothing, &program);
    for (size_t i = 0; i < COUNT (table); i++) {
        uint64_t args[6] = {0, 0, 0, program.door[0], program.door[1], program.door[2]};
        args[table[i].arg] = table[i].value;
        assert_int_equal (ask_door (&program, table[i].number, args),
                          table[i].passes ? ALLOW : SECCOMP_RET_KILL_PROCESS);
    }
    seccomp_program_release (&program);
}

/* rows: SEC-27 */
static void the_door_stands_only_before_what_is_not_allowed_anyway (void **state)
{
    (void)state;
    static const uint32_t hot[] = {SYS_read, SYS_close, SYS_openat, SYS_getpid};
    static const uint32_t rare[] = {SYS_clone, SYS_ioctl, SYS_exit_group};
    struct seccomp_program program;
    struct oci_seccomp seccomp = {
        .default_action = SCMP_ACT_ERRNO (0),
        SYSCALLS ({.names = NAMES ("read", "close", "openat", "getpid", "sendmsg", "recvmsg",
                                   "capset", "setsid", "accept"),
                   .action = SCMP_ACT_ALLOW},
                  {.names = NAMES ("clone", "ioctl"),
                   .action = SCMP_ACT_ALLOW,
                   ARGS ({.index = 0, .value = 1, .op = SCMP_CMP_EQ})}),
    };

    prepare (&seccomp, &program);
    for (size_t i = 0; i < COUNT (hot); i++)
        assert_true (kernel_remembers (&program, hot[i]));
    for (size_t i = 0; i < COUNT (rare); i++)
        assert_false (kernel_remembers (&program, rare[i]));
    seccomp_program_release (&program);

    /* What Docker's and Podman's profiles say of clone allows what rt makes of it. */
    struct oci_seccomp engines = {
        .default_action = SCMP_ACT_ERRNO (1),
        SYSCALLS ({.names = NAMES ("read", "close", "openat", "getpid", "sendmsg", "recvmsg",
                                   "capset", "setsid", "accept", "exit_group", "ioctl"),
                   .action = SCMP_ACT_ALLOW},
                  {.names = NAMES ("clone"),
                   .action = SCMP_ACT_ALLOW,
                   ARGS ({.index = 0, .value = 0x7e020000, .op = SCMP_CMP_MASKED_EQ})}),
    };
    prepare (&engines, &program);
    for (size_t i = 0; i < program.count; i++)
        assert_int_not_equal (program.instructions[i].code, BPF_ALU | BPF_XOR | BPF_K);
    seccomp_program_release (&program);

    /* Nothing asks for arguments. */
    struct oci_seccomp all = {.default_action = SCMP_ACT_ALLOW};
    prepare (&all, &program);
    for (size_t i = 0; i < program.count; i++)
        if (BPF_CLASS (program.instructions[i].code) == BPF_LD)
            assert_in_range (program.instructions[i].k, 0, offsetof (struct seccomp_data, arch));
    seccomp_program_release (&program);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (absent_is_no_program),
        cmocka_unit_test (actions_and_their_numbers),
        cmocka_unit_test (what_cannot_be_done_is_refused),
        cmocka_unit_test (arguments),
        cmocka_unit_test (flags),
        cmocka_unit_test (newer_calls_by_default_action),
        cmocka_unit_test (too_long_is_told),
        cmocka_unit_test (a_listener_is_asked_for_where_somebody_is_to_answer),
        cmocka_unit_test (only_the_secret_opens_the_door),
        cmocka_unit_test (the_door_is_as_wide_as_rt_needs),
        cmocka_unit_test (the_door_stands_only_before_what_is_not_allowed_anyway),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
