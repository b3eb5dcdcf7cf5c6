/* SPDX-License-Identifier: Apache-2.0 */
/* sysctl and uts: one write each, in namespaces of their own, and what is told where it fails. */
#include "container/sysctl.h"

#include "container/uts.h"
#include "in_child.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "kernel/procfd.h"

#define MAP(...)                                                                                   \
    {                                                                                              \
        .count = sizeof ((struct oci_pair[]){__VA_ARGS__}) / sizeof (struct oci_pair),             \
        .items = (struct oci_pair[])                                                               \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static int write_both_forms (void)
{
    char value[16];
    struct error err = {0};
    struct oci_map map =
        MAP ({"net.ipv4.ip_default_ttl", "77"}, {"net/ipv4/conf/lo/log_martians", "1"},
             {"kernel.domainname", "a b\tc"});

    CHECK (unshare (CLONE_NEWNET | CLONE_NEWUTS) == 0);
    CHECK (sysctl_apply (&map, &err) == 0);
    CHECK (procfd_read ("sys/net/ipv4/ip_default_ttl", value, sizeof (value)) > 0);
    CHECK (strcmp (value, "77\n") == 0);
    CHECK (procfd_read ("sys/net/ipv4/conf/lo/log_martians", value, sizeof (value)) > 0);
    CHECK (strcmp (value, "1\n") == 0);
    return 0;
}

static int fail_one (const char *key, const char *value, struct error *err)
{
    struct oci_map map = MAP ({key, value});

    memset (err, 0, sizeof (*err));
    return sysctl_apply (&map, err);
}

static int tell_failures (void)
{
    struct error err;

    CHECK (unshare (CLONE_NEWNET | CLONE_NEWUTS) == 0);
    CHECK (fail_one ("net.ipv4.no_such", "1", &err) == -1);
    CHECK (strcmp (err.code, "RT-SYSCTL-WRITE") == 0 && err.errnum == ENOENT);
    CHECK (strstr (err.text, "net.ipv4.no_such") != NULL);
    CHECK (strcmp (err.pointer, "/linux/sysctl/net.ipv4.no_such") == 0);
    CHECK (fail_one ("net/ipv4/ip_default_ttl", "many", &err) == -1);
    CHECK (err.errnum == EINVAL);
    CHECK (strcmp (err.pointer, "/linux/sysctl/net~1ipv4~1ip_default_ttl") == 0);
    CHECK (fail_one ("net/../kernel/domainname", "x", &err) == -1);
    CHECK (strcmp (err.code, "RT-SYSCTL-NAME") == 0);
    CHECK (fail_one ("net./.kernel", "x", &err) == -1);
    CHECK (fail_one ("/etc/passwd", "x", &err) == -1);
    CHECK (fail_one ("", "x", &err) == -1);
    return 0;
}

/* rows: NET-04 NET-05 NET-10 NET-11 */
static void sysctls_are_written_where_they_belong (void **state)
{
    (void)state;
    if (getuid () != 0)
        skip ();
    assert_int_equal (in_child (write_both_forms), 0);
    assert_int_equal (in_child (tell_failures), 0);
}

static int set_names (void)
{
    char long_name[66] = {0};
    struct utsname now;
    struct error err = {0};

    CHECK (unshare (CLONE_NEWUTS) == 0);
    CHECK (uts_apply ("host-in", "domain-in", &err) == 0);
    CHECK (uts_apply (NULL, NULL, &err) == 0);
    CHECK (uname (&now) == 0);
    CHECK (strcmp (now.nodename, "host-in") == 0 && strcmp (now.domainname, "domain-in") == 0);
    memset (long_name, 'x', 65);
    CHECK (uts_apply (long_name, NULL, &err) == -1);
    CHECK (strcmp (err.pointer, "/hostname") == 0 && strstr (err.hint, "65 bytes") != NULL);
    CHECK (uts_apply (NULL, long_name, &err) == -1);
    CHECK (strcmp (err.pointer, "/domainname") == 0);
    return 0;
}

/* rows: NET-01 NET-02 */
static void names_are_set (void **state)
{
    (void)state;
    if (getuid () != 0)
        skip ();
    assert_int_equal (in_child (set_names), 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (sysctls_are_written_where_they_belong),
        cmocka_unit_test (names_are_set),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
