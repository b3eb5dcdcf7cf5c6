/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_ready: a filter that comes as the base64 of its instructions.
 */
#include "container/seccomp_ready.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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
        {"BgAAAAAA/38=", 1, 6, 0x7fff0000},
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
    char *text = letters ((BPF_MAXINSNS * 8 * 8 + 5) / 6);
    struct sock_filter *items = NULL;
    uint16_t count = 0;
    struct error err = {0};

    (void)state;
    assert_int_equal (seccomp_ready_read (text, &items, &count, &err), 0);
    assert_int_equal (count, BPF_MAXINSNS);
    free (items);
    free (text);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (instructions_are_read),
        cmocka_unit_test (anything_else_is_an_error),
        cmocka_unit_test (the_longest_is_read),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
