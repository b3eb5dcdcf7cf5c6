/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rawcall: system calls without libc, for code that runs before libc has started
 * (selfcopy_mount.h) or after its data was left behind (launch.h). On processors for which nothing
 * is written here, libc's syscall () is used: then such code may run in main () only, and configure
 * does not ask for more.
 */
#ifndef RT_KERNEL_RAWCALL_H
#define RT_KERNEL_RAWCALL_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Thread-local storage does not exist yet, or no more, and the canary lies in it. */
#define BEFORE_LIBC __attribute__ ((no_stack_protector))

/* The result, or a negative errno. */
static inline __attribute__ ((always_inline)) long raw_call6 (long number, long a, long b, long c,
                                                              long d, long e, long f)
{
#if defined __x86_64__
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined __aarch64__
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;

    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#else
    long result = syscall (number, a, b, c, d, e, f);

    return result < 0 ? -errno : result;
#endif
}

static inline __attribute__ ((always_inline)) long raw_call (long number, long a, long b, long c,
                                                             long d, long e)
{
    return raw_call6 (number, a, b, c, d, e, 0);
}

#endif
