/* SPDX-License-Identifier: Apache-2.0 */
/* user: what is believed of a hostile /etc/passwd, and the ids of the process. */
#include "container/user.h"

#include "in_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "kernel/privileges.h"

static bool find (const char *passwd, size_t length, uid_t uid, char *home, size_t size)
{
    int fd = memfd_create ("passwd", MFD_CLOEXEC);

    assert_int_equal (write (fd, passwd, length), length);
    assert_int_equal (lseek (fd, 0, SEEK_SET), 0);
    int found = user_home_in_passwd (fd, uid, home, size);
    assert_true (found >= 0);
    close (fd);
    return found;
}

static void expect (const char *passwd, uid_t uid, const char *expected)
{
    char home[32] = "untouched";

    bool found = find (passwd, strlen (passwd), uid, home, sizeof (home));
    assert_string_equal (home, expected ? expected : "untouched");
    assert_int_equal (found, expected != NULL);
}

/* rows: PRC-07 */
static void finds_by_the_number_in_the_third_field (void **state)
{
    (void)state;
    const char *passwd = "root:x:0:0:root:/root:/bin/sh\n"
                         "bin:x:1:1::/bin:\n"
                         "app:x:1000:1000:an app:/srv/app:/bin/false\n"
                         "second:x:1000:1000::/second:\n"
                         "last:x:4294967294:0::/last";

    expect (passwd, 0, "/root");
    expect (passwd, 1, "/bin");
    expect (passwd, 1000, "/srv/app");
    expect (passwd, 4294967294u, "/last");
    expect (passwd, 2, NULL);
}

/* rows: PRC-08 */
static void believes_nothing_else (void **state)
{
    (void)state;
    /* CVE-2016-3697: a number as name */
    expect ("1000:x:0:0::/evil:\napp:x:1000:0::/app:\n", 1000, "/app");
    expect ("1000:x:0:0::/evil:\n", 1000, NULL);
    expect ("a:x:+5:0::/evil:\n", 5, NULL);
    expect ("a:x: 5:0::/evil:\n", 5, NULL);
    expect ("a:x:5 :0::/evil:\n", 5, NULL);
    expect ("a:x:0x5:0::/evil:\n", 5, NULL);
    expect ("a:x:-0:0::/evil:\n", 0, NULL);
    expect ("a:x::0::/evil:\n", 0, NULL);
    expect ("a:x:4294967296:0::/evil:\n", 0, NULL);
    expect ("a:x:18446744073709551616:0::/evil:\n", 0, NULL);
    expect ("+a:x:5:0::/nis:\n", 5, NULL);
    expect (":x:5:0::/noname:\n", 5, NULL);
    expect ("#a:x:5:0::/comment:\n", 5, NULL);
    expect ("a:x:5:0\n", 5, NULL);
    expect ("a:x:5\nb:x:6:0::/b:\n", 6, "/b");
    expect ("", 0, NULL);
    expect ("\n\n::::::\n\n", 0, NULL);
    expect ("a:x:5:0:::\n", 5, "/");
    expect ("a:x:5:0::/crlf:/bin/sh\r\n", 5, "/crlf");
    /* does not fit: the line is not usable, nothing is cut */
    expect ("a:x:5:0::/0123456789012345678901234567890:\n", 5, NULL);
    expect ("a:x:5:0::/012345678901234567890123456789:\n", 5, "/012345678901234567890123456789");

    char home[32] = "untouched";
    assert_false (find ("a:x:5:0::/nul\0/x:\n", 18, 5, home, sizeof (home)));
    assert_string_equal (home, "untouched");
}

/* rows: PRC-08 */
static void huge_lines_are_passed_over (void **state)
{
    (void)state;
    static char passwd[3 << 20];
    char home[32];
    const char end[] = "\nb:x:5:0::/b:\n";

    memset (passwd, 'x', sizeof (passwd));
    memcpy (passwd, "a:x:5:0::/", 10);
    memcpy (passwd + sizeof (passwd) - sizeof (end), end, sizeof (end));
    assert_true (find (passwd, sizeof (passwd) - 1, 5, home, sizeof (home)));
    assert_string_equal (home, "/b");
    memset (passwd, ':', sizeof (passwd) - sizeof (end));
    assert_true (find (passwd, sizeof (passwd) - 1, 5, home, sizeof (home)));
    assert_string_equal (home, "/b");
}

/* rows: PRC-08 */
static void endless_files_have_an_end (void **state)
{
    (void)state;
    char home[32];
    int fd = memfd_create ("passwd", MFD_CLOEXEC);

    assert_int_equal (ftruncate (fd, 1ll << 40), 0);
    assert_int_equal (user_home_in_passwd (fd, 0, home, sizeof (home)), 0);
    close (fd);
}

