/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of mountinfo. What is done with them is seen in tests/security/test_no_pivot.py.
 */
#include "base/text.h"
#include "kernel/oldroot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void lines (void **state)
{
    static const struct {
        const char *line, *root, *point, *type; /* type NULL: not such a line */
        int id, parent;
    } cases[] = {
        {"21 26 0:20 / /proc rw,nosuid - proc proc rw", "/", "/proc", "proc", 21, 26},
        {"36 35 98:0 /mnt1 /mnt2 rw master:1 - ext3 /dev/root rw", "/mnt1", "/mnt2", "ext3", 36,
         35},
        {"36 35 98:0 / /x rw shared:1 master:2 unbindable - sysfs s rw", "/", "/x", "sysfs", 36,
         35},
        {"1 1 0:1 / /a\\040b\\134c\\012 rw - proc a\\040b rw", "/", "/a b\\c\n", "proc", 1, 1},
        {"1 1 0:1 / /a\\04 rw - proc p rw", "/", "/a\\04", "proc", 1, 1},
        {"1 1 0:1 / / rw - fuse.sshfs s rw", "/", "/", "fuse.sshfs", 1, 1},
        {"1 1 0:1 / / rw", NULL, NULL, NULL, 0, 0},
        {"1 1 0:1 / / rw -", NULL, NULL, NULL, 0, 0},
        {"x 1 0:1 / / rw - proc p rw", NULL, NULL, NULL, 0, 0},
        {"1 -1 0:1 / / rw - proc p rw", NULL, NULL, NULL, 0, 0},
        {"99999999999 1 0:1 / / rw - proc p rw", NULL, NULL, NULL, 0, 0},
        {"", NULL, NULL, NULL, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        char *rest = text;
        struct oldroot_mount mount = {0};
        (void)snprintf (text, sizeof text, "%s\nnext", cases[i].line);
        assert_int_equal (oldroot_next (&rest, &mount), cases[i].type != NULL);
        assert_string_equal (rest, "next");
        if (!cases[i].type)
            continue;
        assert_int_equal (mount.id, cases[i].id);
        assert_int_equal (mount.parent, cases[i].parent);
        assert_string_equal (mount.root, cases[i].root);
        assert_string_equal (mount.point, cases[i].point);
        assert_string_equal (mount.type, cases[i].type);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test (lines)};
    return cmocka_run_group_tests (tests, NULL, NULL);
}
