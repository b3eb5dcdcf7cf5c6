/* SPDX-License-Identifier: Apache-2.0 */
/* restored: which rights a process of somebody's images may have. */
#include "lifecycle/restored.h"

#include "document.h"

#define STATUS(bounding, privileges, filter)                                                       \
    "Name:\tCapBnd: 0\nCapPrm:\t" bounding "\nCapBnd:\t" bounding "\nNoNewPrivs:\t" privileges     \
    "\nSeccomp:\t" filter "\nSeccomp_filters:\t0\n"

#define CAPS "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"]}"
#define FILTER "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}"

static const char *refused (const char *process, const char *linux_, const char *status,
                            bool own_user_namespace)
{
    static struct error err;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_config *config = accept (&arena, "", process, linux_);

    err = (struct error){0};
    int failed = restored_check_status (config, status, own_user_namespace, &err);
    assert_int_equal (failed != 0, error_is_set (&err));
    return err.pointer;
}

/* rows: CKP-29 */
static void what_the_document_allows (void **state)
{
    (void)state;
    assert_string_equal (refused (CAPS, "", STATUS ("0000000000000021", "0", "0"), false), "");
    assert_string_equal (refused (CAPS, "", STATUS ("0000000000000001", "1", "2"), false), "");
    assert_string_equal (refused ("", "", STATUS ("000001ffffffffff", "0", "0"), false), "");
    assert_string_equal (
        refused ("\"noNewPrivileges\":true", FILTER, STATUS ("000001ffffffffff", "1", "2"), false),
        "");
}

/* rows: CKP-29 */
static void what_it_does_not (void **state)
{
    (void)state;
    static const char bounding[] = "/process/capabilities/bounding";

    assert_string_equal (refused (CAPS, "", STATUS ("0000000000000023", "0", "0"), false),
                         bounding);
    assert_string_equal (refused (CAPS, "", STATUS ("0000008000000021", "0", "0"), false),
                         bounding);
    assert_string_equal (refused (CAPS, "", "Name:\tx\n", false), bounding);
    assert_string_equal (refused (CAPS, "", STATUS ("x", "0", "0"), false), bounding);
    assert_string_equal (refused ("\"noNewPrivileges\":true", "", STATUS ("0", "0", "2"), false),
                         "/process/noNewPrivileges");
    assert_string_equal (refused ("", FILTER, STATUS ("0", "1", "0"), false), "/linux/seccomp");
    assert_string_equal (refused ("", FILTER, STATUS ("0", "1", "1"), false), "/linux/seccomp");
    assert_string_equal (refused ("", FILTER, "Seccomp_filters:\t2\n", false), "/linux/seccomp");
}

/* rows: CKP-29. Its sets count in a user namespace of the container's own making alone. */
static void own_user_namespaces_have_all (void **state)
{
    (void)state;
    assert_string_equal (refused (CAPS, "", STATUS ("000001ffffffffff", "0", "0"), true), "");
    assert_string_equal (refused (CAPS, FILTER, STATUS ("000001ffffffffff", "0", "0"), true),
                         "/linux/seccomp");
}

/* rows: CKP-32 */
static void labels (void **state)
{
    (void)state;
    static const struct {
        const char *asked;
        const char *current;
        bool right;
    } table[] = {
        {NULL, "unconfined\n", true},
        {"", "unconfined\n", true},
        {"unconfined", "box (enforce)\n", true},
        {"box", "box (enforce)\n", true},
        {"box", "box\n", true},
        {"box", "box", true},
        {"box", "unconfined\n", false},
        {"box", "boxes (enforce)\n", false},
        {"box", "", false},
        {"u:r:t:s0:c1,c2", "u:r:t:s0:c1,c2", true},
        {"u:r:t:s0:c1,c2", "u:r:t:s0:c1", false},
    };

    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        struct error err = {0};
        int failed = restored_check_label (table[i].asked, table[i].current, "/x", &err);
        if ((failed == 0) != table[i].right)
            fail_msg ("%s: %s", table[i].asked, table[i].current);
        assert_string_equal (err.pointer, failed ? "/x" : "");
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_the_document_allows),
        cmocka_unit_test (what_it_does_not),
        cmocka_unit_test (own_user_namespaces_have_all),
        cmocka_unit_test (labels),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
