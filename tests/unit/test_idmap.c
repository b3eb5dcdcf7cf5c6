/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mappings of a user namespace, as the document and as the kernel says them.
 */
#include "container/idmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* rows: NSP-10 UID-01 UID-02 */
static void mappings_are_compared (void **state)
{
    struct oci_id_mapping plain[] = {{0, 100000, 1000, false}};
    struct oci_id_mapping pieces[] = {
        {600, 100600, 400, false}, {0, 100000, 500, false}, {500, 100500, 100, false}};
    struct oci_id_mapping gap[] = {{0, 100000, 500, false}, {500, 200500, 500, false}};
    struct oci_id_mapping full[] = {{0, 0, 4294967295, false}};
    const struct oci_id_mappings of_plain = {1, plain, true};
    const struct oci_id_mappings of_pieces = {3, pieces, true};
    const struct oci_id_mappings of_gap = {2, gap, true};
    const struct oci_id_mappings of_full = {1, full, true};
    const struct {
        const struct oci_id_mappings *mappings;
        const char *map;
        bool same;
    } cases[] = {
        {&of_plain, "         0     100000       1000\n", true},
        {&of_plain, "0 100000 1000\n", true},
        {&of_plain, "0 100000 999\n", false},
        {&of_plain, "0 100001 1000\n", false},
        {&of_plain, "1 100000 1000\n", false},
        {&of_plain, "0 100000 400\n400 100400 600\n", true},
        {&of_plain, "400 100400 600\n0 100000 400\n", true},
        {&of_plain, "0 100000 400\n400 200400 600\n", false},
        {&of_plain, "0 100000 400\n401 100401 600\n", false},
        {&of_plain, "0 100000 1000\n1000 7 1\n", false},
        {&of_plain, "", false},
        {&of_plain, "0 100000\n", false},
        {&of_plain, "0 100000 1000", false},
        {&of_plain, "0 100000 1000 1\n", false},
        {&of_plain, "0 4294967295 1000\n", false},
        {&of_pieces, "0 100000 1000\n", true},
        {&of_gap, "0 100000 1000\n", false},
        {&of_gap, "500 200500 500\n0 100000 500\n", true},
        {&of_full, "         0          0 4294967295\n", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (*cases); i++)
        if (idmap_is_same (cases[i].mappings, cases[i].map) != cases[i].same)
            fail_msg ("case %zu: %s", i, cases[i].map);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (mappings_are_compared),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
