/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch: see launch.h. What is marked WITHOUT_LIBC runs when libc's data is gone: it calls nothing
 * but raw_call () and its like, and no loop of it may look to the compiler like memcpy ().
 */
#include "kernel/launch_packed.h"

#include "kernel/rawcall.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* AddressSanitizer calls the kernel, below the filter, before each function that does not return.
 */
#define WITHOUT_LIBC BEFORE_LIBC __attribute__ ((noinline, no_sanitize ("address")))

/* A call below the filter: see door.h. */
static inline __attribute__ ((always_inline)) long door_call (const struct launch *launch,
                                                              long number, long a, long b, long c)
{
    return raw_call6 (number, a, b, c, (long)launch->door[0], (long)launch->door[1],
                      (long)launch->door[2]);
}

static WITHOUT_LIBC _Noreturn void end (const struct launch *launch, int status)
{
    (void)door_call (launch, SYS_exit_group, status, 0, 0);
    for (;;)
        __builtin_trap ();
}

/*
 * What the kernel reads, word for word. musl's msghdr and cmsghdr have paddings that its sendmsg ()
 * clears and that the kernel takes for the upper half of a length.
 */
struct message {
    void *name;
    int name_length;
    struct iovec *parts;
    size_t part_count;
    void *control;
    size_t control_length;
    unsigned int flags;
};

struct passed_descriptor {
    size_t length;
    int level;
    int type;
    int fd;
};

static inline __attribute__ ((always_inline)) struct message message_of (struct iovec *parts,
                                                                         size_t count)
{
    struct message message;

    message.name = NULL;
    message.name_length = 0;
    message.parts = parts;
    message.part_count = count;
    message.control = NULL;
    message.control_length = 0;
    message.flags = 0;
    return message;
}

static WITHOUT_LIBC long transmit (const struct launch *launch, struct message *message)
{
    long sent;

    do
        sent = door_call (launch, SYS_sendmsg, launch->line, (long)message, MSG_NOSIGNAL);
    while (sent == -EINTR);
    return sent;
}

/* One packet without a payload; `fd` goes along and is closed, -1 = none. */
static WITHOUT_LIBC void say (const struct launch *launch, uint32_t word, int fd)
{
    struct passed_descriptor passed;
    struct iovec part;

    part.iov_base = &word;
    part.iov_len = sizeof (word);
    struct message message = message_of (&part, 1);
    if (fd >= 0) {
        passed.length = offsetof (struct passed_descriptor, fd) + sizeof (passed.fd);
        passed.level = SOL_SOCKET;
        passed.type = SCM_RIGHTS;
        passed.fd = fd;
        message.control = &passed;
        message.control_length = sizeof (passed);
    }
    if (transmit (launch, &message) < 0)
        end (launch, 1);
    if (fd >= 0)
        (void)door_call (launch, SYS_close, fd, 0, 0);
}

/* Up to `size` bytes of the next packet: their number, 0 = closed, or a negative errno. */
static WITHOUT_LIBC long hear (const struct launch *launch, int socket, void *bytes, size_t size)
{
    struct iovec part;
    long length;

    part.iov_base = bytes;
    part.iov_len = size;
    struct message message = message_of (&part, 1);
    do
        length = door_call (launch, SYS_recvmsg, socket, (long)&message, 0);
    while (length == -EINTR);
    return length;
}

/* The parent compares now, and says when to go on. */
static WITHOUT_LIBC void await_go (const struct launch *launch)
{
    uint32_t word;

    if (hear (launch, launch->line, &word, sizeof (word)) != (long)sizeof (word) ||
        word != launch->words.go)
        end (launch, 1);
}

