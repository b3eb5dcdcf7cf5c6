/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_judge: see seccomp_judge.h. */
#include "container/seccomp_judge.h"

#include "base/cleanup.h"

#include <endian.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

/* What the kernel takes for filters (seccomp_check_filter). It has no BPF_MOD. */
static const bool known[] = {
    [BPF_LD | BPF_W | BPF_ABS] = true,
    [BPF_LD | BPF_W | BPF_LEN] = true,
    [BPF_LD | BPF_IMM] = true,
    [BPF_LD | BPF_MEM] = true,
    [BPF_LDX | BPF_W | BPF_LEN] = true,
    [BPF_LDX | BPF_IMM] = true,
    [BPF_LDX | BPF_MEM] = true,
    [BPF_ST] = true,
    [BPF_STX] = true,
    [BPF_MISC | BPF_TAX] = true,
    [BPF_MISC | BPF_TXA] = true,
    [BPF_RET | BPF_K] = true,
    [BPF_RET | BPF_A] = true,
    [BPF_ALU | BPF_NEG] = true,
    [BPF_ALU | BPF_ADD | BPF_K] = true,
    [BPF_ALU | BPF_ADD | BPF_X] = true,
    [BPF_ALU | BPF_SUB | BPF_K] = true,
    [BPF_ALU | BPF_SUB | BPF_X] = true,
    [BPF_ALU | BPF_MUL | BPF_K] = true,
    [BPF_ALU | BPF_MUL | BPF_X] = true,
    [BPF_ALU | BPF_DIV | BPF_K] = true,
    [BPF_ALU | BPF_DIV | BPF_X] = true,
    [BPF_ALU | BPF_AND | BPF_K] = true,
    [BPF_ALU | BPF_AND | BPF_X] = true,
    [BPF_ALU | BPF_OR | BPF_K] = true,
    [BPF_ALU | BPF_OR | BPF_X] = true,
    [BPF_ALU | BPF_XOR | BPF_K] = true,
    [BPF_ALU | BPF_XOR | BPF_X] = true,
    [BPF_ALU | BPF_LSH | BPF_K] = true,
    [BPF_ALU | BPF_LSH | BPF_X] = true,
    [BPF_ALU | BPF_RSH | BPF_K] = true,
    [BPF_ALU | BPF_RSH | BPF_X] = true,
    [BPF_JMP | BPF_JA] = true,
    [BPF_JMP | BPF_JEQ | BPF_K] = true,
    [BPF_JMP | BPF_JEQ | BPF_X] = true,
    [BPF_JMP | BPF_JGE | BPF_K] = true,
    [BPF_JMP | BPF_JGE | BPF_X] = true,
    [BPF_JMP | BPF_JGT | BPF_K] = true,
    [BPF_JMP | BPF_JGT | BPF_X] = true,
    [BPF_JMP | BPF_JSET | BPF_K] = true,
    [BPF_JMP | BPF_JSET | BPF_X] = true,
};

/* By itself; `after`: how many instructions follow. */
static bool instruction_fits (const struct sock_filter *item, size_t after)
{
    if (item->code >= sizeof (known) / sizeof (known[0]) || !known[item->code])
        return false;
    switch (item->code) {
    case BPF_LD | BPF_W | BPF_ABS:
        return item->k % sizeof (uint32_t) == 0 && item->k < sizeof (struct seccomp_data);
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
        return item->k < BPF_MEMWORDS;
    case BPF_ALU | BPF_DIV | BPF_K:
        return item->k != 0;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
        return item->k < 32;
    case BPF_JMP | BPF_JA:
        return item->k < after;
    default:
        return BPF_CLASS (item->code) != BPF_JMP || (item->jt < after && item->jf < after);
    }
}

/* No word of memory may be read that was not written on each way to it. As the kernel does it: an
 * instruction behind a return is not thought of as a new beginning. */
static bool memory_is_written_first (const struct sock_filter *items, size_t count, size_t *wrong)
{
    uint16_t written[BPF_MAXINSNS]; /* by those that jump here */
    uint16_t now = 0;

    memset (written, 0xff, sizeof (written));
    for (size_t at = 0; at < count; at++) {
        const struct sock_filter *item = &items[at];
        now &= written[at];
        if (item->code == BPF_ST || item->code == BPF_STX)
            now |= (uint16_t)(1u << item->k);
        if ((item->code == (BPF_LD | BPF_MEM) || item->code == (BPF_LDX | BPF_MEM)) &&
            !(now >> item->k & 1)) {
            *wrong = at;
            return false;
        }
        if (BPF_CLASS (item->code) != BPF_JMP)
            continue;
        bool always = item->code == (BPF_JMP | BPF_JA);
        written[at + 1 + (always ? item->k : item->jt)] &= now;
        written[at + 1 + (always ? item->k : item->jf)] &= now;
        now = UINT16_MAX;
    }
    return true;
}

