/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices_v2: rules as an eBPF program (FEATURES CGD-07, CGD-08).
 *
 * The last rule wins, so the program asks them from last to first. It keeps the parts of the
 * request (read, write, mknod) that no rule has decided yet: a rule that denies one of them ends
 * it, a rule that allows some takes them out, and when none is left the answer is yes.
 *
 *   r1 context   r2 device type   r3 undecided parts   r4 major   r5 minor
 */
#include "cgroup/devices.h"

#include <stddef.h>

enum { TO_DENY = -1, TO_ALLOW = -2 };  /* jumps that are aimed when all is written */
enum { INSTRUCTIONS_MAX = INT16_MAX }; /* how far a jump reaches */

struct emitter {
    struct bpf_insn *items;
    size_t count;
};

static void emit (struct emitter *out, uint8_t code, uint8_t to, uint8_t from, int16_t offset,
                  int32_t value)
{
    out->items[out->count++] = (struct bpf_insn){
        .code = code, .dst_reg = to & 0xf, .src_reg = from & 0xf, .off = offset, .imm = value};
}

static void emit_load (struct emitter *out, uint8_t to, size_t offset)
{
    emit (out, BPF_LDX | BPF_MEM | BPF_W, to, BPF_REG_1, (int16_t)offset, 0);
}

static void emit_jump (struct emitter *out, uint8_t test, uint8_t reg, int32_t value, int16_t where)
{
    emit (out, (uint8_t)(BPF_JMP | test | BPF_K), reg, 0, where, value);
}

static int32_t kernel_access (unsigned access)
{
    return (access & OCI_ACCESS_READ ? BPF_DEVCG_ACC_READ : 0) |
           (access & OCI_ACCESS_WRITE ? BPF_DEVCG_ACC_WRITE : 0) |
           (access & OCI_ACCESS_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* Can `next` (asked right after `rule`) share its tests of type and major? */
static bool is_sibling (const struct device_rule *rule, const struct device_rule *next)
{
    return rule->allow == next->allow && rule->type == next->type && rule->major == next->major &&
           rule->minor != DEVICE_ANY && next->minor != DEVICE_ANY &&
           rule->access == DEVICE_ACCESS_ALL && next->access == DEVICE_ACCESS_ALL;
}

/* What a matching rule does. */
static void emit_verdict (struct emitter *out, const struct device_rule *rule)
{
    if (rule->access == DEVICE_ACCESS_ALL) {
        emit_jump (out, BPF_JA, 0, 0, rule->allow ? TO_ALLOW : TO_DENY);
    } else if (rule->allow) {
        emit (out, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_3, 0, 0, ~kernel_access (rule->access));
        emit_jump (out, BPF_JEQ, BPF_REG_3, 0, TO_ALLOW);
    } else {
        emit_jump (out, BPF_JSET, BPF_REG_3, kernel_access (rule->access), TO_DENY);
    }
}

/* rules[0] and the `count` - 1 siblings before it in the list (asked after it). */
static void emit_rules (struct emitter *out, const struct device_rule *rule, size_t count)
{
    size_t misses[3], miss_count = 0;

    if (rule->type != 'a') {
        misses[miss_count++] = out->count;
        emit_jump (out, BPF_JNE, BPF_REG_2,
                   rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, 0);
    }
    if (rule->major != DEVICE_ANY) {
        misses[miss_count++] = out->count;
        emit_jump (out, BPF_JNE, BPF_REG_4, (int32_t)rule->major, 0);
    }
    if (rule->minor != DEVICE_ANY && rule->access == DEVICE_ACCESS_ALL) {
        for (size_t i = 0; i < count; i++)
            emit_jump (out, BPF_JEQ, BPF_REG_5, (int32_t)rule[-(ptrdiff_t)i].minor,
                       rule->allow ? TO_ALLOW : TO_DENY);
    } else {
        if (rule->minor != DEVICE_ANY) {
            misses[miss_count++] = out->count;
            emit_jump (out, BPF_JNE, BPF_REG_5, (int32_t)rule->minor, 0);
        }
        emit_verdict (out, rule);
    }
    for (size_t i = 0; i < miss_count; i++)
        out->items[misses[i]].off = (int16_t)(out->count - misses[i] - 1);
}

static void emit_answer (struct emitter *out, int32_t answer)
{
    emit (out, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, answer);
    emit (out, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

int device_program_make (struct arena *arena, const struct device_rules *rules,
                         struct device_program *program, struct error *err)
{
    size_t room = 16 + 6 * rules->count; /* a rule is five instructions at most */
    struct emitter out = {0};

    if (room > INSTRUCTIONS_MAX) {
        error_set (err, "RT-CGROUP-DEVICES", 0, "%zu device rules are too many", rules->count);
        return error_at (err, "/linux/resources/devices");
    }
    out.items = arena_array (arena, room, sizeof *out.items);
    emit_load (&out, BPF_REG_2, offsetof (struct bpf_cgroup_dev_ctx, access_type));
    emit_load (&out, BPF_REG_4, offsetof (struct bpf_cgroup_dev_ctx, major));
    emit_load (&out, BPF_REG_5, offsetof (struct bpf_cgroup_dev_ctx, minor));
    emit (&out, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
    emit (&out, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
    emit (&out, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);

    for (size_t i = rules->count; i > 0;) {
        const struct device_rule *rule = &rules->items[i - 1];
        size_t siblings = 1;

        while (siblings < i && is_sibling (rule, rule - siblings))
            siblings++;
        emit_rules (&out, rule, siblings);
        i -= siblings;
    }
    size_t deny = out.count;
    emit_answer (&out, 0);
    size_t allow = out.count;
    emit_answer (&out, 1);
    for (size_t i = 0; i < out.count; i++) {
        struct bpf_insn *insn = &out.items[i];
        if (BPF_CLASS (insn->code) == BPF_JMP && insn->off < 0)
            insn->off = (int16_t)((insn->off == TO_DENY ? deny : allow) - i - 1);
    }
    *program = (struct device_program){.items = out.items, .count = out.count};
    return 0;
}
