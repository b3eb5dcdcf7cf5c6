/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpf_interpreter: runs a filter on one call, as the kernel does. All of classic BPF that filters
 * may have.
 */
#ifndef RT_TESTS_UNIT_BPF_INTERPRETER_H
#define RT_TESTS_UNIT_BPF_INTERPRETER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Instructions that were executed, all in all. */
static size_t machine_steps;

struct machine {
    uint32_t a;
    uint32_t x;
    uint32_t memory[BPF_MEMWORDS];
};

/* Not a shift by 32 and more, which is the processor's to say. */
static inline bool machine_calculate (struct machine *m, uint16_t code, uint32_t by)
{
    switch (BPF_OP (code)) {
    case BPF_ADD:
        m->a += by;
        return true;
    case BPF_SUB:
        m->a -= by;
        return true;
    case BPF_MUL:
        m->a *= by;
        return true;
    case BPF_DIV:
        m->a /= by;
        return true;
    case BPF_AND:
        m->a &= by;
        return true;
    case BPF_OR:
        m->a |= by;
        return true;
    case BPF_XOR:
        m->a ^= by;
        return true;
    case BPF_NEG:
        m->a = -m->a;
        return true;
    case BPF_LSH:
        m->a = by < 32 ? m->a << by : 0;
        return by < 32;
    case BPF_RSH:
        m->a = by < 32 ? m->a >> by : 0;
        return by < 32;
    default:
        return false;
    }
}

static inline bool machine_compare (uint16_t code, uint32_t a, uint32_t k)
{
    switch (BPF_OP (code)) {
    case BPF_JEQ:
        return a == k;
    case BPF_JGT:
        return a > k;
    case BPF_JGE:
        return a >= k;
    default:
        return (a & k) != 0;
    }
}

/* false: not an instruction that loads or stores. */
static inline bool machine_move (struct machine *m, const struct sock_filter *i,
                                 const struct seccomp_data *data)
{
    if (i->code == (BPF_LD | BPF_W | BPF_ABS) && i->k % 4 == 0 && i->k <= sizeof (*data) - 4)
        memcpy (&m->a, (const char *)data + i->k, 4);
    else if (i->code == (BPF_LD | BPF_W | BPF_LEN))
        m->a = sizeof (*data);
    else if (i->code == (BPF_LDX | BPF_W | BPF_LEN))
        m->x = sizeof (*data);
    else if (i->code == (BPF_LD | BPF_IMM))
        m->a = i->k;
    else if (i->code == (BPF_LDX | BPF_IMM))
        m->x = i->k;
    else if (i->code == (BPF_MISC | BPF_TAX))
        m->x = m->a;
    else if (i->code == (BPF_MISC | BPF_TXA))
        m->a = m->x;
    else if (i->code == BPF_ST && i->k < BPF_MEMWORDS)
        m->memory[i->k] = m->a;
    else if (i->code == BPF_STX && i->k < BPF_MEMWORDS)
        m->memory[i->k] = m->x;
    else if (i->code == (BPF_LD | BPF_MEM) && i->k < BPF_MEMWORDS)
        m->a = m->memory[i->k];
    else if (i->code == (BPF_LDX | BPF_MEM) && i->k < BPF_MEMWORDS)
        m->x = m->memory[i->k];
    else
        return false;
    return true;
}

/* false: no program, or one whose answer the processor decides. */
static inline bool machine_run (const struct sock_filter *code, size_t count,
                                const struct seccomp_data *data, uint32_t *answer)
{
    struct machine m = {0};

    for (size_t at = 0; at < count; at++) {
        const struct sock_filter *i = &code[at];
        uint32_t by = BPF_SRC (i->code) == BPF_X ? m.x : i->k;
        machine_steps++;
        if (BPF_CLASS (i->code) == BPF_RET) {
            *answer = BPF_RVAL (i->code) == BPF_A ? m.a : i->k;
            return true;
        }
        if (i->code == (BPF_JMP | BPF_JA))
            at += i->k;
        else if (BPF_CLASS (i->code) == BPF_JMP)
            at += machine_compare (i->code, m.a, by) ? i->jt : i->jf;
        else if (i->code == (BPF_ALU | BPF_DIV | BPF_X) && m.x == 0) {
            *answer = 0;
            return true;
        } else if (BPF_CLASS (i->code) == BPF_ALU) {
            if (!machine_calculate (&m, i->code, by))
                return false;
        } else if (!machine_move (&m, i, data))
            return false;
    }
    return false;
}

/* As the annotation wants it; valid until the next one. */
static inline const char *machine_base64 (const struct sock_filter *items, size_t count)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char text[BPF_MAXINSNS * 8 * 2];
    const unsigned char *bytes = (const unsigned char *)items;
    size_t size = count * sizeof (*items);
    char *end = text;

    for (size_t i = 0; i < size; i += 3) {
        size_t rest = size - i;
        uint32_t bits = (uint32_t)bytes[i] << 16 | (rest > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (rest > 2 ? bytes[i + 2] : 0);
        for (size_t k = 0; k < 4; k++)
            *end++ = k <= rest ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
    }
    *end = '\0';
    return text;
}

#endif
