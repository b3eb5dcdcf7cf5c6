/* SPDX-License-Identifier: Apache-2.0 */
/* door: see door.h. */
#include "kernel/door.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __s390__ || defined __CRIS__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

#define LOOKING (O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* Of the last leg (launch.c): the channel; birth; rights; the terminal; the gate; why a program
 * could not be executed. */
const struct door_call door_calls[] = {
    {.number = SYS_sendmsg},
    {.number = SYS_recvmsg},
    {.number = SYS_close},
    {.number = SYS_clone,
     .arg = CLONE_FLAGS,
     .says = {CLONE_PARENT, CLONE_PARENT},
     .mask = ~(uint64_t)CSIGNAL},
    {.number = SYS_getpid},
    {.number = SYS_capset},
    {.number = SYS_setsid},
    {.number = SYS_ioctl, .arg = 1, .says = {TIOCSCTTY, FIOCLEX}, .mask = UINT32_MAX},
#ifdef SYS_accept
    {.number = SYS_accept},
#endif
    {.number = SYS_exit_group},
    {.number = SYS_openat,
     .arg = 2,
     .says = {O_RDONLY | LOOKING, O_RDONLY | LOOKING},
     .mask = (uint32_t)~LOOKING},
    {.number = SYS_read},
};
const size_t door_call_count = sizeof (door_calls) / sizeof (door_calls[0]);

_Static_assert(sizeof (door_calls) / sizeof (door_calls[0]) <= DOOR_CALLS_MAX, "more calls");
const uint32_t door_execve = SYS_execve;

#if defined __x86_64__
#define MACHINE EM_X86_64
#elif defined __i386__
#define MACHINE EM_386
#elif defined __aarch64__
#define MACHINE EM_AARCH64
#elif defined __arm__
#define MACHINE EM_ARM
#elif defined __riscv
#define MACHINE EM_RISCV
#elif defined __powerpc64__
#define MACHINE EM_PPC64
#elif defined __powerpc__
#define MACHINE EM_PPC
#elif defined __s390__
#define MACHINE EM_S390
#elif defined __loongarch__
#define MACHINE 258 /* EM_LOONGARCH, which older headers lack */
#elif defined __mips__ && !defined _ABIN32
#define MACHINE EM_MIPS
#else
#error "the AUDIT_ARCH_* of this processor"
#endif

const uint32_t door_arch = MACHINE | (sizeof (long) == 8 ? __AUDIT_ARCH_64BIT : 0) |
                           (BYTE_ORDER == LITTLE_ENDIAN ? __AUDIT_ARCH_LE : 0);

int door_make (uint32_t door[DOOR_WORDS])
{
    /* So few bytes come whole. */
    return getrandom (door, DOOR_WORDS * sizeof (*door), 0) < 0 ? -1 : 0;
}

int door_send (const uint32_t door[DOOR_WORDS], int socket, const void *bytes, size_t length,
               int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE (sizeof (int))];
    } control = {.header = {.cmsg_len = CMSG_LEN (sizeof (int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    const struct msghdr message = {.msg_iov = &part,
                                   .msg_iovlen = 1,
                                   .msg_control = fd < 0 ? NULL : &control,
                                   .msg_controllen = fd < 0 ? 0 : sizeof (control)};
    long sent;

    memcpy (CMSG_DATA (&control.header), &fd, sizeof (fd));
    do
        sent = syscall (SYS_sendmsg, socket, &message, MSG_NOSIGNAL, door[0], door[1], door[2]);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}
