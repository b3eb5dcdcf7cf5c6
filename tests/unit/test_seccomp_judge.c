/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_judge: which programs are filters, as this kernel says too, and what they can answer to a
 * call of which the arguments are not known.
 */
#include "container/seccomp_judge.h"

#include "bpf_interpreter.h"

#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof (array) / sizeof (*(array)))
#define LONGEST 12

#define ARCH AUDIT_ARCH_X86_64
#define NUMBER 59
#define ARG(i) (16 + 8 * (i))

#define LD_ABS(offset) BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offset)
#define IMM(k) BPF_STMT (BPF_LD | BPF_IMM, k)
#define IMMX(k) BPF_STMT (BPF_LDX | BPF_IMM, k)
#define JEQ(k, yes, no) BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)
#define RET(k) BPF_STMT (BPF_RET | BPF_K, k)
#define RET_A BPF_STMT (BPF_RET | BPF_A, 0)

#define ALLOW SECCOMP_RET_ALLOW
#define TRAP SECCOMP_RET_TRAP
#define LOG SECCOMP_RET_LOG

struct program {
    const char *what;
    size_t wrong; /* the instruction; OK = none */
    size_t count;
    struct sock_filter items[LONGEST];
};
#define OK SIZE_MAX
#define ITEMS(...)                                                                                 \
    COUNT (((struct sock_filter[]){__VA_ARGS__})),                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static const struct program programs[] = {
    {"one return", OK, ITEMS (RET (ALLOW))},
    {"a return of A", OK, ITEMS (RET_A)},
    {"a return of X", 0, ITEMS (BPF_STMT (BPF_RET | BPF_X, 0))},
    {"no return at the end", 1, ITEMS (RET (ALLOW), IMM (0))},
    {"a jump at the end", 1, ITEMS (RET (ALLOW), BPF_JUMP (BPF_JMP | BPF_JA, 0, 0, 0))},
    {"a jump behind the end", 0, ITEMS (BPF_JUMP (BPF_JMP | BPF_JA, 1, 0, 0), RET (ALLOW))},
    {"a jump far behind", 0, ITEMS (BPF_JUMP (BPF_JMP | BPF_JA, UINT32_MAX, 0, 0), RET (ALLOW))},
    {"yes behind the end", 0, ITEMS (JEQ (0, 1, 0), RET (ALLOW))},
    {"no behind the end", 0, ITEMS (JEQ (0, 0, 1), RET (ALLOW))},
    {"jumps to the end", OK, ITEMS (JEQ (0, 1, 0), RET (TRAP), RET (ALLOW))},
    {"a number that is none", 0, ITEMS (BPF_STMT (0xffff, 0), RET (ALLOW))},
    {"the last word", OK, ITEMS (LD_ABS (60), RET (ALLOW))},
    {"behind the last word", 0, ITEMS (LD_ABS (64), RET (ALLOW))},
    {"half a word further", 0, ITEMS (LD_ABS (2), RET (ALLOW))},
    {"a word far away", 0, ITEMS (LD_ABS (0xfffff000), RET (ALLOW))},
    {"a byte", 0, ITEMS (BPF_STMT (BPF_LD | BPF_B | BPF_ABS, 0), RET (ALLOW))},
    {"a word by X", 0, ITEMS (BPF_STMT (BPF_LD | BPF_W | BPF_IND, 0), RET (ALLOW))},
    {"a header's length", 0, ITEMS (BPF_STMT (BPF_LDX | BPF_B | BPF_MSH, 0), RET (ALLOW))},
    {"the length", OK,
     ITEMS (BPF_STMT (BPF_LD | BPF_W | BPF_LEN, 0), BPF_STMT (BPF_LDX | BPF_W | BPF_LEN, 0),
            RET (ALLOW))},
    {"a remainder", 0, ITEMS (BPF_STMT (BPF_ALU | BPF_MOD | BPF_K, 3), RET (ALLOW))},
    {"a division by 0", 0, ITEMS (BPF_STMT (BPF_ALU | BPF_DIV | BPF_K, 0), RET (ALLOW))},
    {"a division by X", OK, ITEMS (BPF_STMT (BPF_ALU | BPF_DIV | BPF_X, 0), RET (ALLOW))},
    {"a shift by 31", OK,
     ITEMS (BPF_STMT (BPF_ALU | BPF_LSH | BPF_K, 31), BPF_STMT (BPF_ALU | BPF_RSH | BPF_K, 31),
            RET (ALLOW))},
    {"a shift by 32", 0, ITEMS (BPF_STMT (BPF_ALU | BPF_LSH | BPF_K, 32), RET (ALLOW))},
    {"a shift to the right by 32", 0,
     ITEMS (BPF_STMT (BPF_ALU | BPF_RSH | BPF_K, 32), RET (ALLOW))},
    {"all that moves", OK,
     ITEMS (IMM (1), IMMX (2), BPF_STMT (BPF_ST, 15), BPF_STMT (BPF_STX, 0),
            BPF_STMT (BPF_LD | BPF_MEM, 0), BPF_STMT (BPF_LDX | BPF_MEM, 15),
            BPF_STMT (BPF_MISC | BPF_TAX, 0), BPF_STMT (BPF_MISC | BPF_TXA, 0), RET (ALLOW))},
    {"all that calculates", OK,
     ITEMS (BPF_STMT (BPF_ALU | BPF_ADD | BPF_X, 0), BPF_STMT (BPF_ALU | BPF_SUB | BPF_X, 0),
            BPF_STMT (BPF_ALU | BPF_MUL | BPF_K, 5), BPF_STMT (BPF_ALU | BPF_AND | BPF_X, 0),
            BPF_STMT (BPF_ALU | BPF_OR | BPF_K, 5), BPF_STMT (BPF_ALU | BPF_XOR | BPF_X, 0),
            BPF_STMT (BPF_ALU | BPF_NEG, 0), BPF_STMT (BPF_ALU | BPF_LSH | BPF_X, 0),
            BPF_STMT (BPF_ALU | BPF_RSH | BPF_X, 0), RET (ALLOW))},
    {"all jumps", OK,
     ITEMS (BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 0),
            BPF_JUMP (BPF_JMP | BPF_JGT | BPF_X, 0, 0, 0),
            BPF_JUMP (BPF_JMP | BPF_JGE | BPF_X, 0, 0, 0),
            BPF_JUMP (BPF_JMP | BPF_JSET | BPF_X, 0, 0, 0),
            BPF_JUMP (BPF_JMP | BPF_JGT | BPF_K, 0, 0, 0),
            BPF_JUMP (BPF_JMP | BPF_JGE | BPF_K, 0, 0, 0),
            BPF_JUMP (BPF_JMP | BPF_JSET | BPF_K, 0, 0, 0), RET (ALLOW))},
    {"memory that was not written", 0, ITEMS (BPF_STMT (BPF_LD | BPF_MEM, 3), RET (ALLOW))},
    {"memory with no such word", 0, ITEMS (BPF_STMT (BPF_ST, 16), RET (ALLOW))},
    {"memory that one way has not written", 3,
     ITEMS (JEQ (0, 1, 0), BPF_STMT (BPF_ST, 3), BPF_STMT (BPF_ST, 4),
            BPF_STMT (BPF_LDX | BPF_MEM, 3), RET (ALLOW))},
    {"memory that both ways have written", OK,
     ITEMS (JEQ (0, 0, 2), BPF_STMT (BPF_ST, 3), BPF_JUMP (BPF_JMP | BPF_JA, 1, 0, 0),
            BPF_STMT (BPF_STX, 3), BPF_STMT (BPF_LDX | BPF_MEM, 3), RET (ALLOW))},
    {"memory behind a return", OK,
     ITEMS (BPF_STMT (BPF_ST, 3), RET (ALLOW), BPF_STMT (BPF_LD | BPF_MEM, 3), RET (ALLOW))},
    {"memory behind a return, not written", 1,
     ITEMS (RET (ALLOW), BPF_STMT (BPF_LD | BPF_MEM, 3), RET (ALLOW))},
};

