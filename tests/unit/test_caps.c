/* SPDX-License-Identifier: Apache-2.0 */
/* caps and keyring: what a process may do and find afterwards. */
#include "container/caps.h"

#include "container/keyring.h"
#include "container/user.h"
#include "in_child.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/log.h"
#include "kernel/privileges.h"
#include "kernel/procfd.h"

#define BIT(capability) (1ULL << (capability))

static char warnings[1024];

static void remember (void *context, enum log_level level, const char *text)
{
    (void)context;
    size_t length = strlen (warnings);
    if (level == LOG_LEVEL_WARNING)
        (void)snprintf (warnings + length, sizeof (warnings) - length, "%s\n", text);
}

static int listen_to_log (void **state)
{
    struct error err;

    (void)state;
    if (log_open (NULL, LOG_FORMAT_TEXT, LOG_LEVEL_WARNING, &err) < 0)
        return -1;
    log_redirect (remember, NULL);
    return 0;
}

/* Five sets of /proc/self/status: CapInh, CapPrm, CapEff, CapBnd, CapAmb. */
static bool sets_are (uint64_t inh, uint64_t prm, uint64_t eff, uint64_t bnd, uint64_t amb)
{
    char status[4096];
    uint64_t is[5];

    if (procfd_read ("self/status", status, sizeof (status)) < 0)
        return false;
    const char *at = strstr (status, "CapInh:");
    if (!at || sscanf (at,
                       "CapInh:\t%" SCNx64 "\nCapPrm:\t%" SCNx64 "\nCapEff:\t%" SCNx64
                       "\nCapBnd:\t%" SCNx64 "\nCapAmb:\t%" SCNx64,
                       &is[0], &is[1], &is[2], &is[3], &is[4]) != 5)
        return false;
    return is[0] == inh && is[1] == prm && is[2] == eff && is[3] == bnd && is[4] == amb;
}

static int apply (const struct oci_capabilities *capabilities, uid_t uid)
{
    const struct oci_user user = {.uid = uid, .gid = uid};
    struct error err = {0};

    CHECK (caps_apply_bounding (capabilities, &err) == 0);
    CHECK (user_apply_groups (&user, false, &err) == 0);
    CHECK (user_apply_ids (&user, &err) == 0);
    CHECK (caps_apply (capabilities, 0, &err) == 0);
    CHECK (caps_apply_ambient (capabilities, &err) == 0);
    return 0;
}

static const struct oci_capabilities some = {
    .bounding = BIT (CAP_KILL) | BIT (CAP_CHOWN) | BIT (CAP_AUDIT_WRITE),
    .effective = BIT (CAP_KILL),
    .permitted = BIT (CAP_KILL) | BIT (CAP_CHOWN),
    .inheritable = BIT (CAP_CHOWN),
    .ambient = BIT (CAP_CHOWN),
};

static int all_five_sets_as_root (void)
{
    int line = apply (&some, 0);

    CHECK (line == 0);
    CHECK (
        sets_are (some.inheritable, some.permitted, some.effective, some.bounding, some.ambient));
    return 0;
}

static int all_five_sets_as_user (void)
{
    int line = apply (&some, 1000);

    CHECK (line == 0);
    CHECK (
        sets_are (some.inheritable, some.permitted, some.effective, some.bounding, some.ambient));
    return 0;
}

static int absent_is_empty (void)
{
    int line = apply (NULL, 0);

    CHECK (line == 0);
    CHECK (sets_are (0, 0, 0, 0, 0));
    /* and once more, without any right to */
    struct error err = {0};
    CHECK (caps_apply_bounding (NULL, &err) == 0);
    CHECK (caps_apply_bounding (&some, &err) == 0);
    return 0;
}

/* CVE-2016-8867, CVE-2022-29162: nothing comes that was not asked for. */
static int user_without_ambient (void)
{
    struct oci_capabilities capabilities = some;

    capabilities.ambient = 0;
    capabilities.inheritable = 0;
    int line = apply (&capabilities, 1000);
    CHECK (line == 0);
    CHECK (sets_are (0, capabilities.permitted, capabilities.effective, capabilities.bounding, 0));
    return 0;
}

/* What the caller has raised is not the container's. */
static int ambient_of_the_caller (void)
{
    struct oci_capabilities capabilities = some;
    uint64_t effective, permitted, inheritable;

    CHECK (capabilities_get (&effective, &permitted, &inheritable) == 0);
    CHECK (capabilities_set (effective, permitted, inheritable | BIT (CAP_CHOWN)) == 0);
    CHECK (capabilities_ambient_raise (CAP_CHOWN) == 0);
    capabilities.ambient = 0;
    int line = apply (&capabilities, 0);
    CHECK (line == 0);
    CHECK (sets_are (some.inheritable, some.permitted, some.effective, some.bounding, 0));
    return 0;
}

static int failures_are_told (void)
{
    struct oci_capabilities more = {.effective = BIT (CAP_KILL)};
    struct error err = {0};

    CHECK (caps_apply (&more, 0, &err) == -1);
    CHECK (strcmp (err.code, "RT-CAPS-SET") == 0 && err.errnum == EPERM);
    CHECK (strstr (err.text, "capset") && strstr (err.hint, "permitted has not"));
    CHECK (capabilities_set (0, 0, 0) == 0);
    CHECK (caps_apply_bounding (NULL, &err) == -1);
    CHECK (strcmp (err.code, "RT-CAPS-BOUNDING") == 0 && err.errnum == EPERM);
    /* What this process has not got is not granted, which is a warning. */
    CHECK (caps_apply (&some, 0, &err) == 0);
    const struct caps_sets left = caps_sets (&some);
    CHECK (left.effective == 0 && left.permitted == 0 && left.inheritable == 0);
    return 0;
}