static WITHOUT_LIBC _Noreturn void fail (const struct launch *launch, enum launch_step step,
                                         long errnum, const char *path, size_t path_length,
                                         const void *head, size_t head_length)
{
    struct {
        uint32_t word;
        struct launch_failure failure;
    } packet;
    struct iovec parts[3];

    packet.word = launch->words.failed;
    packet.failure.step = step;
    packet.failure.errnum = (int32_t)errnum;
    parts[0].iov_base = &packet;
    parts[0].iov_len = sizeof (packet);
    parts[1].iov_base = (void *)(uintptr_t)path;
    parts[1].iov_len = path_length;
    parts[2].iov_base = (void *)(uintptr_t)head;
    parts[2].iov_len = head_length;
    struct message message = message_of (parts, 3);
    (void)transmit (launch, &message);
    end (launch, step == LAUNCH_REFUSED ? LAUNCH_REFUSED_STATUS : 1);
}

static WITHOUT_LIBC void load_filter (const struct launch *launch)
{
    if (!launch->filter)
        return;
    long result = raw_call (SYS_seccomp, SECCOMP_SET_MODE_FILTER, (long)launch->filter_flags,
                            (long)&launch->program, 0, 0);
    bool listens = launch->filter_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
    if (result > 0 && !listens)
        result = -ESRCH; /* TSYNC: the number of a thread that could not follow */
    if (result < 0)
        fail (launch, LAUNCH_FILTER, -result, "", 1, NULL, 0);
    if (listens)
        say (launch, launch->words.listener, (int)result);
}

static WITHOUT_LIBC void set_capabilities (struct launch *launch)
{
    if (!launch->sets_capabilities)
        return;
    long result = door_call (launch, SYS_capset, (long)&launch->capabilities.header,
                             (long)launch->capabilities.data, 0);
    if (result < 0)
        fail (launch, LAUNCH_CAPABILITIES, -result, "", 1, NULL, 0);
}

/* Returns in the process proper only. */
static WITHOUT_LIBC void be_born (const struct launch *launch)
{
    if (!launch->birth)
        return;
#if defined __s390__ || defined __CRIS__
    long pid = door_call (launch, SYS_clone, 0, CLONE_PARENT, 0);
#else
    long pid = door_call (launch, SYS_clone, CLONE_PARENT, 0, 0);
#endif
    if (pid < 0)
        fail (launch, LAUNCH_BIRTH, -pid, "", 1, NULL, 0);
    if (pid > 0)
        end (launch, 0);
}

/* As it is called in its own pid namespace, right-justified: leading zeros are a number, too, but
 * programs compare the text. So the text moves to the left. */
static WITHOUT_LIBC void write_pid (const struct launch *launch)
{
    char *digits = launch->pid_digits;
    unsigned int divisor = 1;
    size_t at = 0;

    if (!digits)
        return;
    unsigned int pid = (unsigned int)door_call (launch, SYS_getpid, 0, 0, 0);
    while (pid / divisor >= 10)
        divisor *= 10;
    for (; divisor > 0; divisor /= 10)
        digits[at++] = (char)('0' + pid / divisor % 10);
    digits[at] = '\0';
}

static WITHOUT_LIBC void take_session (const struct launch *launch)
{
    if (launch->session)
        (void)door_call (launch, SYS_setsid, 0, 0, 0);
    if (!launch->terminal)
        return;
    long result = door_call (launch, SYS_ioctl, STDIN_FILENO, TIOCSCTTY, 0);
    if (result < 0)
        fail (launch, LAUNCH_TERMINAL, -result, "", 1, NULL, 0);
}

static WITHOUT_LIBC long accept_one (const struct launch *launch)
{
#ifdef SYS_accept
    return door_call (launch, SYS_accept, launch->gate, 0, 0);
#else
    return raw_call (SYS_accept4, launch->gate, 0, 0, 0, 0);
#endif
}

static WITHOUT_LIBC bool is_word (const char *word, const char *bytes, long length)
{
    long i = 0;

    while (i < length && bytes[i] == word[i] && word[i])
        i++;
    return i + 1 == length && bytes[i] == '\0' && word[i] == '\0';
}

