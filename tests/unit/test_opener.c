/* SPDX-License-Identifier: Apache-2.0 */
/* opener: what is opened with and without a child is the same. Which file systems hold it:
 * tests/feature/test_stalled.py. */
#include "kernel/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Of sysfs, which rt does not know to answer by itself. */
#define ASKED "/sys/kernel/uevent_seqnum"

static char directory[] = "/tmp/rt-opener-XXXXXX";

static int set_up (void **state)
{
    (void)state;
    return mkdtemp (directory) && chdir (directory) == 0 && symlink ("loop", "loop") == 0 &&
                   symlink ("file", "link") == 0 && mkdir ("dir", 0700) == 0
               ? 0
               : -1;
}

static int tear_down (void **state)
{
    (void)state;
    return unlink ("loop") | unlink ("link") | unlink ("file") | rmdir ("dir") | chdir ("/") |
           rmdir (directory);
}

static void write_file (const char *words)
{
    int fd = open ("file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true (fd >= 0);
    assert_int_equal (write (fd, words, strlen (words)), strlen (words));
    assert_int_equal (close (fd), 0);
}

/* The path, opened, is the file that open (2) finds. */
static void is_opened (const char *path, int flags)
{
    struct error err = {0};
    struct opener_look look;
    struct stat st, found;
    int fd = -1;

    assert_int_equal (opener_open (path, flags, &fd, &look, &err), OPENER_DONE);
    int expected = open (path, O_PATH | O_CLOEXEC | flags);
    assert_true (expected >= 0);
    assert_int_equal (fstat (expected, &st), 0);
    assert_int_equal (fstat (fd, &found), 0);
    assert_true (fcntl (fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal (found.st_ino, st.st_ino);
    assert_int_equal (look.inode, st.st_ino);
    assert_true (look.device == st.st_dev && found.st_dev == st.st_dev);
    assert_int_equal (look.mode, st.st_mode);
    (void)close (fd);
    (void)close (expected);
}

static void is_refused (const char *path, int flags, int errnum)
{
    struct error err = {0};
    struct opener_look look;
    char resolved[PATH_MAX];
    int fd = -1;

    assert_int_equal (opener_open (path, flags, &fd, &look, &err), OPENER_REFUSED);
    assert_int_equal (errno, errnum);
    assert_int_equal (fd, -1);
    if (flags)
        return;
    assert_int_equal (opener_read (path, 100, &fd, &look, &err), OPENER_REFUSED);
    assert_int_equal (errno, errnum);
    assert_int_equal (opener_resolve (path, resolved, &err), OPENER_REFUSED);
    assert_int_equal (errno, errnum);
    assert_false (error_is_set (&err));
}

static int opened (const char *path, char *words, size_t size, struct opener_look *look)
{
    struct error err = {0};
    int fd = -1;

    assert_int_equal (opener_read (path, 100, &fd, look, &err), OPENER_DONE);
    ssize_t length = read (fd, words, size - 1);
    assert_true (length >= 0);
    words[length] = '\0';
    return fd;
}

/* rows: LCY-12 */
static void paths_are_found (void **state)
{
    (void)state;
    write_file ("words");
    is_opened (directory, O_DIRECTORY);
    is_opened ("file", 0);
    is_opened ("link", 0);
    is_opened ("link", O_NOFOLLOW);
    is_opened ("/sys/kernel", O_DIRECTORY);
    is_opened ("/sys/kernel", 0);
    is_opened ("/dev/null", 0);
    is_opened ("/proc/self/fd", O_DIRECTORY);
    is_opened ("/proc/self/ns/mnt", 0);
    is_opened ("/proc/self/exe", 0);
    opener_end ();
}

/* rows: LCY-12 */
static void errors_are_those_of_open (void **state)
{
    char path[PATH_MAX + 1];

    (void)state;
    write_file ("words");
    memset (path, 'x', sizeof path);
    path[PATH_MAX] = '\0';
    is_refused (path, 0, ENAMETOOLONG);
    is_refused ("missing", 0, ENOENT);
    is_refused ("", 0, ENOENT);
    is_refused ("file/below", 0, ENOTDIR);
    is_refused ("file", O_DIRECTORY, ENOTDIR);
    is_refused ("loop", 0, ELOOP);
    is_refused ("/sys/kernel/missing", 0, ENOENT);
    is_refused (ASKED "/below", 0, ENOTDIR);
    is_refused (ASKED, O_DIRECTORY, ENOTDIR);
    is_refused ("/proc/self/missing", 0, ENOENT);
    is_refused ("/dev/fd/999", 0, ENOENT);
    opener_end ();
}

/* rows: LCY-12 */
static void bytes_come_without_asking (void **state)
{
    char words[4096];
    struct opener_look look;

    (void)state;
    write_file ("words");
    (void)close (opened ("link", words, sizeof words, &look));
    assert_string_equal (words, "words");
    assert_true (S_ISREG (look.mode));

    int fd = opened (ASKED, words, sizeof words, &look);
    assert_true (words[0] >= '0' && words[0] <= '9');
    assert_true (S_ISREG (look.mode));
    assert_true (fcntl (fd, F_GET_SEALS) > 0); /* of a copy in memory */
    (void)close (fd);

    struct error err = {0};
    assert_int_equal (opener_read ("/sys/kernel", 100, &fd, &look, &err), OPENER_DONE);
    assert_true (S_ISDIR (look.mode));
    (void)close (fd);
    opener_end ();
}

/* rows: LCY-12, EXE-03 */
static void what_is_the_process_s_own_is_not_the_child_s (void **state)
{
    char path[64], words[4096], own[32];
    struct opener_look look;
    int ends[2];

    (void)state;
    assert_int_equal (pipe2 (ends, O_CLOEXEC), 0);
    assert_int_equal (write (ends[1], "piped", 5), 5);
    (void)snprintf (path, sizeof path, "/dev/fd/%d", ends[0]);
    (void)close (opened (path, words, sizeof words, &look));
    assert_string_equal (words, "piped");
    assert_true (S_ISFIFO (look.mode));
    (void)close (ends[0]);
    (void)close (ends[1]);

    (void)close (opened ("/proc/self/stat", words, sizeof words, &look));
    (void)snprintf (own, sizeof own, "%d (", (int)getpid ());
    assert_memory_equal (words, own, strlen (own));

    int fd = open ("dir", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct error err = {0};
    char resolved[PATH_MAX], expected[PATH_MAX];
    (void)snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
    assert_int_equal (opener_resolve (path, resolved, &err), OPENER_DONE);
    assert_non_null (realpath ("dir", expected));
    assert_string_equal (resolved, expected);
    is_opened (path, O_DIRECTORY);
    (void)snprintf (path, sizeof path, "/proc/self/fd/%d/../file", fd);
    is_opened (path, 0);
    (void)close (fd);
    opener_end ();
}

/* rows: LCY-12 */
static void names_are_those_of_realpath (void **state)
{
    static const char *const paths[] = {
        ".", "link", "dir/../link", "/sys/class/../kernel", "/sys/class/net/lo", "/proc/self/ns"};
    struct error err = {0};
    char resolved[PATH_MAX], expected[PATH_MAX];

    (void)state;
    write_file ("words");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (!realpath (paths[i], expected))
            continue;
        assert_int_equal (opener_resolve (paths[i], resolved, &err), OPENER_DONE);
        assert_string_equal (resolved, expected);
    }
    opener_end ();
}

/* rows: LCY-12 */
static void one_child_serves_all_and_ends (void **state)
{
    (void)state;
    is_opened ("/sys/kernel", 0);
    is_opened (ASKED, 0);
    opener_end ();
    opener_end ();
    assert_int_equal (waitpid (-1, NULL, 0), -1);
    assert_int_equal (errno, ECHILD);
    is_opened (ASKED, 0); /* another one */
    opener_end ();
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (paths_are_found),
        cmocka_unit_test (errors_are_those_of_open),
        cmocka_unit_test (bytes_come_without_asking),
        cmocka_unit_test (what_is_the_process_s_own_is_not_the_child_s),
        cmocka_unit_test (names_are_those_of_realpath),
        cmocka_unit_test (one_child_serves_all_and_ends),
    };
    return cmocka_run_group_tests (tests, set_up, tear_down);
}
