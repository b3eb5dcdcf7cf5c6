/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: the pseudo-terminal comes from the devpts below the root and from nowhere else, whatever
 * the image has put there. Each test has a mount namespace of its own (root needed) with a root
 * file system on a tmpfs.
 */
#include "container/console.h"

#include "base/cleanup.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

/* cmocka's own asserts jump, which a child must not: these end it with the line as its message. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)dprintf (2, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);    \
            _exit (1);                                                                             \
        }                                                                                          \
    } while (0)

static char base[] = "/tmp/test-console-XXXXXX"; /* holds root/ and outside/ */
static int root;
static struct error err;

/* Runs `inside` in a child whose root file system is empty but for dev, with a devpts if wanted. */
static void run_inside (void (*inside) (void), bool devpts)
{
    if (geteuid () != 0)
        skip ();
    int word;
    pid_t pid = fork ();
    assert_true (pid >= 0);
    if (pid == 0) {
        CHECK (unshare (CLONE_NEWNS) == 0);
        CHECK (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK (mount ("tmpfs", base, "tmpfs", 0, NULL) == 0 && chdir (base) == 0);
        CHECK (mkdir ("outside", 0755) == 0 && mkdir ("root", 0755) == 0);
        CHECK (mkdir ("root/dev", 0755) == 0 && mkdir ("root/dev/pts", 0755) == 0);
        CHECK (!devpts || mount ("devpts", "root/dev/pts", "devpts", 0,
                                 "newinstance,ptmxmode=0666,mode=0620,gid=5") == 0);
        root = open ("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK (root >= 0);
        inside ();
        _exit (0);
    }
    assert_int_equal (waitpid (pid, &word, 0), pid);
    assert_true (WIFEXITED (word));
    assert_int_equal (WEXITSTATUS (word), 0);
}

static struct console open_console (const struct oci_console_size *size, uid_t uid)
{
    struct console console = {.ptmx = -1, .pts = -1};
    CHECK (console_open (root, size, uid, &console, &err) == 0);
    return console;
}

static bool text_has (const char *text, const char *part)
{
    return strstr (text, part) != NULL;
}

static void open_inside (void)
{
    struct oci_console_size size = {.height = 25, .width = 80};
    struct console console = open_console (&size, 1234);
    struct winsize window;
    struct stat st;
    char byte;

    CHECK (strcmp (console.name, "/dev/pts/0") == 0);
    CHECK (ioctl (console.pts, TIOCGWINSZ, &window) == 0);
    CHECK (window.ws_row == 25 && window.ws_col == 80);
    CHECK (fstat (console.pts, &st) == 0);
    CHECK (st.st_uid == 1234 && st.st_gid == 5 && (st.st_mode & 07777) == 0620);
    CHECK (S_ISCHR (st.st_mode) && major (st.st_rdev) == 136 && minor (st.st_rdev) == 0);
    CHECK (fcntl (console.ptmx, F_GETFD) == FD_CLOEXEC);
    CHECK (fcntl (console.pts, F_GETFD) == FD_CLOEXEC);
    CHECK ((fcntl (console.ptmx, F_GETFL) & O_NONBLOCK) == 0);
    CHECK (write (console.pts, "x", 1) == 1 && read (console.ptmx, &byte, 1) == 1 && byte == 'x');

    /* a second one, without a size and for the owner that it has */
    struct console second = open_console (NULL, 0);
    CHECK (strcmp (second.name, "/dev/pts/1") == 0);
    CHECK (ioctl (second.pts, TIOCGWINSZ, &window) == 0);
    CHECK (window.ws_row == 0 && window.ws_col == 0);
    CHECK (fstat (second.pts, &st) == 0 && st.st_uid == 0 && st.st_gid == 5);
}

/* rows: TTY-01 TTY-03 TTY-06 TTY-08 */
static void test_open (void **state)
{
    (void)state;
    run_inside (open_inside, true);
}

static void expect_no_devpts (void)
{
    struct console console = {.ptmx = -1, .pts = -2};
    CHECK (console_open (root, NULL, 0, &console, &err) == -1);
    CHECK (strcmp (err.code, "RT-CONSOLE-DEVPTS") == 0);
    CHECK (text_has (err.text, "devpts") && text_has (err.text, "/dev/pts"));
    CHECK (text_has (err.hint, "mounts") && text_has (err.hint, "mode=0620"));
    CHECK (strcmp (err.pointer, "/process/terminal") == 0);
    CHECK (console.ptmx == -1 && console.pts == -2 && console.name[0] == '\0');
}

struct forged {
    mode_t type;
    dev_t device;
};

static void forged_inside (void)
{
    /* devices of the image, which look right but belong to the host or to nobody */
    const struct forged forged[] = {
        {S_IFCHR, makedev (5, 2)}, {S_IFCHR, makedev (1, 3)}, {S_IFREG, 0}, {S_IFIFO, 0}};

    expect_no_devpts ();
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
        CHECK (mknod ("root/dev/ptmx", forged[i].type | 0666, forged[i].device) == 0);
        CHECK (mknod ("root/dev/pts/ptmx", forged[i].type | 0666, forged[i].device) == 0);
        expect_no_devpts ();
        CHECK (unlink ("root/dev/ptmx") == 0 && unlink ("root/dev/pts/ptmx") == 0);
    }
    /* the host's devpts by name: in the container these paths mean nothing */
    CHECK (rmdir ("root/dev/pts") == 0 && symlink ("/dev/pts", "root/dev/pts") == 0);
    CHECK (symlink ("/dev/ptmx", "root/dev/ptmx") == 0);
    expect_no_devpts ();
    CHECK (unlink ("root/dev/pts") == 0);
    CHECK (symlink ("../../../../../../dev/pts", "root/dev/pts") == 0);
    expect_no_devpts ();
}

/* rows: TTY-05 TTY-07 TTY-08 HDN-07 */
static void test_forged_devices (void **state)
{
    (void)state;
    run_inside (forged_inside, false);
}

/* A neighbour laid a file of his own over the kernel's. */
static void covered_inside (void)
{
    const struct forged forged[] = {
        {S_IFCHR, makedev (5, 2)}, {S_IFCHR, makedev (1, 3)}, {S_IFREG, 0}};

    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
        struct console console;
        CHECK (mknod ("outside/ptmx", forged[i].type | 0666, forged[i].device) == 0);
        CHECK (mount ("outside/ptmx", "root/dev/pts/ptmx", NULL, MS_BIND, NULL) == 0);
        CHECK (console_open (root, NULL, 0, &console, &err) == -1);
        CHECK (strcmp (err.code, "RT-CONSOLE-PTMX") == 0);
        CHECK (umount2 ("root/dev/pts/ptmx", 0) == 0 && unlink ("outside/ptmx") == 0);
    }
}

