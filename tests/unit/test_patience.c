/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One span for a whole command: what each wait has, what is apart, and what undoing has.
 */
#include "base/patience.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What a busy machine may take between two lines. */
enum { SLACK_MS = 2000, HOUR_MS = 3600000 };

static void assert_about (int ms, int expected)
{
    assert_in_range (ms, expected - SLACK_MS, expected);
}

static void without_the_option_each_wait_has_its_own (void **state)
{
    (void)state;
    patience_set (0);
    assert_int_equal (patience_ms (), PATIENCE_DEFAULT_MS);
    patience_resume (patience_pause () - (int64_t)HOUR_MS * 1000000);
    assert_int_equal (patience_ms (), PATIENCE_DEFAULT_MS);
    assert_int_equal (patience_asked_ms (), -1);
    patience_in_child ();
    assert_int_equal (patience_ms (), PATIENCE_DEFAULT_MS);
}

static void with_it_a_wait_has_what_is_left (void **state)
{
    (void)state;
    patience_set (HOUR_MS);
    assert_about (patience_ms (), HOUR_MS);
    patience_allow (-1); /* nothing is taken away */
    assert_about (patience_ms (), HOUR_MS);
    patience_resume (patience_pause () + (int64_t)60000 * 1000000); /* as if a minute had passed */
    assert_about (patience_ms (), HOUR_MS - 60000);
    assert_about (patience_asked_ms (), HOUR_MS - 60000);
    patience_allow (5000);
    assert_about (patience_ms (), HOUR_MS - 55000);
    assert_true (patience_seconds () == 3600.0);
}

static void undoing_has_as_long_again_once (void **state)
{
    static const struct {
        int span, again;
    } cases[] = {{1, 1000}, {5000, 5000}, {HOUR_MS, PATIENCE_DEFAULT_MS}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        patience_set (cases[i].span);
        patience_resume (patience_pause () + (int64_t)(cases[i].span + 1) * 1000000);
        assert_in_range (patience_ms (), 1, cases[i].again);
        assert_in_range (patience_ms (), cases[i].again > SLACK_MS ? cases[i].again - SLACK_MS : 1,
                         cases[i].again);
        patience_resume (patience_pause () + (int64_t)(cases[i].again + 1) * 1000000);
        assert_int_equal (patience_ms (), 1); /* never 0: that is "no limit" to the kernel */
    }
}

static void a_child_gives_up_first (void **state)
{
    (void)state;
    patience_set (60000);
    patience_in_child ();
    int left = patience_ms ();
    assert_in_range (left, 60000 - 250 - SLACK_MS, 60000 - 250);
    patience_in_child (); /* of a child's child it is the same */
    assert_in_range (patience_ms (), left - SLACK_MS, left);
    /* A clock that jumps, with a time namespace that is joined. */
    patience_resume (patience_pause () + (int64_t)HOUR_MS * 1000000);
    assert_about (patience_ms (), 60000 - 250);
    patience_set (60000);
    patience_in_child ();
    patience_resume (patience_pause () - (int64_t)HOUR_MS * 1000000);
    assert_about (patience_ms (), 60000 - 250);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (without_the_option_each_wait_has_its_own),
        cmocka_unit_test (with_it_a_wait_has_what_is_left),
        cmocka_unit_test (undoing_has_as_long_again_once),
        cmocka_unit_test (a_child_gives_up_first),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