/* A filter may do anything to the process that it was loaded into, so that ends without a call. */
static bool kernel_takes (const struct sock_filter *items, size_t count)
{
    const struct sock_fprog program = {.len = (unsigned short)count,
                                       .filter = (struct sock_filter *)items};
    int status = 0;

    pid_t pid = fork ();
    if (pid == 0) {
        (void)signal (SIGILL, SIG_DFL); /* cmocka's */
        if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
            _exit (1);
        if (syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
            _exit (errno == EINVAL ? 2 : 1);
        __builtin_trap ();
    }
    assert_true (pid > 0 && waitpid (pid, &status, 0) == pid);
    if (WIFSIGNALED (status))
        return true;
    assert_int_equal (WEXITSTATUS (status), 2);
    return false;
}

/* rows: SEC-29 */
static void filters_are_told_from_other_programs (void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT (programs); i++) {
        const struct program *p = &programs[i];
        struct seccomp_answers answers;
        const uint32_t number = NUMBER;
        size_t wrong = OK;
        bool fits = seccomp_well_formed (p->items, p->count, &wrong);
        if (fits != (p->wrong == OK) || (!fits && wrong != p->wrong))
            fail_msg ("%s: %s at %zu", p->what, fits ? "taken" : "refused", wrong);
        if (kernel_takes (p->items, p->count) != fits)
            fail_msg ("%s: the kernel says otherwise", p->what);
        errno = 0;
        assert_int_equal (seccomp_judge (p->items, p->count, ARCH,
                                         &(struct seccomp_question){.number = number}, 1, &answers),
                          fits ? 0 : -1);
        assert_int_equal (errno, fits ? 0 : EINVAL);
    }
}

