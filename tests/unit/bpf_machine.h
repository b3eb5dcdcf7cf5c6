/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpf_machine: runs a seccomp program on numbers and arguments, as the kernel would, and short ways
 * to write a profile.
 */
#ifndef RT_TESTS_UNIT_BPF_MACHINE_H
#define RT_TESTS_UNIT_BPF_MACHINE_H

#include "container/seccomp.h"

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

/* Classic BPF, as far as seccomp knows it. */
static inline uint32_t load (const struct seccomp_data *data, uint32_t offset)
{
    uint32_t word;

    assert_true (offset % 4 == 0 && offset <= sizeof (*data) - 4);
    memcpy (&word, (const char *)data + offset, 4);
    return word;
}

static inline bool compare (uint16_t code, uint32_t a, uint32_t k)
{
    switch (BPF_OP (code)) {
    case BPF_JEQ:
        return a == k;
    case BPF_JGT:
        return a > k;
    case BPF_JGE:
        return a >= k;
    case BPF_JSET:
        return (a & k) != 0;
    default:
        fail_msg ("jump %#x", code);
        return false;
    }
}

/* Instructions that were executed, all in all. */
static size_t machine_steps;

static inline uint32_t run_code (const struct sock_filter *code, size_t count,
                                 const struct seccomp_data *data)
{
    uint32_t a = 0;
    uint32_t x = 0;
    uint32_t memory[BPF_MEMWORDS] = {0};

    for (size_t at = 0; at < count; at++) {
        const struct sock_filter *i = &code[at];
        machine_steps++;
        if (i->code == (BPF_LD | BPF_W | BPF_ABS))
            a = load (data, i->k);
        else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
            a &= i->k;
        else if (i->code == (BPF_ALU | BPF_XOR | BPF_K))
            a ^= i->k;
        else if (i->code == (BPF_ALU | BPF_OR | BPF_X))
            a |= x;
        else if (i->code == (BPF_MISC | BPF_TAX))
            x = a;
        else if (i->code == BPF_ST)
            memory[i->k] = a;
        else if (i->code == (BPF_LD | BPF_MEM))
            a = memory[i->k];
        else if (i->code == (BPF_JMP | BPF_JA))
            at += i->k;
        else if (BPF_CLASS (i->code) == BPF_JMP)
            at += compare (i->code, a, i->k) ? i->jt : i->jf;
        else if (i->code == (BPF_RET | BPF_K))
            return i->k;
        else
            fail_msg ("instruction %zu: code %#x", at, i->code);
    }
    fail_msg ("ran out of the program");
    return 0;
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
