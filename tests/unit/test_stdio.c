/* SPDX-License-Identifier: Apache-2.0 */
/* stdio: pipes change their owner, the null device its mount, nothing else anything. */
#include "container/stdio.h"

#include "in_child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

static char root[] = "/tmp/test_stdio.XXXXXX";

/* A root of a container with an empty /dev. */
static int make_root (void **state)
{
    char path[64];

    (void)state;
    if (!mkdtemp (root))
        return -1;
    (void)snprintf (path, sizeof (path), "%s/dev", root);
    return mkdir (path, 0755);
}

static int remove_root (void **state)
{
    static const char *const names[] = {"dev/null", "file", "real", "dev"};
    char path[64];

    (void)state;
    for (size_t i = 0; i < sizeof (names) / sizeof (*names); i++) {
        (void)snprintf (path, sizeof (path), "%s/%s", root, names[i]);
        (void)remove (path);
    }
    return rmdir (root);
}

static int open_root (void)
{
    return open (root, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static uid_t owner (int fd)
{
    struct stat st;

    return fstat (fd, &st) < 0 ? (uid_t)-1 : st.st_uid;
}

static bool same (int fd, const struct stat *as)
{
    struct stat st;

    return fstat (fd, &st) == 0 && st.st_ino == as->st_ino && st.st_dev == as->st_dev;
}

static int pipes_and_files (void)
{
    struct error err = {0};
    int ends[2];
    int file = openat (open_root (), "file", O_CREAT | O_RDWR, 0600);
    int terminal = posix_openpt (O_RDWR | O_NOCTTY);

    CHECK (file >= 0 && terminal >= 0 && pipe (ends) == 0);
    CHECK (dup2 (ends[0], 0) == 0 && dup2 (file, 1) == 1 && dup2 (terminal, 2) == 2);
    CHECK (stdio_apply (open_root (), 1000, &err) == 0);
    CHECK (owner (0) == 1000);
    CHECK (owner (1) == 0);
    CHECK (owner (2) == 0);
    return 0;
}

/* rows: PRC-16 TTY-15 */
static void only_pipes_are_given_away (void **state)
{
    (void)state;
    if (getuid () != 0)
        skip ();
    assert_int_equal (in_child (pipes_and_files), 0);
}

static int closed_ones (void)
{
    struct error err = {0};
    int at = open_root ();

    for (int fd = 0; fd < 3; fd++)
        (void)close (fd);
    CHECK (stdio_apply (at, 1000, &err) == 0);
    return 0;
}

static void closed_descriptors_are_left_closed (void **state)
{
    (void)state;
    assert_int_equal (in_child (closed_ones), 0);
}

/* /dev/null of the host on descriptor 0; a regular file, whose st_rdev is 0, on 1. */
static int host_null_stays (void)
{
    struct error err = {0};
    struct stat null;
    struct stat file;
    int fd = openat (open_root (), "file", O_CREAT | O_RDWR, 0600);
    int host = open ("/dev/null", O_RDONLY);

    CHECK (fd >= 0 && host >= 0 && dup2 (host, 0) == 0 && dup2 (fd, 1) == 1);
    CHECK (fstat (0, &null) == 0 && fstat (1, &file) == 0);
    uid_t before = null.st_uid;
    CHECK (stdio_apply (open_root (), 1000, &err) == 0);
    CHECK (same (0, &null) && same (1, &file));
    CHECK (owner (0) == before && owner (1) == 0);
    return 0;
}

static void put (int (*make) (const char *path))
{
    char path[64];

    (void)snprintf (path, sizeof (path), "%s/dev/null", root);
    (void)unlink (path);
    assert_int_equal (make (path), 0);
}

static int make_link_to_file (const char *path)
{
    return symlink ("/file", path);
}

static int make_link_to_null (const char *path)
{
    return symlink ("../../../dev/null", path);
}

static int make_file (const char *path)
{
    return mknod (path, S_IFREG | 0666, 0);
}

static int make_pipe (const char *path)
{
    return mknod (path, S_IFIFO | 0666, 0);
}

static int make_zero_device (const char *path)
{
    return mknod (path, S_IFCHR | 0666, makedev (1, 5));
}

static int make_block_device (const char *path)
{
    return mknod (path, S_IFBLK | 0666, makedev (1, 3));
}

/* To a null device even; but what a link is worth is the image's to say, again and again. */
static int make_link_to_device (const char *path)
{
    char target[64];

    (void)snprintf (target, sizeof (target), "%s/real", root);
    (void)unlink (target);
    return mknod (target, S_IFCHR | 0666, makedev (1, 3)) < 0 ? -1 : symlink ("/real", path);
}

static int make_nothing (const char *path)
{
    (void)path;
    return 0;
}

/* rows: PRC-17 (CVE-2026-88265) */
static void a_false_null_device_is_not_taken (void **state)
{
    (void)state;
    static int (*const makers[]) (const char *path) = {
        make_nothing, make_link_to_file, make_link_to_null, make_file,
        make_pipe,    make_zero_device,  make_block_device, make_link_to_device,
    };

    if (getuid () != 0)
        skip ();
    for (size_t i = 0; i < sizeof (makers) / sizeof (*makers); i++) {
        put (makers[i]);
        assert_int_equal (in_child (host_null_stays), 0);
    }
}

static int take_null_of_container (void)
{
    struct error err = {0};
    struct stat own;
    int host = open ("/dev/null", O_WRONLY);
    int at = open_root ();

    CHECK (host >= 0 && dup2 (host, 1) == 1 && dup2 (host, 0) == 0);
    CHECK (fstatat (at, "dev/null", &own, 0) == 0);
    CHECK (stdio_apply (at, 1000, &err) == 0);
    CHECK (same (0, &own) && same (1, &own));
    CHECK ((fcntl (1, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == O_WRONLY);
    CHECK ((fcntl (1, F_GETFD) & FD_CLOEXEC) == 0);
    CHECK (owner (1) == 0 && write (1, "x", 1) == 1);
    return 0;
}

static int make_null_device (const char *path)
{
    return mknod (path, S_IFCHR | 0666, makedev (1, 3));
}

/* rows: PRC-17 */
static void the_containers_null_device_is_taken (void **state)
{
    (void)state;
    if (getuid () != 0)
        skip ();
    put (make_null_device);
    assert_int_equal (in_child (take_null_of_container), 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (only_pipes_are_given_away),
        cmocka_unit_test (closed_descriptors_are_left_closed),
        cmocka_unit_test (a_false_null_device_is_not_taken),
        cmocka_unit_test (the_containers_null_device_is_taken),
    };

    return cmocka_run_group_tests (tests, make_root, remove_root);
}
