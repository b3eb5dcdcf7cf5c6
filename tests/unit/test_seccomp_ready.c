/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_ready: a filter that comes as the base64 of its instructions.
 */
#include "container/seccomp_ready.h"

#include "bpf_interpreter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

/* The one instruction BPF_RET | BPF_K, SECCOMP_RET_ALLOW. */
#define ALLOW_ALL "BgAAAAAA/38="

/* rows: SEC-29 */
static void instructions_are_read (void **state)
{
    /* BPF_RET | BPF_K, SECCOMP_RET_ALLOW; and the same with a load before it. */
    static const struct {
        const char *base64;
        uint16_t count;
        uint16_t code;
        uint32_t last;
    } cases[] = {
        {ALLOW_ALL, 1, 6, 0x7fff0000},
        {"IAAAAAQAAAAGAAAAAAD/fw==", 2, 0x20, 0x7fff0000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
        struct sock_filter *items = NULL;
        uint16_t count = 0;
        struct error err = {0};
        assert_int_equal (seccomp_ready_read (cases[i].base64, &items, &count, &err), 0);
        assert_int_equal (count, cases[i].count);
        assert_int_equal (items[0].code, cases[i].code);
        assert_int_equal (items[count - 1].k, cases[i].last);
        free (items);
    }
}

/* `length` letters, padded to a multiple of four. */
static char *letters (size_t length)
{
    char *text = calloc (1, length + 4);

    assert_non_null (text);
    memset (text, 'A', length);
    while (length % 4)
        text[length++] = '=';
    return text;
}

/* rows: SEC-29 */
static void anything_else_is_an_error (void **state)
{
    static const char *const wrong[] = {
        "",
        "BgAAAAAA/38", /* without its padding */
        "BgAAAAAA/3",  /* cut */
        "BgAA",        /* less than an instruction */
        "BgAAAAAA/38=BgAAAAAA/38=",
        "BgAAAAAA/3 =",
        "BgAAAAAA/38\n",
        "BgAAAAAA====",
        "====",
        "BgAAAAAA_38=", /* the other alphabet */
        "{\"code\":6}",
    };

    (void)state;
    for (size_t i = 0; i <= sizeof (wrong) / sizeof (wrong[0]); i++) {
        /* The last one has an instruction more than the kernel takes. */
        char *text = i < sizeof (wrong) / sizeof (wrong[0])
                         ? strdup (wrong[i])
                         : letters (((BPF_MAXINSNS + 1) * 8 * 8 + 5) / 6);
        struct sock_filter *items = NULL;
        uint16_t count = 7;
        struct error err = {0};
        assert_int_equal (seccomp_ready_read (text, &items, &count, &err), -1);
        assert_string_equal (err.code, "RT-SECCOMP-READY");
        assert_string_equal (err.pointer, "/annotations/run.oci.seccomp_bpf_data");
        assert_null (items);
        assert_int_equal (count, 7);
        free (text);
    }
}

/* rows: SEC-29 */
static void the_longest_is_read (void **state)
{
    /* The last instruction begins where letters do. */
    char *text = letters (((BPF_MAXINSNS - 1) * 8 * 8) / 6 + 12);
    struct sock_filter *items = NULL;
    uint16_t count = 0;
    struct error err = {0};

    (void)state;
    memcpy (text + strlen (text) - 12, ALLOW_ALL, 12);
    assert_int_equal (seccomp_ready_read (text, &items, &count, &err), 0);
    assert_int_equal (count, BPF_MAXINSNS);
    free (items);
    free (text);
}

/* rows: SEC-29 */
static void what_the_kernel_would_refuse_is_named (void **state)
{
    static const struct sock_filter items[] = {
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, 63),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_filter *found = NULL;
    struct error err = {0};
    uint16_t count = 7;

    (void)state;
    assert_int_equal (
        seccomp_ready_read (machine_base64 (items, sizeof (items) / sizeof (items[0])), &found,
                            &count, &err),
        -1);
    assert_string_equal (err.code, "RT-SECCOMP-READY");
    assert_string_equal (err.pointer, "/annotations/run.oci.seccomp_bpf_data");
    assert_non_null (strstr (err.text, "instruction 1 (0x20, 0, 0, 0x3f)"));
    assert_null (found);
}

static const uint32_t words[DOOR_WORDS] = {0xdeadbeef, 77, 0x80000001};

static uint32_t ask (const struct sock_filter *items, size_t count, uint32_t arch, uint32_t number,
                     uint64_t argument, bool opens)
{
    struct seccomp_data data = {.arch = arch, .nr = (int)number, .args = {argument}};
    uint32_t answer = 1;

    for (size_t i = 0; i < DOOR_WORDS; i++)
        data.args[DOOR_ARG + i] = words[i] + !opens;
    assert_true (machine_run (items, count, &data, &answer));
    return answer;
}

/* Each of these says ERRNO (7) to getpid, by a way that counts on what a program begins with. */
static const struct {
    uint16_t count;
    struct sock_filter items[7];
} programs[] = {
    {4,
     {BPF_STMT (BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 0, 1),
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 7),
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}},
    /* A is 0 */
    {6,
     {BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT (BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 0, 1),
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 7),
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}},
    /* X is 0 */
    {7,
     {BPF_STMT (BPF_MISC | BPF_TXA, 0), BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_TRAP), BPF_STMT (BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 0, 1),
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 7),
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}},
};

