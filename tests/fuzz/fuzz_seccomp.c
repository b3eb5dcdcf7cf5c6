/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a filter that a document brings.
 *
 *   fuzz_seccomp -max_len=1000 tests/fuzz/corpus/seccomp
 *
 * The first eight bytes choose a call; the rest are instructions. What is taken as a filter is run
 * on calls with many arguments: no answer may be one that the judge has called impossible, and with
 * the door before it (seccomp_ready.h) it says what it said before, but for the calls that carry
 * the secret.
 */
#include "container/seccomp_judge.h"
#include "container/seccomp_ready.h"
#include "tests/unit/bpf_interpreter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

#define HEAD 8
#define CALLS 32

static const uint32_t words[DOOR_WORDS] = {0x11223344, 0xdeadbeef, 7};

struct call {
    struct seccomp_data data;
    bool opens;
    bool is_ours; /* as rt itself makes it */
};

static void must (bool holds)
{
    if (!holds)
        abort ();
}

static uint32_t dice (uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 20);
}

/* exactly: with what rt says; else with what the door takes, too, where it stands. */
static bool passes (const struct seccomp_data *data, bool exactly)
{
    for (size_t i = 0; i < door_call_count; i++) {
        const struct door_call *call = &door_calls[i];
        uint64_t is = data->args[call->arg];
        uint64_t mask = exactly && call->mask != 0 ? UINT64_MAX : call->mask;
        if (call->number == (uint32_t)data->nr)
            return (is & mask) == (call->says[0] & mask) || (is & mask) == (call->says[1] & mask);
    }
    return false;
}

/* Arguments that the program itself compares with are likely. */
static struct call make_call (uint64_t *state, uint32_t arch,
                              const struct seccomp_question *question,
                              const struct sock_filter *items, size_t count)
{
    struct call call = {.data = {.nr = (int)question->number, .arch = arch}};

    for (size_t i = 0; i < 6; i++) {
        uint64_t high = dice (state) % 2 ? items[dice (state) % count].k : 0;
        uint32_t low = dice (state) % 4 ? items[dice (state) % count].k : dice (state);
        call.data.args[i] = high << 32 | low;
    }
    if (question->knows_arg)
        call.data.args[question->arg] = question->value;
    call.data.instruction_pointer = dice (state);
    bool secret = dice (state) % 2;
    for (size_t i = 0; secret && i < DOOR_WORDS; i++)
        call.data.args[DOOR_ARG + i] = words[i];
    call.opens = secret && arch == door_arch && passes (&call.data, false);
    call.is_ours = call.opens && passes (&call.data, true);
    return call;
}

/* SECCOMP_CAN_* of an answer. */
static unsigned int bit_of (uint32_t answer)
{
    switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_KILL_THREAD:
        return SECCOMP_CAN_KILL_THREAD;
    case SECCOMP_RET_TRAP:
        return SECCOMP_CAN_TRAP;
    case SECCOMP_RET_ERRNO:
        return SECCOMP_CAN_ERRNO;
    case SECCOMP_RET_USER_NOTIF:
        return SECCOMP_CAN_NOTIFY;
    case SECCOMP_RET_TRACE:
        return SECCOMP_CAN_TRACE;
    case SECCOMP_RET_LOG:
        return SECCOMP_CAN_LOG;
    case SECCOMP_RET_ALLOW:
        return SECCOMP_CAN_ALLOW;
    default:
        return SECCOMP_CAN_KILL_PROCESS;
    }
}

/* The same with the door; NULL where it has no room. */
static struct sock_filter *with_door (const struct sock_filter *items, size_t count,
                                      uint16_t *with_count)
{
    struct sock_filter *found = NULL;
    struct error err = {0};
    size_t wrong;

    if (seccomp_ready_prepare (machine_base64 (items, count), words, &found, with_count, &err) == 0)
        must (seccomp_well_formed (found, *with_count, &wrong));
    else
        must (count > BPF_MAXINSNS - 64);
    return found;
}

static void try_calls (const struct sock_filter *items, size_t count, uint32_t arch,
                       uint32_t number, uint64_t state)
{
    struct seccomp_answers answers;
    uint16_t with_count = 0;

    const struct seccomp_question question = {.number = number,
                                              .knows_arg = dice (&state) % 2,
                                              .arg = dice (&state) % DOOR_ARG,
                                              .value = items[dice (&state) % count].k};

    must (seccomp_judge (items, count, arch, &question, 1, &answers) == 0);
    must (answers.possible != 0);
    struct sock_filter *door = with_door (items, count, &with_count);
    for (int i = 0; i < CALLS; i++) {
        struct call call = make_call (&state, arch, &question, items, count);
        uint32_t own;
        uint32_t with;
        if (!machine_run (items, count, &call.data, &own))
            continue; /* as the processor likes */
        must (answers.possible & bit_of (own));
        if (!door)
            continue;
        must (machine_run (door, with_count, &call.data, &with));
        must (with == own || (call.opens && with == SECCOMP_RET_ALLOW));
        must (!call.is_ours || (with & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW);
    }
    free (door);
}

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    static struct sock_filter items[BPF_MAXINSNS];
    uint32_t head[HEAD / sizeof (uint32_t)];
    struct seccomp_answers answers;
    size_t wrong;

    if (size < HEAD)
        return 0;
    memcpy (head, bytes, HEAD);
    size_t count = (size - HEAD) / sizeof (items[0]);
    if (count > BPF_MAXINSNS)
        return 0;
    memcpy (items, bytes + HEAD, count * sizeof (items[0]));
    uint32_t arch = head[0] % 4 ? door_arch : head[0];
    uint32_t number =
        head[1] % 2 ? head[1] / 2 % 512 : door_calls[head[1] / 2 % door_call_count].number;
    bool fits = seccomp_well_formed (items, count, &wrong);
    if (fits)
        try_calls (items, count, arch, number, head[1] * 2654435761u + 1);
    else
        must (seccomp_judge (items, count, arch, &(struct seccomp_question){.number = number}, 1,
                             &answers) < 0);
    return 0;
}