/* A connection that closes without a word only asks whether this process waits. */
static WITHOUT_LIBC void wait_at_gate (struct launch *launch)
{
    char bytes[64];

    if (launch->gated) {
        say (launch, launch->words.gated, -1);
        await_go (launch);
    }
    if (launch->gate < 0)
        return;
    (void)door_call (launch, SYS_close, launch->line, 0, 0);
    for (;;) {
        long line = accept_one (launch);
        if (line == -EINTR || line == -ECONNABORTED)
            continue;
        if (line < 0)
            end (launch, 1);
        launch->line = (int)line;
        long length = hear (launch, launch->line, bytes, sizeof (bytes));
        launch->goes_unasked = is_word (launch->gate_word_old, bytes, length);
        if (launch->goes_unasked || is_word (launch->gate_word, bytes, length))
            break;
        (void)door_call (launch, SYS_close, line, 0, 0);
    }
    (void)door_call (launch, SYS_close, launch->gate, 0, 0);
    (void)door_call (launch, SYS_ioctl, launch->line, FIOCLEX, 0);
}

static WITHOUT_LIBC _Noreturn void open_procfs (const struct launch *launch)
{
    static const char type[] = "proc";
    long fs = raw_call (SYS_fsopen, (long)type, FSOPEN_CLOEXEC, 0, 0, 0);

    if (fs < 0)
        fail (launch, LAUNCH_PROCFS, -fs, "", 1, NULL, 0);
    say (launch, launch->words.listener, (int)fs);
    end (launch, 0);
}

WITHOUT_LIBC int launch_begin (struct launch *launch)
{
    load_filter (launch);
    set_capabilities (launch);
    be_born (launch);
    if (launch->opens_procfs)
        open_procfs (launch);
    write_pid (launch);
    take_session (launch);
    wait_at_gate (launch);
    if (launch->notify >= 0)
        say (launch, launch->words.notify, launch->notify);
    return launch->line;
}

/* volatile: the compiler would call strlen (). */
static WITHOUT_LIBC size_t length_of (const volatile char *text)
{
    size_t length = 0;

    while (text[length])
        length++;
    return length;
}

/* No pointers: these are words of the program's read-only part, which stays. */
static const struct {
    int errnum;
    char words[40];
} refusals[] = {
    {ENOEXEC, "exec format error"},
    {ENOENT, "no such file or directory"},
    {ENOTDIR, "not a directory"},
    {ETXTBSY, "text file busy"},
    {ELOOP, "too many levels of symbolic links"},
};

/* A started container ends as any other that fails: what it says stands in its own output. The
 * filter may take this call for any other of the container's, and end the process. */
static WITHOUT_LIBC void tell_refusal (const char *words, const char *path, size_t length)
{
    struct iovec parts[5];

    parts[0].iov_base = (void *)"exec ";
    parts[0].iov_len = 5;
    parts[1].iov_base = (void *)(uintptr_t)path;
    parts[1].iov_len = length;
    parts[2].iov_base = (void *)": ";
    parts[2].iov_len = 2;
    parts[3].iov_base = (void *)(uintptr_t)words;
    parts[3].iov_len = length_of (words);
    parts[4].iov_base = (void *)"\n";
    parts[4].iov_len = 1;
    (void)raw_call (SYS_writev, STDERR_FILENO, (long)parts, 5, 0, 0);
}

/* The first bytes of a file that could not be executed say why, to the parent. */
static WITHOUT_LIBC _Noreturn void execute_failed (struct launch *launch, long errnum,
                                                   const char *path)
{
    unsigned char head[LAUNCH_HEAD];
    long length = 0;
    size_t path_length = length_of (path);

    if (errnum == ENOENT || errnum == ENOEXEC || errnum == EACCES || errnum == ENOTDIR) {
        long fd = door_call (launch, SYS_openat, AT_FDCWD, (long)path,
                             O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0)
            length = door_call (launch, SYS_read, fd, (long)head, sizeof (head));
    }
    enum launch_step step = LAUNCH_EXEC;
    for (size_t i = 0; launch->gate >= 0 && i < sizeof (refusals) / sizeof (refusals[0]); i++) {
        if (refusals[i].errnum != errnum)
            continue;
        tell_refusal (refusals[i].words, path, path_length);
        step = LAUNCH_REFUSED;
    }
    fail (launch, step, errnum, path, path_length + 1, head, length > 0 ? (size_t)length : 0);
}

