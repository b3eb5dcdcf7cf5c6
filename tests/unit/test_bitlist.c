/* SPDX-License-Identifier: Apache-2.0 */
/* bitlist: the kernel's list format, as CPU affinity and memory policy are written. */
#include "kernel/bitlist.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool has (const struct bitlist *list, size_t bit)
{
    size_t width = 8 * sizeof (unsigned long);

    return bit < list->bits && (list->words[bit / width] >> bit % width & 1);
}

/* rows: PRC-32 MPL-02 */
static void reads_lists (void **state)
{
    (void)state;
    AUTO_BITLIST struct bitlist list = {0};

    assert_int_equal (bitlist_parse ("0-3,7", &list), 0);
    for (size_t bit = 0; bit < list.bits; bit++)
        assert_int_equal (has (&list, bit), bit <= 3 || bit == 7);
    assert_true (list.bits >= 8);
}

/* rows: PRC-32 */
static void has_no_limit_of_1024 (void **state)
{
    (void)state;
    AUTO_BITLIST struct bitlist list = {0};

    assert_int_equal (bitlist_parse (" 63, 64 - 65,4097,65535 ", &list), 0);
    size_t count = 0;
    for (size_t bit = 0; bit < list.bits; bit++)
        count += has (&list, bit);
    assert_int_equal (count, 5);
    assert_true (has (&list, 63) && has (&list, 64) && has (&list, 65) && has (&list, 4097) &&
                 has (&list, 65535));
}

/* rows: PRC-32 MPL-02 */
static void refuses_rubbish (void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int errnum;
    } table[] = {
        {"", EINVAL},           {" ", EINVAL},       {",", EINVAL},
        {"1,", EINVAL},         {",1", EINVAL},      {"1-", EINVAL},
        {"-1", EINVAL},         {"3-1", EINVAL},     {"a", EINVAL},
        {"0x1", EINVAL},        {"1;2", EINVAL},     {"1-2-3", EINVAL},
        {"1 2", EINVAL},        {"1\n", EINVAL},     {"65536", ERANGE},
        {"4294967295", ERANGE}, {"+1", EINVAL},      {"18446744073709551616", ERANGE},
        {"1,,2", EINVAL},       {"0-99999", ERANGE},
    };

    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        struct bitlist list = {0};
        errno = 0;
        assert_int_equal (bitlist_parse (table[i].text, &list), -1);
        assert_int_equal (errno, table[i].errnum);
        assert_null (list.words);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (reads_lists),
        cmocka_unit_test (has_no_limit_of_1024),
        cmocka_unit_test (refuses_rubbish),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