static int unusable_ones_are_warnings (void)
{
    struct oci_capabilities capabilities = some;

    capabilities.ambient |= BIT (CAP_KILL); /* not inheritable */
    capabilities.bounding |= BIT (63);
    capabilities.permitted |= BIT (63);
    capabilities.unknown =
        (struct oci_strings){.count = 1, .items = (char *[]){"CAP_TIME_TRAVEL", NULL}};
    int line = apply (&capabilities, 0);
    CHECK (line == 0);
    CHECK (
        sets_are (some.inheritable, some.permitted, some.effective, some.bounding, some.ambient));
    CHECK (strstr (warnings, "can't raise ambient capability CAP_KILL") != NULL);
    CHECK (strstr (warnings, "unknown capability CAP_TIME_TRAVEL is ignored") != NULL);
    CHECK (strstr (warnings, "this kernel does not know capability") != NULL);
    return 0;
}

/* rows: CAP-01 CAP-02 CAP-03 CAP-04 CAP-05 CAP-06 CAP-07 CAP-09 CAP-12 HDN-11 */
static void five_sets (void **state)
{
    (void)state;
    if (getuid () != 0)
        skip ();
    assert_int_equal (in_child (all_five_sets_as_root), 0);
    assert_int_equal (in_child (all_five_sets_as_user), 0);
    assert_int_equal (in_child (absent_is_empty), 0);
    assert_int_equal (in_child (user_without_ambient), 0);
    assert_int_equal (in_child (ambient_of_the_caller), 0);
    assert_int_equal (in_child (failures_are_told), 0);
    assert_int_equal (in_child (unusable_ones_are_warnings), 0);
}

/* The last capability as the kernel tells it otherwise. */
static void last_capability (void **state)
{
    (void)state;
    char text[8];
    int last;

    assert_true (procfd_read ("sys/kernel/cap_last_cap", text, sizeof (text)) > 0);
    assert_int_equal (sscanf (text, "%d", &last), 1);
    assert_int_equal (capabilities_last (), last);
}

static int session_keyring (void)
{
    char description[256] = "";
    struct error err = {0};

    CHECK (keyring_apply ("unit-test-of-rt", NULL, &err) == 0);
    long first = syscall (SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    CHECK (first > 0);
    CHECK (syscall (SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, description,
                    sizeof (description) - 1) > 0);
    CHECK (strcmp (description, "keyring;0;0;3f1b0000;_ses.unit-test-of-rt") == 0);
    /* exec finds it by its name */
    CHECK (keyring_apply ("unit-test-of-rt", "", &err) == 0);
    CHECK (syscall (SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) == first);
    CHECK (keyring_apply ("unit-test-of-rt-2", NULL, &err) == 0);
    CHECK (syscall (SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) != first);
    return 0;
}

/* rows: LSM-09 LSM-11 */
static void a_keyring_of_its_own (void **state)
{
    (void)state;
    if (getuid () != 0 ||
        (syscall (SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) < 0 &&
         (errno == ENOSYS || errno == EPERM)))
        skip ();
    assert_int_equal (in_child (session_keyring), 0);
}

/* As under an outer runtime's profile: keyctl fails so. */
static int deny_keyctl (int errnum)
{
    struct sock_filter code[] = {
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
        BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 0, 1),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)errnum),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof (code) / sizeof (code[0]), .filter = code};

    return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
           prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0;
}

static int keyring_denied (void)
{
    struct error err = {0};

    CHECK (deny_keyctl (EPERM) == 0);
    warnings[0] = '\0';
    CHECK (keyring_apply ("unit-test-of-rt", NULL, &err) == 0 && !error_is_set (&err));
    CHECK (strstr (warnings, "_ses.unit-test-of-rt") && strstr (warnings, "keeps the caller's"));
    return 0;
}

static int keyring_unknown (void)
{
    struct error err = {0};

    CHECK (deny_keyctl (ENOSYS) == 0);
    warnings[0] = '\0';
    CHECK (keyring_apply ("unit-test-of-rt", NULL, &err) == 0 && !error_is_set (&err));
    CHECK (warnings[0] == '\0');
    return 0;
}

static int keyring_over_quota (void)
{
    struct error err = {0};

    CHECK (deny_keyctl (EDQUOT) == 0);
    CHECK (keyring_apply ("unit-test-of-rt", NULL, &err) == -1);
    CHECK (err.errnum == EDQUOT && strstr (err.hint, "/proc/sys/kernel/keys/maxkeys"));
    return 0;
}

/* rows: LSM-12 */
static void a_keyring_that_cannot_be (void **state)
{
    (void)state;
    assert_int_equal (in_child (keyring_denied), 0);
    assert_int_equal (in_child (keyring_unknown), 0);
    assert_int_equal (in_child (keyring_over_quota), 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (five_sets),
        cmocka_unit_test (last_capability),
        cmocka_unit_test (a_keyring_of_its_own),
        cmocka_unit_test (a_keyring_that_cannot_be),
    };

    return cmocka_run_group_tests (tests, listen_to_log, NULL);
}