static void length_is_bounded (void **state)
{
    static struct sock_filter items[BPF_MAXINSNS + 1];
    size_t wrong = 7;

    (void)state;
    for (size_t i = 0; i < COUNT (items); i++)
        items[i] = (struct sock_filter)RET (ALLOW);
    assert_false (seccomp_well_formed (items, 0, &wrong));
    assert_true (seccomp_well_formed (items, BPF_MAXINSNS, &wrong));
    assert_false (seccomp_well_formed (items, BPF_MAXINSNS + 1, &wrong));
    assert_true (kernel_takes (items, BPF_MAXINSNS));
}

static uint64_t dice = 88172645463325252u;

static uint32_t throw_dice (size_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)((dice >> 20) % sides);
}

/* Any of the numbers that look like an instruction, with values that are near what is allowed. */
static void throw_program (struct sock_filter *items, size_t count)
{
    static const uint32_t values[] = {0, 1, 2, 4, 15, 16, 31, 32, 59, 60, 64, ARCH, ALLOW, TRAP};

    for (size_t i = 0; i < count; i++)
        items[i] =
            (struct sock_filter){.code = (uint16_t)throw_dice (throw_dice (8) ? 0xc0 : 0x200),
                                 .jt = (uint8_t)throw_dice (3),
                                 .jf = (uint8_t)throw_dice (3),
                                 .k = values[throw_dice (COUNT (values))]};
    if (throw_dice (8))
        items[count - 1] = (struct sock_filter)RET (LOG);
}

/* rows: SEC-29 */
static void the_kernel_agrees_by_chance (void **state)
{
    size_t taken = 0;

    (void)state;
    for (int i = 0; i < 4000; i++) {
        struct sock_filter items[4];
        size_t count = 1 + throw_dice (COUNT (items));
        size_t wrong;
        throw_program (items, count);
        bool fits = seccomp_well_formed (items, count, &wrong);
        /* Most are wrong, which needs no question each time. */
        if (!fits && i % 8)
            continue;
        taken += fits;
        if (kernel_takes (items, count) != fits)
            fail_msg ("%zu instructions, %s: %#x %#x %#x %#x", count, fits ? "taken" : "refused",
                      items[0].code, items[1].code, items[2].code, items[3].code);
    }
    assert_true (taken > 50);
}

