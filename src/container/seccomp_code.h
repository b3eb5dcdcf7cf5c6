/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_code: a classic BPF program that is written from its end to its beginning.
 *
 * All jumps of classic BPF go forward, so what is jumped to exists already when the jump is
 * written, and its distance is known. A place is how many instructions there are from it to the
 * end; it stays right whatever is written before it.
 */
#ifndef RT_CONTAINER_SECCOMP_CODE_H
#define RT_CONTAINER_SECCOMP_CODE_H

#include "oci-spec/seccomp.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODE_RETURNS 8

struct code {
    struct sock_filter *items; /* BPF_MAXINSNS of them, filled from the last one downwards */
    size_t count;              /* also counts what had no room any more */
    struct {
        uint32_t action;
        size_t place; /* 0 = none */
    } returns[CODE_RETURNS];
    unsigned int oldest_return;
};

#define AUTO_CODE __attribute__ ((cleanup (code_release)))

/* What a program returns for an action of the document (oci-spec/seccomp.h): with
 * the errno, or the word for the tracer. */
uint32_t code_answer (uint32_t action, const struct oci_uint64 *data);

/* -1 with errno: no memory. */
int code_init (struct code *code);
void code_release (struct code *code);

/* The program in an allocation of its own, NULL without memory. Only where code->count is not above
 * BPF_MAXINSNS. */
struct sock_filter *code_take (const struct code *code);

/* The `place` instructions from there to the end; NULL where the program is too long already. */
const struct sock_filter *code_from (const struct code *code, size_t place);

/* Each of them gives the place where what it wrote begins. */

size_t code_return (struct code *code, uint32_t action);

/* One instruction that neither jumps nor returns. */
size_t code_statement (struct code *code, uint16_t op, uint32_t k);

/* A word of struct seccomp_data. */
size_t code_load (struct code *code, size_t offset);

/* op: BPF_JEQ, BPF_JGT, BPF_JGE; compares what was loaded. */
size_t code_jump (struct code *code, uint16_t op, uint32_t k, size_t yes, size_t no);

/* One condition on an argument; `wide`: the architecture's arguments have 64 bits, else only the
 * low halves count. Loads for itself. */
size_t code_condition (struct code *code, const struct oci_seccomp_arg *arg, bool wide, size_t yes,
                       size_t no);

/* Are the low halves of the arguments from `index` on these three words? Takes the same time for
 * each no. */
size_t code_secret (struct code *code, uint32_t index, const uint32_t words[3], size_t yes,
                    size_t no);

/* A program that stands for itself. */
size_t code_insert (struct code *code, const struct sock_filter *items, size_t count);

#endif