/* A file that cannot be read is no file without the user. */
static void a_failure_is_no_answer (void **state)
{
    struct error err = {0};
    char home[32];

    (void)state;
    assert_int_equal (user_home_in_passwd (-1, 0, home, sizeof (home)), -1);
    assert_int_equal (errno, EBADF);
    assert_int_equal (user_home (-1, 0, home, sizeof (home), &err), -1);
    assert_string_equal (err.code, "RT-USER-HOME");
    assert_int_equal (err.errnum, EBADF);
}

static void home_below (const char *root, const char *expected)
{
    char home[64] = "untouched";
    int fd = open (root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    struct error err = {0};

    assert_int_equal (user_home (fd, 0, home, sizeof (home), &err), 0);
    assert_string_equal (home, expected);
    close (fd);
}

/* rows: PRC-07 PRC-08 */
static void passwd_is_the_containers (void **state)
{
    (void)state;
    char root[] = "/tmp/test_user.XXXXXX";
    char path[64];
    char etc[64];

    assert_non_null (mkdtemp (root));
    (void)snprintf (etc, sizeof (etc), "%s/etc", root);
    (void)snprintf (path, sizeof (path), "%s/etc/passwd", root);
    assert_int_equal (mkdir (etc, 0755), 0);
    home_below (root, "/");
    /* a link to the host's resolves below the root, where there is none */
    assert_int_equal (symlink ("/proc/self/root/etc/passwd", path), 0);
    home_below (root, "/");
    assert_int_equal (unlink (path), 0);
    /* must not block */
    assert_int_equal (mkfifo (path, 0644), 0);
    home_below (root, "/");
    assert_int_equal (unlink (path), 0);
    int fd = open (path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    assert_int_equal (write (fd, "r:x:0:0::/inside:\n", 18), 18);
    close (fd);
    home_below (root, "/inside");
    (void)unlink (path);
    (void)rmdir (etc);
    (void)rmdir (root);
}

static int become_user (void)
{
    gid_t groups[] = {7, 8};
    gid_t now[8];
    uid_t r, e, s;
    uint64_t effective, permitted, inheritable;
    struct oci_user user = {
        .uid = 1000, .gid = 1001, .additional_gids = {.count = 2, .items = groups}};
    struct error err = {0};

    CHECK (user_apply_groups (&user, false, &err) == 0);
    CHECK (user_apply_ids (&user, &err) == 0);
    CHECK (getresuid (&r, &e, &s) == 0 && r == 1000 && e == 1000 && s == 1000);
    CHECK (getresgid (&r, &e, &s) == 0 && r == 1001 && e == 1001 && s == 1001);
    CHECK (getgroups (8, now) == 2 && now[0] == 7 && now[1] == 8);
    CHECK (capabilities_get (&effective, &permitted, &inheritable) == 0);
    CHECK (effective == 0 && permitted != 0);
    CHECK (prctl (PR_GET_KEEPCAPS) == 0);
    return 0;
}

static int lose_groups (void)
{
    gid_t groups[] = {7, 8, 9};
    struct oci_user user = {.uid = 0};
    struct error err = {0};

    CHECK (setgroups (3, groups) == 0);
    CHECK (user_apply_groups (&user, false, &err) == 0);
    CHECK (getgroups (0, NULL) == 0);
    return 0;
}

/* To the kernel -1 means "leave as it is". */
static int no_such_id (void)
{
    struct oci_user user = {.uid = (uid_t)-1, .gid = 5};
    struct error err = {0};

    CHECK (user_apply_ids (&user, &err) == -1);
    CHECK (getgid () == 0);
    user = (struct oci_user){.uid = 5, .gid = (gid_t)-1};
    CHECK (user_apply_ids (&user, &err) == -1);
    CHECK (strcmp (err.code, "RT-USER-IDS") == 0);
    return 0;
}

/* rows: PRC-12 PRC-13 CAP-05 CAP-10 */
static void ids_and_groups_are_as_written (void **state)
{
    (void)state;
    if (getuid () != 0)
        skip ();
    assert_int_equal (in_child (become_user), 0);
    assert_int_equal (in_child (lose_groups), 0);
    assert_int_equal (in_child (no_such_id), 0);
}

/* rows: PRC-13 */
static void denied_groups (void **state)
{
    (void)state;
    gid_t groups[] = {7};
    struct oci_user user = {.uid = 0};
    struct error err = {0};

    assert_int_equal (user_apply_groups (&user, true, &err), 0);
    user.additional_gids.items = groups;
    user.additional_gids.count = 1;
    assert_int_equal (user_apply_groups (&user, true, &err), -1);
    assert_string_equal (err.code, "RT-USER-GROUPS");
    assert_string_equal (err.pointer, "/process/user/additionalGids");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (finds_by_the_number_in_the_third_field),
        cmocka_unit_test (believes_nothing_else),
        cmocka_unit_test (huge_lines_are_passed_over),
        cmocka_unit_test (endless_files_have_an_end),
        cmocka_unit_test (a_failure_is_no_answer),
        cmocka_unit_test (passwd_is_the_containers),
        cmocka_unit_test (ids_and_groups_are_as_written),
        cmocka_unit_test (denied_groups),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