static const struct {
    const char *what;
    unsigned int possible;
    uint32_t first; /* not looked at where everything is possible */
    size_t count;
    struct sock_filter items[LONGEST];
} answers[] = {
    {"one answer", SECCOMP_CAN_ALLOW, ALLOW, ITEMS (RET (ALLOW))},
    {"its data", SECCOMP_CAN_ERRNO, SECCOMP_RET_ERRNO | 7, ITEMS (RET (SECCOMP_RET_ERRNO | 7))},
    {"kills", SECCOMP_CAN_KILL_PROCESS, SECCOMP_RET_KILL_PROCESS,
     ITEMS (RET (SECCOMP_RET_KILL_PROCESS))},
    {"kills the thread", SECCOMP_CAN_KILL_THREAD, 0, ITEMS (RET (SECCOMP_RET_KILL_THREAD))},
    {"traces", SECCOMP_CAN_TRACE, SECCOMP_RET_TRACE, ITEMS (RET (SECCOMP_RET_TRACE))},
    {"notifies", SECCOMP_CAN_NOTIFY, SECCOMP_RET_USER_NOTIF, ITEMS (RET (SECCOMP_RET_USER_NOTIF))},
    {"logs", SECCOMP_CAN_LOG, LOG, ITEMS (RET (LOG))},
    {"an action of no kernel kills", SECCOMP_CAN_KILL_PROCESS, 0x12340000,
     ITEMS (RET (0x12340000))},
    {"A begins as 0", SECCOMP_CAN_KILL_THREAD, 0, ITEMS (RET_A)},
    {"X begins as 0", SECCOMP_CAN_KILL_THREAD, 0,
     ITEMS (IMM (5), BPF_STMT (BPF_MISC | BPF_TXA, 0), RET_A)},
    {"the number is known", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (LD_ABS (0), JEQ (NUMBER, 1, 0), RET (ALLOW), RET (TRAP))},
    {"the architecture is known", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (LD_ABS (4), JEQ (ARCH, 1, 0), RET (ALLOW), RET (TRAP))},
    {"an argument is not", SECCOMP_CAN_ALLOW | SECCOMP_CAN_TRAP, ALLOW,
     ITEMS (LD_ABS (ARG (0)), JEQ (0, 1, 0), RET (ALLOW), RET (TRAP))},
    {"nor its high half", SECCOMP_CAN_ALLOW | SECCOMP_CAN_TRAP, ALLOW,
     ITEMS (LD_ABS (ARG (5) + 4), JEQ (0, 1, 0), RET (ALLOW), RET (TRAP))},
    {"nor the instruction pointer", SECCOMP_CAN_ALLOW | SECCOMP_CAN_TRAP, ALLOW,
     ITEMS (LD_ABS (8), JEQ (0, 1, 0), RET (ALLOW), RET (TRAP))},
    {"what comes of an argument is not", SECCOMP_CAN_ALLOW | SECCOMP_CAN_TRAP, ALLOW,
     ITEMS (LD_ABS (ARG (0)), BPF_STMT (BPF_ALU | BPF_ADD | BPF_K, 1), JEQ (0, 1, 0), RET (ALLOW),
            RET (TRAP))},
    {"an answer of arguments", SECCOMP_CAN_ALL, 0, ITEMS (LD_ABS (ARG (0)), RET_A)},
    {"one of arguments after another", SECCOMP_CAN_ALL, 0,
     ITEMS (LD_ABS (ARG (0)), JEQ (0, 0, 1), RET (TRAP), RET_A)},
    {"by X", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (LD_ABS (0), IMMX (NUMBER), BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0), RET (ALLOW),
            RET (TRAP))},
    {"by an X of arguments", SECCOMP_CAN_ALLOW | SECCOMP_CAN_TRAP, ALLOW,
     ITEMS (LD_ABS (ARG (0)), BPF_STMT (BPF_MISC | BPF_TAX, 0), IMM (1),
            BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0), RET (ALLOW), RET (TRAP))},
    {"greater", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (LD_ABS (0), BPF_JUMP (BPF_JMP | BPF_JGT | BPF_K, NUMBER, 0, 1), RET (ALLOW),
            RET (TRAP))},
    {"greater or equal", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (LD_ABS (0), BPF_JUMP (BPF_JMP | BPF_JGE | BPF_K, NUMBER, 1, 0), RET (ALLOW),
            RET (TRAP))},
    {"greater without a sign", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (IMM (UINT32_MAX), BPF_JUMP (BPF_JMP | BPF_JGT | BPF_K, 5, 1, 0), RET (ALLOW),
            RET (TRAP))},
    {"common bits", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (IMM (6), BPF_JUMP (BPF_JMP | BPF_JSET | BPF_K, 9, 0, 1), RET (ALLOW), RET (TRAP))},
    {"a jump ahead", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (BPF_JUMP (BPF_JMP | BPF_JA, 1, 0, 0), RET (ALLOW), RET (TRAP))},
    {"the length", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (BPF_STMT (BPF_LD | BPF_W | BPF_LEN, 0), JEQ (64, 1, 0), RET (ALLOW), RET (TRAP))},
    {"the length in X", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (BPF_STMT (BPF_LDX | BPF_W | BPF_LEN, 0), BPF_STMT (BPF_MISC | BPF_TXA, 0),
            JEQ (64, 1, 0), RET (ALLOW), RET (TRAP))},
    {"by memory", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (IMM (9), BPF_STMT (BPF_ST, 7), IMM (8), BPF_STMT (BPF_LD | BPF_MEM, 7), JEQ (9, 1, 0),
            RET (ALLOW), RET (TRAP))},
    {"by memory and X", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (IMMX (9), BPF_STMT (BPF_STX, 7), IMMX (8), BPF_STMT (BPF_LDX | BPF_MEM, 7),
            BPF_STMT (BPF_MISC | BPF_TXA, 0), JEQ (9, 1, 0), RET (ALLOW), RET (TRAP))},
    {"an argument overwrites memory", SECCOMP_CAN_ALLOW | SECCOMP_CAN_TRAP, ALLOW,
     ITEMS (IMM (9), BPF_STMT (BPF_ST, 7), LD_ABS (ARG (1)), BPF_STMT (BPF_ST, 7),
            BPF_STMT (BPF_LD | BPF_MEM, 7), JEQ (9, 1, 0), RET (ALLOW), RET (TRAP))},
    {"two ways that agree", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (LD_ABS (ARG (0)), JEQ (0, 0, 2), IMM (3), BPF_JUMP (BPF_JMP | BPF_JA, 1, 0, 0), IMM (3),
            JEQ (3, 1, 0), RET (ALLOW), RET (TRAP))},
    {"two ways that do not", SECCOMP_CAN_ALLOW | SECCOMP_CAN_TRAP, ALLOW,
     ITEMS (LD_ABS (ARG (0)), JEQ (0, 0, 2), IMM (3), BPF_JUMP (BPF_JMP | BPF_JA, 1, 0, 0), IMM (4),
            JEQ (3, 1, 0), RET (ALLOW), RET (TRAP))},
    {"a way that is none", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (LD_ABS (0), JEQ (NUMBER, 0, 2), IMM (3), BPF_JUMP (BPF_JMP | BPF_JA, 1, 0, 0), IMM (4),
            JEQ (3, 1, 0), RET (ALLOW), RET (TRAP))},
    {"division", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (IMM (7), IMMX (2), BPF_STMT (BPF_ALU | BPF_DIV | BPF_X, 0), JEQ (3, 1, 0), RET (ALLOW),
            RET (TRAP))},
    {"division by zero", SECCOMP_CAN_KILL_THREAD, 0,
     ITEMS (IMM (7), BPF_STMT (BPF_ALU | BPF_DIV | BPF_X, 0), RET (ALLOW))},
    {"division by an argument", SECCOMP_CAN_KILL_THREAD | SECCOMP_CAN_ALLOW, 0,
     ITEMS (LD_ABS (ARG (0)), BPF_STMT (BPF_MISC | BPF_TAX, 0), IMM (7),
            BPF_STMT (BPF_ALU | BPF_DIV | BPF_X, 0), RET (ALLOW))},
    {"a shift by a large X", SECCOMP_CAN_ALLOW | SECCOMP_CAN_TRAP, ALLOW,
     ITEMS (IMM (7), IMMX (40), BPF_STMT (BPF_ALU | BPF_LSH | BPF_X, 0), JEQ (0, 1, 0), RET (ALLOW),
            RET (TRAP))},
    {"arithmetic", SECCOMP_CAN_TRAP, TRAP,
     ITEMS (IMM (7), BPF_STMT (BPF_ALU | BPF_MUL | BPF_K, 6),
            BPF_STMT (BPF_ALU | BPF_SUB | BPF_K, 2), BPF_STMT (BPF_ALU | BPF_RSH | BPF_K, 3),
            BPF_STMT (BPF_ALU | BPF_LSH | BPF_K, 8), BPF_STMT (BPF_ALU | BPF_OR | BPF_K, 15),
            BPF_STMT (BPF_ALU | BPF_XOR | BPF_K, 6), BPF_STMT (BPF_ALU | BPF_AND | BPF_K, 0xff8),
            BPF_STMT (BPF_ALU | BPF_NEG, 0), JEQ (-0x508u, 1, 0), RET (ALLOW), RET (TRAP))},
    {"what is not reached counts for nothing", SECCOMP_CAN_ALLOW, ALLOW,
     ITEMS (RET (ALLOW), LD_ABS (ARG (0)), RET_A)},
};

