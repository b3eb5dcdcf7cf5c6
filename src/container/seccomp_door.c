/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_door: see seccomp_door.h. */
#include "container/seccomp_door.h"

#include "container/seccomp_judge.h"
#include "oci-spec/seccomp_words.h"

#include <linux/seccomp.h>
#include <stddef.h>

static bool is_allowed (const struct seccomp_answers *answers)
{
    return answers[0].possible == SECCOMP_CAN_ALLOW && answers[1].possible == SECCOMP_CAN_ALLOW;
}

int seccomp_door_find (struct seccomp_door *door, const struct sock_filter *items, size_t count)
{
    struct seccomp_answers answers[DOOR_CALLS_MAX][2];
    struct seccomp_question questions[DOOR_CALLS_MAX][2] = {0};

    for (size_t i = 0; i < door_call_count; i++)
        for (size_t j = 0; j < 2; j++)
            questions[i][j] = (struct seccomp_question){.number = door_calls[i].number,
                                                        .knows_arg = door_calls[i].mask != 0,
                                                        .arg = door_calls[i].arg,
                                                        .value = door_calls[i].says[j]};
    if (seccomp_judge (items, count, door_arch, questions[0], 2 * door_call_count, answers[0]) < 0)
        return -1;
    door->count = 0;
    for (size_t i = 0; i < door_call_count; i++)
        if (!is_allowed (answers[i]))
            door->calls[door->count++] = &door_calls[i];
    return 0;
}

/* What the call may say there. */
static size_t write_condition (struct code *code, const struct door_call *call, size_t yes,
                               size_t no)
{
    struct oci_seccomp_arg arg = {
        .index = call->arg, .value = call->mask, .op = SCMP_CMP_MASKED_EQ};

    if (call->mask == 0)
        return yes;
    for (size_t i = 0; i < 2; i++) {
        arg.value_two = call->says[i] & call->mask;
        if (i == 0 || arg.value_two != (call->says[0] & call->mask))
            no = code_condition (code, &arg, sizeof (long) == 8, yes, no);
    }
    return no;
}

size_t seccomp_door_write (struct code *code, const struct seccomp_door *door,
                           const uint32_t words[DOOR_WORDS], size_t place, size_t closed)
{
    if (door->count == 0)
        return place;
    size_t allow = code_return (code, SECCOMP_RET_ALLOW);
    size_t secret = code_secret (code, DOOR_ARG, words, allow, closed);
    size_t opens[DOOR_CALLS_MAX];
    for (size_t i = 0; i < door->count; i++)
        opens[i] = write_condition (code, door->calls[i], secret, closed);
    for (size_t i = 0; i < door->count; i++)
        place = code_jump (code, BPF_JEQ, door->calls[i]->number, opens[i], place);
    return code_load (code, offsetof (struct seccomp_data, nr));
}
