/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_code: see seccomp_code.h. */
#include "container/seccomp_code.h"

#include "base/cleanup.h"
#include "oci-spec/seccomp_words.h"

#include <endian.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

/* How many instructions a conditional jump can leave out. */
#define REACH 255

uint32_t code_answer (uint32_t action, const struct oci_uint64 *data)
{
    /* Which actions take one and how large it may be was checked when the document was read. */
    if (action != SCMP_ACT_ERRNO (0) && action != SCMP_ACT_TRACE (0))
        return action;
    return action | (data->present ? (uint32_t)data->value & SECCOMP_RET_DATA : EPERM);
}

int code_init (struct code *code)
{
    *code = (struct code){.items = malloc (BPF_MAXINSNS * sizeof (*code->items))};
    return code->items ? 0 : -1;
}

void code_release (struct code *code)
{
    cleanup_free (&code->items);
}

static struct sock_filter *at (const struct code *code, size_t place)
{
    return &code->items[BPF_MAXINSNS - place];
}

const struct sock_filter *code_from (const struct code *code, size_t place)
{
    return code->count <= BPF_MAXINSNS ? at (code, place) : NULL;
}

struct sock_filter *code_take (const struct code *code)
{
    size_t size = code->count * sizeof (*code->items);
    struct sock_filter *taken = malloc (size);

    if (taken)
        memcpy (taken, at (code, code->count), size);
    return taken;
}

static size_t add (struct code *code, struct sock_filter instruction)
{
    code->count++;
    if (code->count <= BPF_MAXINSNS)
        *at (code, code->count) = instruction;
    return code->count;
}

size_t code_statement (struct code *code, uint16_t op, uint32_t k)
{
    return add (code, (struct sock_filter)BPF_STMT (op, k));
}

static size_t add_return (struct code *code, uint32_t action)
{
    size_t place = add (code, (struct sock_filter)BPF_STMT (BPF_RET | BPF_K, action));
    unsigned int slot = 0;

    while (slot < CODE_RETURNS && code->returns[slot].place && code->returns[slot].action != action)
        slot++;
    if (slot == CODE_RETURNS)
        slot = code->oldest_return++ % CODE_RETURNS;
    code->returns[slot].action = action;
    code->returns[slot].place = place;
    return place;
}

size_t code_return (struct code *code, uint32_t action)
{
    for (unsigned int slot = 0; slot < CODE_RETURNS; slot++)
        if (code->returns[slot].place && code->returns[slot].action == action)
            return code->returns[slot].place;
    return add_return (code, action);
}