/* rows: SEC-36 */
static void what_a_filter_can_answer (void **state)
{
    static const struct seccomp_question questions[] = {{.number = NUMBER}, {.number = NUMBER}};

    (void)state;
    for (size_t i = 0; i < COUNT (answers); i++) {
        struct seccomp_answers found[COUNT (questions)];
        assert_int_equal (seccomp_judge (answers[i].items, answers[i].count, ARCH, questions,
                                         COUNT (questions), found),
                          0);
        if (found[0].possible != answers[i].possible ||
            (found[0].possible != SECCOMP_CAN_ALL && found[0].first != answers[i].first))
            fail_msg ("%s: %#x, first %#x", answers[i].what, found[0].possible, found[0].first);
        /* Nothing is left of the number before. */
        assert_int_equal (found[1].possible, found[0].possible);
    }
}

/* rows: SEC-27 */
static void what_is_known_of_an_argument_counts (void **state)
{
    static const struct sock_filter items[] = {LD_ABS (ARG (1)),     JEQ (5, 0, 3),
                                               LD_ABS (ARG (1) + 4), JEQ (7, 0, 1),
                                               RET (ALLOW),          RET (TRAP)};
    static const struct {
        struct seccomp_question question;
        unsigned int possible;
    } table[] = {
        {{.number = NUMBER}, SECCOMP_CAN_ALLOW | SECCOMP_CAN_TRAP},
        {{.number = NUMBER, .arg = 1, .value = 7ull << 32 | 5},
         SECCOMP_CAN_ALLOW | SECCOMP_CAN_TRAP},
        {{NUMBER, true, 1, 7ull << 32 | 5}, SECCOMP_CAN_ALLOW},
        {{NUMBER, true, 1, 5}, SECCOMP_CAN_TRAP},
        {{NUMBER, true, 1, 7ull << 32}, SECCOMP_CAN_TRAP},
        {{NUMBER, true, 0, 7ull << 32 | 5}, SECCOMP_CAN_ALLOW | SECCOMP_CAN_TRAP},
    };

    (void)state;
    for (size_t i = 0; i < COUNT (table); i++) {
        struct seccomp_answers found;
        assert_int_equal (seccomp_judge (items, COUNT (items), ARCH, &table[i].question, 1, &found),
                          0);
        if (found.possible != table[i].possible)
            fail_msg ("row %zu: %#x", i, found.possible);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (filters_are_told_from_other_programs),
        cmocka_unit_test (length_is_bounded),
        cmocka_unit_test (the_kernel_agrees_by_chance),
        cmocka_unit_test (what_a_filter_can_answer),
        cmocka_unit_test (what_is_known_of_an_argument_counts),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
