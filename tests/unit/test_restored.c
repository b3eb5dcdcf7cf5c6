/* SPDX-License-Identifier: Apache-2.0 */
/* restored: which rights a process of somebody's images may have. */
#include "lifecycle/restored.h"

#include "document.h"

#define STATUS(ids, groups, caps, privileges, filter)                                              \
    "Name:\tCapBnd: 0\nState:\tS (sleeping)\nUid:\t" ids "\nGid:\t" ids "\nGroups:\t" groups       \
    "\nCapInh:\t0\nCapPrm:\t" caps "\nCapEff:\t" caps "\nCapBnd:\t" caps "\nCapAmb:\t0"            \
    "\nNoNewPrivs:\t" privileges "\nSeccomp:\t" filter "\n"

#define ROOT "0\t0\t0\t0"
#define CAPS                                                                                       \
    "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]}"
#define FILTER "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}"
#define NNP "\"noNewPrivileges\":true"

static const char *refused (const char *process, const char *linux_, const char *status)
{
    static struct error err;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_config *config = accept (&arena, "", process, linux_);

    err = (struct error){0};
    int failed = restored_check_status (config, status, 1, &err) < 0;
    assert_int_equal (failed != 0, error_is_set (&err));
    return failed && !err.pointer[0] ? err.text : err.pointer;
}

/* rows: CKP-29 */
static void what_the_document_allows (void **state)
{
    (void)state;
    static const struct {
        const char *process;
        const char *linux_;
        const char *status;
    } table[] = {
        {CAPS, "", STATUS (ROOT, "", "21", "0", "0")},
        {CAPS, "", STATUS (ROOT, "0 ", "1", "1", "2")},
        {"", "", STATUS (ROOT, "", "0", "0", "0")},
        {NNP, FILTER, STATUS (ROOT, "", "0", "1", "2")},
        {NNP, FILTER, STATUS (ROOT, "", "0", "1", "2") "Seccomp_filters:\t2\n"},
        /* A set-user-ID program */
        {CAPS, "", STATUS ("1\t2\t3\t4", "", "0", "0", "0")},
        {NNP ",\"capabilities\":{\"permitted\":[\"CAP_SETUID\",\"CAP_SETGID\"],\"bounding\":["
             "\"CAP_SETUID\",\"CAP_SETGID\"]}",
         "", STATUS ("1\t2\t3\t4", "7 8 ", "c0", "1", "0")},
        {"\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[7,8]}", "",
         STATUS (ROOT, "7 8 ", "0", "0", "0")},
    };

    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        const char *found = refused (table[i].process, table[i].linux_, table[i].status);
        if (*found)
            fail_msg ("row %zu: %s", i, found);
    }
}

/* rows: CKP-29. What is dead has no rights. */
static void a_dead_process (void **state)
{
    (void)state;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_config *config = accept (&arena, "", "", FILTER);
    static const char living[] = STATUS (ROOT, "", "0", "0", "0");
    char text[sizeof (living)];
    struct error err = {0};

    memcpy (text, living, sizeof (living));
    assert_int_equal (restored_check_status (config, text, 1, &err), -1);
    strstr (text, "S (sleeping)")[0] = 'Z';
    assert_int_equal (restored_check_status (config, text, 1, &err), RESTORED_DEAD);
}

/* rows: CKP-29 */
static void what_it_does_not (void **state)
{
    (void)state;
    static const struct {
        const char *process;
        const char *linux_;
        const char *status;
        const char *pointer;
    } table[] = {
        {CAPS, "", STATUS (ROOT, "", "23", "0", "0"), "/process/capabilities/bounding"},
        {CAPS, "", STATUS (ROOT, "", "8000000021", "0", "0"), "/process/capabilities/bounding"},
        {"", "", STATUS (ROOT, "", "1", "0", "0"), "/process"}, /* none in the document */
        {CAPS "," NNP, "", STATUS (ROOT, "", "1", "1", "0"), "/process/capabilities/permitted"},
        {NNP, "", STATUS (ROOT, "", "0", "0", "2"), "/process/noNewPrivileges"},
        {NNP, "", STATUS ("0\t1\t0\t0", "", "0", "1", "0"), "/process/user/uid"},
        {"", "", STATUS (ROOT, "7 ", "0", "0", "0"), "/process/user/additionalGids"},
        {"", FILTER, STATUS (ROOT, "", "0", "1", "0"), "/linux/seccomp"},
        {"", FILTER, STATUS (ROOT, "", "0", "1", "1"), "/linux/seccomp"},
        {"", FILTER, STATUS (ROOT, "", "0", "1", "2") "Seccomp_filters:\t1\n", "/linux/seccomp"},
        {CAPS, "", "Name:\tx\n", "the status of a process has no line `State`"},
        {CAPS, "", STATUS (ROOT, "", "x", "0", "0"),
         "the status of a process is not understood: `CapPrm:\tx`"},
    };

    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        const char *found = refused (table[i].process, table[i].linux_, table[i].status);
        if (strcmp (found, table[i].pointer) != 0)
            fail_msg ("row %zu: %s", i, found);
    }
}

/* rows: CKP-29. Each of the five sets by itself. */
static void each_set_counts (void **state)
{
    (void)state;
    static const char *const sets[] = {"inheritable", "permitted", "effective", "bounding",
                                       "ambient"};
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_config *config = accept (&arena, "", CAPS, "");

    for (size_t i = 0; i < 5; i++) {
        struct restored_rights rights = {0};
        struct error err = {0};
        char pointer[64];
        uint64_t *const words[] = {&rights.inheritable, &rights.permitted, &rights.effective,
                                   &rights.bounding, &rights.ambient};
        *words[i] = 1u << 5;
        assert_int_equal (restored_check_rights (config, &rights, &err), 0);
        *words[i] = 1u << 6;
        assert_int_equal (restored_check_rights (config, &rights, &err), -1);
        (void)snprintf (pointer, sizeof (pointer), "/process/capabilities/%s", sets[i]);
        assert_string_equal (err.pointer, pointer);
    }
}

/* rows: CKP-29. The kernel says the host's ids. */
static void ids_are_those_of_the_user_namespace (void **state)
{
    (void)state;
    static const char linux_[] =
        "\"namespaces\":[{\"type\":\"user\"},{\"type\":\"mount\"}],"
        "\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}],"
        "\"gidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}]";

    assert_string_equal (
        refused (NNP, linux_, STATUS ("1000\t1000\t1000\t1000", "1000 ", "0", "1", "0")), "");
    assert_string_equal (refused (NNP, linux_, STATUS (ROOT, "", "0", "1", "0")),
                         "/process/user/uid");
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
        cmocka_unit_test (a_dead_process),
        cmocka_unit_test (what_it_does_not),
        cmocka_unit_test (each_set_counts),
        cmocka_unit_test (ids_are_those_of_the_user_namespace),
        cmocka_unit_test (labels),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