/* rows: SEC-29 SEC-36 */
static void the_door_changes_nothing_else (void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof (programs) / sizeof (programs[0]); i++) {
        struct sock_filter *items = NULL;
        struct error err = {0};
        uint16_t count = 0;
        assert_int_equal (
            seccomp_ready_prepare (machine_base64 (programs[i].items, programs[i].count), words,
                                   &items, &count, &err),
            0);
        assert_true (count > programs[i].count);
        assert_int_equal (ask (items, count, door_arch, SYS_getpid, 0, true), SECCOMP_RET_ALLOW);
        assert_int_equal (ask (items, count, door_arch, SYS_getpid, 0, false),
                          SECCOMP_RET_ERRNO | 7);
        assert_int_equal (ask (items, count, door_arch ^ 1, SYS_getpid, 0, true),
                          SECCOMP_RET_ERRNO | 7);
        assert_int_equal (ask (items, count, door_arch, SYS_getpid + 1, 0, true),
                          SECCOMP_RET_ALLOW);
        free (items);
    }
}

/* rows: SEC-29 */
static void one_that_allows_all_calls_of_rt_stays_as_it_is (void **state)
{
    struct sock_filter *items = NULL;
    struct error err = {0};
    uint16_t count = 0;

    (void)state;
    assert_int_equal (seccomp_ready_prepare (ALLOW_ALL, words, &items, &count, &err), 0);
    assert_int_equal (count, 1);
    free (items);
}

/* rows: SEC-28 SEC-29 */
static void no_room_for_the_door_is_told (void **state)
{
    static struct sock_filter items[BPF_MAXINSNS];
    struct sock_filter *found = NULL;
    struct error err = {0};
    uint16_t count = 7;

    (void)state;
    items[BPF_MAXINSNS - 1] = (struct sock_filter)BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    assert_int_equal (
        seccomp_ready_prepare (machine_base64 (items, BPF_MAXINSNS), words, &found, &count, &err),
        -1);
    assert_string_equal (err.code, "RT-SECCOMP-SIZE");
    assert_string_equal (err.pointer, "/annotations/run.oci.seccomp_bpf_data");
    assert_non_null (strstr (err.text, "4096 instructions, to which rt has to add"));
    assert_null (found);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (instructions_are_read),
        cmocka_unit_test (anything_else_is_an_error),
        cmocka_unit_test (the_longest_is_read),
        cmocka_unit_test (what_the_kernel_would_refuse_is_named),
        cmocka_unit_test (the_door_changes_nothing_else),
        cmocka_unit_test (one_that_allows_all_calls_of_rt_stays_as_it_is),
        cmocka_unit_test (no_room_for_the_door_is_told),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
