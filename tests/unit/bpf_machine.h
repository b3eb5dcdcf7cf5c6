/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpf_machine: runs a seccomp program on numbers and arguments, as the kernel would, and short ways
 * to write a profile.
 */
#ifndef RT_TESTS_UNIT_BPF_MACHINE_H
#define RT_TESTS_UNIT_BPF_MACHINE_H

#include "container/seccomp.h"

#include "bpf_interpreter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define X32_BIT 0x40000000u
#define ALLOW SECCOMP_RET_ALLOW
#define KILL SECCOMP_RET_KILL_THREAD
#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))
#define COUNT(array) (sizeof (array) / sizeof (*(array)))

static inline uint32_t run_code (const struct sock_filter *code, size_t count,
                                 const struct seccomp_data *data)
{
    uint32_t answer = 0;

    assert_true (machine_run (code, count, data, &answer));
    return answer;
}

static inline uint32_t ask (const struct seccomp_program *program, uint32_t arch, uint32_t nr,
                            const uint64_t *args)
{
    struct seccomp_data data = {.nr = (int)nr, .arch = arch};

    for (int i = 0; args && i < 6; i++)
        data.args[i] = args[i];
    return run_code (program->instructions, program->count, &data);
}

static inline uint32_t ask1 (const struct seccomp_program *program, uint32_t nr, uint64_t arg0,
                             uint64_t arg1)
{
    const uint64_t args[6] = {arg0, arg1};

    return ask (program, AUDIT_ARCH_X86_64, nr, args);
}

/* What the kernel can tell of a call without its arguments (seccomp_is_const_allow), it tells once.
 */
static inline bool kernel_remembers (const struct seccomp_program *program, uint32_t number)
{
    uint32_t value = 0;

    for (size_t at = 0; at < program->count; at++) {
        const struct sock_filter *i = &program->instructions[at];
        if (i->code == (BPF_LD | BPF_W | BPF_ABS) && i->k <= offsetof (struct seccomp_data, arch))
            value = i->k == 0 ? number : AUDIT_ARCH_X86_64;
        else if (i->code == (BPF_RET | BPF_K))
            return i->k == ALLOW;
        else if (i->code == (BPF_JMP | BPF_JA))
            at += i->k;
        else if (BPF_CLASS (i->code) == BPF_JMP && BPF_SRC (i->code) == BPF_K)
            at += machine_compare (i->code, value, i->k) ? i->jt : i->jf;
        else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
            value &= i->k;
        else
            return false;
    }
    return false;
}

/* For literals of profiles. */
#define NAMES(...)                                                                                 \
    {                                                                                              \
        .count = COUNT (((char *[]){__VA_ARGS__})), .items = (char *[])                            \
        {                                                                                          \
            __VA_ARGS__, NULL                                                                      \
        }                                                                                          \
    }
#define ARGS(...)                                                                                  \
    .args = {.count = COUNT (((struct oci_seccomp_arg[]){__VA_ARGS__})),                           \
             .items = (struct oci_seccomp_arg[]){__VA_ARGS__}}
#define SYSCALLS(...)                                                                              \
    .syscalls = {.count = COUNT (((struct oci_seccomp_syscall[]){__VA_ARGS__})),                   \
                 .items = (struct oci_seccomp_syscall[]){__VA_ARGS__}}
#define ARCHS(...)                                                                                 \
    .architectures = {.count = COUNT (((uint32_t[]){__VA_ARGS__})),                                \
                      .items = (uint32_t[]){__VA_ARGS__}}

static inline void prepare (const struct oci_seccomp *seccomp, struct seccomp_program *program)
{
    struct error err = {0};

    if (seccomp_prepare (seccomp, program, &err) < 0)
        fail_msg ("%s: %s", err.code, err.text);
}

#endif