size_t code_load (struct code *code, size_t offset)
{
    return code_statement (code, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

/* The same in reach: a return is repeated, anything else is jumped on to. `spare` instructions will
 * be written before the jump that wants it. */
static size_t bring_near (struct code *code, size_t place, size_t spare)
{
    if (code->count + spare - place <= REACH || code->count > BPF_MAXINSNS)
        return place;
    if (at (code, place)->code == (BPF_RET | BPF_K))
        return add_return (code, at (code, place)->k);
    return add (
        code, (struct sock_filter)BPF_STMT (BPF_JMP | BPF_JA, (unsigned int)(code->count - place)));
}

size_t code_jump (struct code *code, uint16_t op, uint32_t k, size_t yes, size_t no)
{
    if (yes == no)
        return yes;
    no = bring_near (code, no, 1);
    yes = bring_near (code, yes, 0);
    return add (code, (struct sock_filter){.code = BPF_JMP | op | BPF_K,
                                           .jt = (uint8_t)(code->count - yes),
                                           .jf = (uint8_t)(code->count - no),
                                           .k = k});
}

static size_t load_half (struct code *code, uint32_t index, bool high)
{
    bool second = high == (BYTE_ORDER == LITTLE_ENDIAN);

    return code_load (code, offsetof (struct seccomp_data, args) + index * sizeof (uint64_t) +
                                (second ? sizeof (uint32_t) : 0));
}

/* "(half & mask) == value" */
static size_t half_equals (struct code *code, uint32_t index, bool high, uint32_t mask,
                           uint32_t value, size_t yes, size_t no)
{
    if (mask == 0)
        return yes;
    (void)code_jump (code, BPF_JEQ, value & mask, yes, no);
    if (mask != UINT32_MAX)
        (void)add (code, (struct sock_filter)BPF_STMT (BPF_ALU | BPF_AND | BPF_K, mask));
    return load_half (code, index, high);
}

static size_t equals (struct code *code, uint32_t index, uint64_t mask, uint64_t value, bool wide,
                      size_t yes, size_t no)
{
    size_t low = half_equals (code, index, false, (uint32_t)mask, (uint32_t)value, yes, no);

    if (!wide)
        return low;
    return half_equals (code, index, true, (uint32_t)(mask >> 32), (uint32_t)(value >> 32), low,
                        no);
}

/* op: BPF_JGT or BPF_JGE. The high halves decide, unless they are equal. */
static size_t is_above (struct code *code, uint16_t op, uint32_t index, uint64_t value, bool wide,
                        size_t yes, size_t no)
{
    uint32_t high = (uint32_t)(value >> 32);

    (void)code_jump (code, op, (uint32_t)value, yes, no);
    size_t low = load_half (code, index, false);
    if (!wide)
        return low;
    size_t equal = code_jump (code, BPF_JEQ, high, low, no);
    (void)code_jump (code, BPF_JGT, high, yes, equal);
    return load_half (code, index, true);
}

size_t code_condition (struct code *code, const struct oci_seccomp_arg *arg, bool wide, size_t yes,
                       size_t no)
{
    if (yes == no)
        return yes;
    switch (arg->op) {
    case SCMP_CMP_EQ:
        return equals (code, arg->index, UINT64_MAX, arg->value, wide, yes, no);
    case SCMP_CMP_NE:
        return equals (code, arg->index, UINT64_MAX, arg->value, wide, no, yes);
    case SCMP_CMP_MASKED_EQ: /* value is the mask, valueTwo what must remain (SEC-08) */
        return equals (code, arg->index, arg->value, arg->value_two, wide, yes, no);
    case SCMP_CMP_GT:
        return is_above (code, BPF_JGT, arg->index, arg->value, wide, yes, no);
    case SCMP_CMP_LE:
        return is_above (code, BPF_JGT, arg->index, arg->value, wide, no, yes);
    case SCMP_CMP_GE:
        return is_above (code, BPF_JGE, arg->index, arg->value, wide, yes, no);
    default: /* SCMP_CMP_LT: the document has no others */
        return is_above (code, BPF_JGE, arg->index, arg->value, wide, no, yes);
    }
}

size_t code_secret (struct code *code, uint32_t index, const uint32_t words[3], size_t yes,
                    size_t no)
{
    /* Backwards: (a ^ a') | (b ^ b') | (c ^ c') == 0, what is gathered in memory word 0. */
    (void)code_jump (code, BPF_JEQ, 0, yes, no);
    for (uint32_t i = 3; i-- > 0;) {
        if (i < 2)
            (void)add (code, (struct sock_filter)BPF_STMT (BPF_ST, 0));
        if (i > 0) {
            (void)add (code, (struct sock_filter)BPF_STMT (BPF_ALU | BPF_OR | BPF_X, 0));
            (void)add (code, (struct sock_filter)BPF_STMT (BPF_LD | BPF_MEM, 0));
            (void)add (code, (struct sock_filter)BPF_STMT (BPF_MISC | BPF_TAX, 0));
        }
        (void)add (code, (struct sock_filter)BPF_STMT (BPF_ALU | BPF_XOR | BPF_K, words[i]));
        (void)load_half (code, index + i, false);
    }
    return code->count;
}

size_t code_insert (struct code *code, const struct sock_filter *items, size_t count)
{
    while (count > 0)
        (void)add (code, items[--count]);
    return code->count;
}