/* rows: TTY-08 */
static void test_covered_ptmx (void **state)
{
    (void)state;
    run_inside (covered_inside, true);
}

static void read_only_inside (void)
{
    struct stat st;
    CHECK (mount (NULL, "root/dev/pts", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
    struct console console = open_console (NULL, 1234);
    CHECK (fstat (console.pts, &st) == 0 && st.st_uid == 0);
}

/* rows: TTY-06 */
static void test_owner_on_a_read_only_devpts (void **state)
{
    (void)state;
    run_inside (read_only_inside, true);
}

/* The root directory's mount is the container's own. */
static int bind_console (const struct console *console)
{
    uint64_t id;
    const struct mountfd_ids own = {.items = &id, .count = 1};

    CHECK (mountfd_id (root, &id) == 0);
    return console_bind (root, &own, console, &err);
}

static void expect_console (void)
{
    struct stat st;
    struct console console = open_console (NULL, 0);
    CHECK (bind_console (&console) == 0);
    CHECK (lstat ("root/dev/console", &st) == 0 && S_ISCHR (st.st_mode));
    CHECK (major (st.st_rdev) == 136);
    CHECK (umount2 ("root/dev/console", MNT_DETACH) == 0);
    CHECK (lstat ("root/dev/console", &st) == 0);
}

static void bind_inside (void)
{
    static const char *const links[] = {"../../outside/new", "/outside/new", "/etc/there",
                                        "/proc/self/fd/1",   "console",      "pts/ptmx"};
    struct stat st;

    expect_console (); /* made */
    expect_console (); /* an empty file is there */
    CHECK (unlink ("root/dev/console") == 0);
    CHECK (mknod ("root/dev/console", S_IFCHR | 0600, makedev (5, 1)) == 0);
    expect_console ();
    CHECK (lstat ("root/dev/console", &st) == 0 && st.st_rdev == makedev (5, 1));

    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        CHECK (unlink ("root/dev/console") == 0);
        CHECK (symlink (links[i], "root/dev/console") == 0);
        expect_console ();
        CHECK (lstat ("root/dev/console", &st) == 0 && S_ISREG (st.st_mode) && st.st_size == 0);
        CHECK (access ("outside/new", F_OK) < 0 && access ("root/outside", F_OK) < 0);
        CHECK (access ("root/etc", F_OK) < 0);
    }
}

/* rows: TTY-04 TTY-05 HDN-07 */
static void test_bind (void **state)
{
    (void)state;
    run_inside (bind_inside, true);
}

static void refused_inside (void)
{
    struct console console = open_console (NULL, 0);

    CHECK (mkdir ("root/dev/console", 0755) == 0);
    CHECK (bind_console (&console) == -1);
    CHECK (err.errnum == EISDIR && text_has (err.text, "/dev/console"));
    CHECK (rmdir ("root/dev/console") == 0);

    CHECK (mount (NULL, base, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    CHECK (bind_console (&console) == -1);
    CHECK (err.errnum == EROFS && text_has (err.hint, "tmpfs"));
    CHECK (strcmp (err.pointer, "/process/terminal") == 0);
}

/* rows: TTY-04 */
static void test_bind_refused (void **state)
{
    (void)state;
    run_inside (refused_inside, true);
}

static void attach_inside (void)
{
    struct console console = open_console (NULL, 0);
    struct stat st;

    CHECK (console_attach (&console, &err) == 0);
    for (int fd = 0; fd < 3; fd++) {
        CHECK (fstat (fd, &st) == 0 && major (st.st_rdev) == 136);
        CHECK (fcntl (fd, F_GETFD) == 0);
    }
    CHECK (getsid (0) == getpid () && tcgetsid (0) == getpid () && tcgetpgrp (0) == getpid ());
    CHECK (open ("/dev/tty", O_RDWR | O_CLOEXEC) >= 0);

    /* already there: not a second time */
    struct console other = open_console (NULL, 0);
    CHECK (console_attach (&other, &err) == -1);
    CHECK (err.errnum == EPERM && text_has (err.text, "/dev/pts/1"));
}

/* rows: TTY-01 PRC-38 */
static void test_attach (void **state)
{
    (void)state;
    run_inside (attach_inside, true);
}

static void attach_low_inside (void)
{
    struct console console = open_console (NULL, 0);
    CHECK (dup3 (console.pts, 1, O_CLOEXEC) == 1);
    console.pts = 1; /* as if rt had been called with 1 closed */
    CHECK (console_attach (&console, &err) == 0);
    CHECK (fcntl (1, F_GETFD) == 0);
}

static void test_attach_pts_among_the_streams (void **state)
{
    (void)state;
    run_inside (attach_low_inside, true);
}

/* rows: TTY-09 ENG-14 */
static void test_send (void **state)
{
    (void)state;
    int pair[2];
    int fds[2] = {-1, -1};
    size_t count = 2;
    char payload[64];
    struct stat sent, got;

    assert_int_equal (fd_socketpair (SOCK_STREAM, pair, &err), 0);
    AUTO_FD int near_end = pair[0];
    AUTO_FD int far_end = pair[1];
    AUTO_FD int ptmx = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_int_equal (console_send (near_end, ptmx, "/dev/pts/7", &err), 0);
    assert_int_equal (fd_receive (far_end, payload, sizeof payload, fds, &count), 10);
    assert_memory_equal (payload, "/dev/pts/7", 10);
    assert_int_equal (count, 1);
    AUTO_FD int arrived = fds[0];
    assert_int_equal (fstat (ptmx, &sent), 0);
    assert_int_equal (fstat (arrived, &got), 0);
    assert_int_equal (sent.st_ino, got.st_ino);

    drop_fd (&far_end);
    assert_int_equal (console_send (near_end, ptmx, "/dev/pts/7", &err), -1);
    assert_int_equal (err.errnum, EPIPE);
    assert_true (text_has (err.text, "console socket"));
}

static int make_base (void **state)
{
    (void)state;
    return mkdtemp (base) ? 0 : -1;
}

static int remove_base (void **state)
{
    (void)state;
    return rmdir (base);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_open),         cmocka_unit_test (test_forged_devices),
        cmocka_unit_test (test_covered_ptmx), cmocka_unit_test (test_owner_on_a_read_only_devpts),
        cmocka_unit_test (test_bind),         cmocka_unit_test (test_bind_refused),
        cmocka_unit_test (test_attach),       cmocka_unit_test (test_attach_pts_among_the_streams),
        cmocka_unit_test (test_send),
    };
    return cmocka_run_group_tests (tests, make_base, remove_base);
}