bool seccomp_well_formed (const struct sock_filter *items, size_t count, size_t *wrong)
{
    *wrong = 0;
    if (count == 0 || count > BPF_MAXINSNS)
        return false;
    for (size_t at = 0; at < count; at++)
        if (!instruction_fits (&items[at], count - at - 1)) {
            *wrong = at;
            return false;
        }
    if (BPF_CLASS (items[count - 1].code) != BPF_RET) {
        *wrong = count - 1;
        return false;
    }
    return memory_is_written_first (items, count, wrong);
}

/* The words of memory, then the two registers. */
enum { A = BPF_MEMWORDS, X, PLACES };

/* What is known before an instruction, on all ways to it. */
struct knowledge {
    uint32_t is_known; /* one bit for each place */
    uint32_t values[PLACES];
};

struct pass {
    const struct sock_filter *items;
    uint32_t arch;
    const struct seccomp_question *question;
    bool *reached;
    struct knowledge *before;
    struct seccomp_answers *answers;
};

static bool knows (const struct knowledge *now, unsigned int place)
{
    return now->is_known >> place & 1;
}

static void learn (struct knowledge *now, unsigned int place, uint32_t value)
{
    now->is_known |= 1u << place;
    now->values[place] = value;
}

static void forget (struct knowledge *now, unsigned int place)
{
    now->is_known &= ~(1u << place);
}

static void copy (struct knowledge *now, unsigned int to, unsigned int from)
{
    if (knows (now, from))
        learn (now, to, now->values[from]);
    else
        forget (now, to);
}

/* One more way to an instruction: only what all of them agree on stays known. */
static void lead_to (const struct pass *pass, size_t at, const struct knowledge *now)
{
    struct knowledge *there = &pass->before[at];

    if (!pass->reached[at]) {
        pass->reached[at] = true;
        *there = *now;
        return;
    }
    there->is_known &= now->is_known;
    for (unsigned int place = 0; place < PLACES; place++)
        if (knows (there, place) && there->values[place] != now->values[place])
            forget (there, place);
}

static void answer (const struct pass *pass, uint32_t value)
{
    static const struct {
        uint32_t action;
        unsigned int bit;
    } table[] = {
        {SECCOMP_RET_KILL_THREAD, SECCOMP_CAN_KILL_THREAD},
        {SECCOMP_RET_TRAP, SECCOMP_CAN_TRAP},
        {SECCOMP_RET_ERRNO, SECCOMP_CAN_ERRNO},
        {SECCOMP_RET_USER_NOTIF, SECCOMP_CAN_NOTIFY},
        {SECCOMP_RET_TRACE, SECCOMP_CAN_TRACE},
        {SECCOMP_RET_LOG, SECCOMP_CAN_LOG},
        {SECCOMP_RET_ALLOW, SECCOMP_CAN_ALLOW},
    };
    unsigned int bit = SECCOMP_CAN_KILL_PROCESS;

    for (size_t i = 0; i < sizeof (table) / sizeof (table[0]); i++)
        if (table[i].action == (value & SECCOMP_RET_ACTION_FULL))
            bit = table[i].bit;
    if (pass->answers->possible == 0)
        pass->answers->first = value;
    pass->answers->possible |= bit;
}

/* Where half an argument stands. */
static size_t half_of (uint32_t arg, bool upper)
{
    bool second = upper == (BYTE_ORDER == LITTLE_ENDIAN);

    return offsetof (struct seccomp_data, args) + arg * sizeof (uint64_t) +
           (second ? sizeof (uint32_t) : 0);
}

static void load (const struct pass *pass, struct knowledge *now, uint32_t offset)
{
    if (offset == offsetof (struct seccomp_data, nr))
        learn (now, A, pass->question->number);
    else if (offset == offsetof (struct seccomp_data, arch))
        learn (now, A, pass->arch);
    else if (pass->question->knows_arg && offset == half_of (pass->question->arg, false))
        learn (now, A, (uint32_t)pass->question->value);
    else if (pass->question->knows_arg && offset == half_of (pass->question->arg, true))
        learn (now, A, (uint32_t)(pass->question->value >> 32));
    else
        forget (now, A);
}

/* false: what the kernel makes of it depends on the processor. */
static bool compute (uint16_t operation, uint32_t left, uint32_t right, uint32_t *result)
{
    switch (operation) {
    case BPF_ADD:
        *result = left + right;
        return true;
    case BPF_SUB:
        *result = left - right;
        return true;
    case BPF_MUL:
        *result = left * right;
        return true;
    case BPF_DIV:
        *result = left / right;
        return true;
    case BPF_AND:
        *result = left & right;
        return true;
    case BPF_OR:
        *result = left | right;
        return true;
    case BPF_XOR:
        *result = left ^ right;
        return true;
    case BPF_LSH:
        *result = right < 32 ? left << right : 0;
        return right < 32;
    case BPF_RSH:
        *result = right < 32 ? left >> right : 0;
        return right < 32;
    default: /* BPF_NEG */
        *result = -left;
        return true;
    }
}

