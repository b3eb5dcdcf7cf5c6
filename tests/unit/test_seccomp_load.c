/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp: the program that is made of a profile, loaded for real in a process of its own; and the
 * calls that pass below it by the door.
 */
#include "container/seccomp.h"

#include "base/fdio.h"
#include "bpf_machine.h"
#include "in_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* As kernel/launch.h does it: the listener or 0, or -1 with the words of that failure. */
static int load (const struct seccomp_program *program, struct error *err)
{
    const struct sock_fprog filter = {program->count, program->instructions};
    long result = syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, program->flags, &filter);

    return result < 0 ? seccomp_load_failed (errno, err) : (int)result;
}

static int load_and_try (void)
{
    struct seccomp_program program;
    struct error err = {0};
    struct oci_seccomp seccomp = {
        .default_action = SCMP_ACT_ERRNO (0),
        SYSCALLS ({.names = NAMES ("read", "write", "exit_group", "rt_sigreturn", "munmap", "brk"),
                   .action = SCMP_ACT_ALLOW},
                  {.names = NAMES ("getuid"),
                   .action = SCMP_ACT_ERRNO (0),
                   .errno_ret = {.present = true, .value = 77}},
                  {.names = NAMES ("personality"),
                   .action = SCMP_ACT_ALLOW,
                   ARGS ({.index = 0, .value = 0xffffffff, .op = SCMP_CMP_EQ})}),
    };

    CHECK (seccomp_prepare (&seccomp, &program, &err) == 0);
    CHECK (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK (load (&program, &err) == 0);
    CHECK (syscall (SYS_getuid) == -1 && errno == 77);
    CHECK (syscall (SYS_getpid) == -1 && errno == EPERM);
    CHECK (syscall (SYS_openat2 + 1000, 0) == -1 && errno == ENOSYS);
    CHECK (personality (0xffffffff) >= 0);
    CHECK (personality (0) == -1 && errno == EPERM);
    return 0;
}

static int load_without_rights (void)
{
    struct seccomp_program program;
    struct error err = {0};
    struct oci_seccomp seccomp = {.default_action = SCMP_ACT_ALLOW};

    CHECK (seccomp_prepare (&seccomp, &program, &err) == 0);
    CHECK (setresuid (12345, 12345, 12345) == 0);
    CHECK (load (&program, &err) == -1);
    CHECK (strcmp (err.code, "RT-SECCOMP-LOAD") == 0 && err.errnum == EACCES);
    CHECK (strstr (err.hint, "noNewPrivileges") != NULL);
    return 0;
}

/* What the kernel refuses is an error with its reason, never a weaker filter. */
static int load_with_unknown_flags (void)
{
    struct seccomp_program program;
    struct error err = {0};
    struct oci_seccomp seccomp = {.default_action = SCMP_ACT_ALLOW};

    CHECK (seccomp_prepare (&seccomp, &program, &err) == 0);
    CHECK (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    program.flags = 1u << 20;
    CHECK (load (&program, &err) == -1 && err.errnum == EINVAL);
    CHECK (strstr (err.hint, "linux.seccomp.flags") != NULL);
    program.flags = SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV; /* without a listener */
    CHECK (load (&program, &err) == -1 && err.errnum == EINVAL);
    CHECK (strstr (err.hint, "5.19") != NULL);
    return 0;
}

static int kill_by_filter (void)
{
    struct seccomp_program program;
    struct error err = {0};
    struct oci_seccomp seccomp = {
        .default_action = SCMP_ACT_ALLOW,
        SYSCALLS ({.names = NAMES ("getuid"), .action = SCMP_ACT_KILL_PROCESS}),
    };

    CHECK (seccomp_prepare (&seccomp, &program, &err) == 0);
    CHECK (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK (load (&program, &err) == 0);
    (void)syscall (SYS_getuid);
    return __LINE__;
}

static const struct oci_seccomp notifying = {
    .default_action = SCMP_ACT_ERRNO (0),
    .flags_present = true,
    .flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG,
    SYSCALLS ({.names = NAMES ("sendmsg", "exit_group"), .action = SCMP_ACT_NOTIFY},
              {.names = NAMES ("recvmsg", "close"), .action = SCMP_ACT_KILL_PROCESS}),
};

#define BY_DOOR(number, a, b, c)                                                                   \
    syscall (number, a, b, c, program.door[0], program.door[1], program.door[2])

static int hand_over_by_the_door (void)
{
    struct seccomp_program program;
    struct error err = {0};
    int pair[2];
    char word[4];
    struct iovec part = {.iov_base = word, .iov_len = sizeof (word)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    CHECK (seccomp_prepare (&notifying, &program, &err) == 0);
    CHECK (socketpair (AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    pid_t outside = fork ();
    if (outside == 0) {
        int fd = -1;
        size_t count = 1;
        (void)close (pair[0]);
        if (fd_receive (pair[1], word, 4, &fd, &count) != 4 || count != 1)
            _exit (1);
        /* The line is as good as the listener now: notified calls of the other side come here. */
        struct seccomp_notif call = {0};
        struct seccomp_notif_resp answer = {.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        if (send (pair[1], "good", 4, 0) != 4 || ioctl (fd, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0 ||
            call.data.nr != SYS_exit_group)
            _exit (2);
        answer.id = call.id;
        _exit (ioctl (fd, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 ? 3 : 0);
    }
    CHECK (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    int listener = load (&program, &err);
    CHECK (listener > 0);
    CHECK (door_send (program.door, pair[0], "have", 4, listener) == 0);
    CHECK (BY_DOOR (SYS_close, listener, 0, 0) == 0);
    CHECK (BY_DOOR (SYS_recvmsg, pair[0], &message, 0) == 4 && memcmp (word, "good", 4) == 0);
    return 0; /* and out, by a notified call */
}

/* The kernel ignores the words, and each call does what it always does. */
static int make_all_calls_by_the_door (void)
{
    struct seccomp_program program;
    struct error err = {0};
    const struct oci_seccomp nothing = {.default_action = SCMP_ACT_KILL_PROCESS};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2] = {{0}};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const pid_t self = getpid ();
    char byte = 1;

    int gate = socket (AF_UNIX, SOCK_STREAM, 0);
    int caller = socket (AF_UNIX, SOCK_STREAM, 0);
    socklen_t length = sizeof (address);
    /* An abstract name of the kernel's choice. */
    CHECK (bind (gate, (struct sockaddr *)&address, sizeof (sa_family_t)) == 0);
    CHECK (listen (gate, 1) == 0);
    CHECK (getsockname (gate, (struct sockaddr *)&address, &length) == 0);
    CHECK (connect (caller, (struct sockaddr *)&address, length) == 0);
    CHECK (seccomp_prepare (&nothing, &program, &err) == 0);
    CHECK (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK (load (&program, &err) == 0);
    CHECK (BY_DOOR (SYS_getpid, 0, 0, 0) == self);
    CHECK (BY_DOOR (SYS_setsid, 0, 0, 0) == self);
    CHECK (BY_DOOR (SYS_capset, &header, sets, 0) == 0);
    long line = BY_DOOR (SYS_accept, gate, NULL, NULL);
    CHECK (line >= 0);
    CHECK (door_send (program.door, caller, "have", 4, gate) == 0);
    CHECK (BY_DOOR (SYS_read, line, &byte, 1) == 1 && byte == 'h');
    CHECK (BY_DOOR (SYS_ioctl, line, FIOCLEX, 0) == 0);
    CHECK (BY_DOOR (SYS_close, line, 0, 0) == 0);
    long zero = BY_DOOR (SYS_openat, AT_FDCWD, "/dev/zero", O_RDONLY | O_CLOEXEC);
    CHECK (zero >= 0 && BY_DOOR (SYS_read, zero, &byte, 1) == 1 && byte == 0);
    CHECK (BY_DOOR (SYS_clone, CLONE_PARENT, 0, 0) >= 0); /* both go on */
    BY_DOOR (SYS_exit_group, 0, 0, 0);
    return __LINE__;
}

/* rows: SEC-23 SEC-36 */
static void all_calls_of_rt_pass_below_a_filter_that_allows_none (void **state)
{
    (void)state;
    assert_int_equal (in_child (make_all_calls_by_the_door), 0);
}

/* rows: SEC-14 SEC-20 SEC-21 SEC-22 */
static void a_listener_goes_out_by_the_door (void **state)
{
    (void)state;
    assert_int_equal (in_child (hand_over_by_the_door), 0);
}

/* rows: SEC-13 SEC-23 SEC-24 SEC-37 */
static void the_kernel_takes_it (void **state)
{
    (void)state;
    assert_int_equal (in_child (load_and_try), 0);
    if (getuid () == 0)
        assert_int_equal (in_child (load_without_rights), 0);
    assert_int_equal (in_child (load_with_unknown_flags), 0);
    assert_int_equal (in_child (kill_by_filter), 1000 + SIGSYS);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_listener_goes_out_by_the_door),
        cmocka_unit_test (all_calls_of_rt_pass_below_a_filter_that_allows_none),
        cmocka_unit_test (the_kernel_takes_it),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