WITHOUT_LIBC _Noreturn void launch_execute (struct launch *launch, const char *path)
{
    say (launch, launch->words.exec, -1);
    if (!launch->goes_unasked)
        await_go (launch);
    long result = raw_call (SYS_execve, (long)path, (long)launch->argv, (long)launch->envp, 0, 0);
    execute_failed (launch, -result, path);
}

#if CAN_LEAVE
static WITHOUT_LIBC _Noreturn __attribute__ ((used)) void leave_and_launch (struct launch *launch)
{
    /* What is born does not get what is not for a fork, and nothing has to be taken apart before:
     * that happens when this process ends. */
    for (size_t i = 0; i < launch->range_count; i++) {
        const struct range *range = &launch->ranges[i];
        long result = !launch->birth ? -EINVAL
                                     : raw_call (SYS_madvise, (long)range->start,
                                                 (long)range->length, MADV_DONTFORK, 0, 0);
        if (result < 0)
            (void)raw_call (SYS_munmap, (long)range->start, (long)range->length, 0, 0, 0);
    }
    (void)launch_begin (launch);
    launch_execute (launch, launch->path);
}

/* glibc 2.35 and later tell the kernel of a word in thread-local storage that it writes to when the
 * thread is moved to another processor (rseq(2)): a fault once that is gone. */
#if defined __GLIBC__ && __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
static int forget_rseq (void)
{
    static const unsigned int lengths[] = {32, 64, 96, 128};
    char *area = (char *)__builtin_thread_pointer () + __rseq_offset;

    if (__rseq_size == 0)
        return 0;
    for (size_t i = 0; i < sizeof (lengths) / sizeof (lengths[0]); i++)
        if (syscall (SYS_rseq, area, lengths[i], RSEQ_FLAG_UNREGISTER, RSEQ_SIG) == 0)
            return 0;
    return -1;
}
#else
static int forget_rseq (void)
{
    return 0;
}
#endif

_Noreturn void launch_leave (struct launch *launch, const char *path)
{
    unsigned char *top = launch->stack + STACK_SIZE;

    if (forget_rseq () < 0)
        fail (launch, LAUNCH_LEAVE, errno, "", 1, NULL, 0);
    (void)stpncpy (launch->path, path, sizeof (launch->path) - 1);

#if defined __x86_64__
    __asm__ volatile("movq %0, %%rsp\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "call leave_and_launch\n\t"
                     "ud2"
                     :
                     : "r"(top), "D"(launch)
                     : "memory");
#else
    register struct launch *first __asm__("x0") = launch;

    __asm__ volatile("mov sp, %0\n\t"
                     "mov x29, xzr\n\t"
                     "bl leave_and_launch\n\t"
                     "brk #1"
                     :
                     : "r"(top), "r"(first)
                     : "memory", "x30");
#endif
    __builtin_unreachable ();
}
#else
WITHOUT_LIBC _Noreturn void launch_leave (struct launch *launch, const char *path)
{
    (void)launch_begin (launch);
    launch_execute (launch, path);
}
#endif

static BEFORE_LIBC void end_by_signal (int signal)
{
    (void)raw_call (SYS_exit_group, 128 + signal, 0, 0, 0, 0);
    __builtin_trap ();
}

int launch_heed_signals (void)
{
    const struct sigaction action = {.sa_handler = end_by_signal};

    return sigaction (SIGTERM, &action, NULL) < 0 || sigaction (SIGINT, &action, NULL) < 0 ||
                   sigaction (SIGHUP, &action, NULL) < 0
               ? -1
               : 0;
}