/* Does the program go on? */
static bool calculate (const struct pass *pass, struct knowledge *now,
                       const struct sock_filter *item)
{
    uint16_t operation = BPF_OP (item->code);
    bool by_x = BPF_SRC (item->code) == BPF_X;
    bool right_known = !by_x || knows (now, X);
    uint32_t right = by_x ? now->values[X] : item->k;
    uint32_t result;

    if (operation == BPF_DIV && by_x && (!right_known || right == 0)) {
        answer (pass, 0); /* a division by zero ends the program with it */
        if (right_known)
            return false;
    }
    if (right_known && knows (now, A) && compute (operation, now->values[A], right, &result))
        learn (now, A, result);
    else
        forget (now, A);
    return true;
}

static bool holds (uint16_t operation, uint32_t left, uint32_t right)
{
    switch (operation) {
    case BPF_JEQ:
        return left == right;
    case BPF_JGT:
        return left > right;
    case BPF_JGE:
        return left >= right;
    default: /* BPF_JSET */
        return (left & right) != 0;
    }
}

static void jump (const struct pass *pass, size_t at, const struct knowledge *now)
{
    const struct sock_filter *item = &pass->items[at];
    bool by_x = BPF_SRC (item->code) == BPF_X;

    if (item->code == (BPF_JMP | BPF_JA)) {
        lead_to (pass, at + 1 + item->k, now);
        return;
    }
    bool is_known = knows (now, A) && (!by_x || knows (now, X));
    bool yes =
        is_known && holds (BPF_OP (item->code), now->values[A], by_x ? now->values[X] : item->k);
    if (!is_known || yes)
        lead_to (pass, at + 1 + item->jt, now);
    if (!is_known || !yes)
        lead_to (pass, at + 1 + item->jf, now);
}

static void give_back (const struct pass *pass, const struct knowledge *now,
                       const struct sock_filter *item)
{
    if (item->code == (BPF_RET | BPF_K))
        answer (pass, item->k);
    else if (knows (now, A))
        answer (pass, now->values[A]);
    else
        pass->answers->possible = SECCOMP_CAN_ALL;
}

static void step (const struct pass *pass, size_t at)
{
    const struct sock_filter *item = &pass->items[at];
    struct knowledge now = pass->before[at];

    switch (item->code) {
    case BPF_LD | BPF_W | BPF_ABS:
        load (pass, &now, item->k);
        break;
    case BPF_LD | BPF_W | BPF_LEN:
        learn (&now, A, sizeof (struct seccomp_data));
        break;
    case BPF_LDX | BPF_W | BPF_LEN:
        learn (&now, X, sizeof (struct seccomp_data));
        break;
    case BPF_LD | BPF_IMM:
        learn (&now, A, item->k);
        break;
    case BPF_LDX | BPF_IMM:
        learn (&now, X, item->k);
        break;
    case BPF_LD | BPF_MEM:
        copy (&now, A, item->k);
        break;
    case BPF_LDX | BPF_MEM:
        copy (&now, X, item->k);
        break;
    case BPF_ST:
        copy (&now, item->k, A);
        break;
    case BPF_STX:
        copy (&now, item->k, X);
        break;
    case BPF_MISC | BPF_TAX:
        copy (&now, X, A);
        break;
    case BPF_MISC | BPF_TXA:
        copy (&now, A, X);
        break;
    default:
        if (BPF_CLASS (item->code) == BPF_RET) {
            give_back (pass, &now, item);
            return;
        }
        if (BPF_CLASS (item->code) == BPF_JMP) {
            jump (pass, at, &now);
            return;
        }
        if (!calculate (pass, &now, item))
            return;
    }
    lead_to (pass, at + 1, &now);
}

int seccomp_judge (const struct sock_filter *items, size_t count, uint32_t arch,
                   const struct seccomp_question *questions, size_t question_count,
                   struct seccomp_answers *answers)
{
    size_t wrong;

    if (!seccomp_well_formed (items, count, &wrong)) {
        errno = EINVAL;
        return -1;
    }
    AUTO_FREE struct knowledge *before = malloc (count * sizeof (*before));
    bool reached[BPF_MAXINSNS];
    if (!before)
        return -1;
    for (size_t i = 0; i < question_count; i++) {
        const struct pass pass = {.items = items,
                                  .arch = arch,
                                  .question = &questions[i],
                                  .reached = reached,
                                  .before = before,
                                  .answers = &answers[i]};
        answers[i] = (struct seccomp_answers){0};
        memset (reached, 0, count * sizeof (reached[0]));
        /* Both registers begin as 0. */
        lead_to (&pass, 0, &(struct knowledge){.is_known = 1u << A | 1u << X});
        for (size_t at = 0; at < count; at++)
            if (reached[at])
                step (&pass, at);
    }
    return 0;
}
