/* SPDX-License-Identifier: Apache-2.0 */
/* notify: what a container's message says, and for whom there is a socket at all. */
#include "lifecycle/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool says_ready (const char *message)
{
    return notify_says_ready (message, strlen (message));
}

/* rows: FDS-04 */
static void test_a_line_says_ready (void **state)
{
    (void)state;
    assert_true (says_ready ("READY=1"));
    assert_true (says_ready ("READY=1\n"));
    assert_true (says_ready ("STATUS=x\nREADY=1\nMAINPID=7"));
    assert_true (says_ready ("\n\nREADY=1"));
    assert_true (says_ready ("X\nREADY=1"));
    assert_false (says_ready (""));
    assert_false (says_ready ("\n"));
    assert_false (says_ready ("READY=0"));
    assert_false (says_ready ("READY=10"));
    assert_false (says_ready ("READY=1 "));
    assert_false (says_ready ("READY=1\r\n"));
    assert_false (says_ready (" READY=1"));
    assert_false (says_ready ("X_READY=1"));
    assert_false (says_ready ("STATUS=READY=1"));
    assert_false (says_ready ("READY="));
    assert_false (notify_says_ready ("READY=1", 6)); /* not a byte behind the end is read */
    assert_false (notify_says_ready ("READY=1\0", 8));
}

/* rows: FDS-09 */
static void test_the_document_has_its_own (void **state)
{
    static char *entries[] = {"A=1", "NOTIFY_SOCKET=/x", NULL};
    struct oci_process process = {.env = {.count = 1, .items = entries}};

    (void)state;
    assert_false (notify_is_wanted (NULL, &process));
    assert_true (notify_is_wanted ("/run/systemd/notify", &process));
    process.env.count = 2;
    assert_false (notify_is_wanted ("/run/systemd/notify", &process));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_a_line_says_ready),
        cmocka_unit_test (test_the_document_has_its_own),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
