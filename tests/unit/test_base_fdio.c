/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole reads and writes, and descriptors over sockets.
 */
#include "base/cleanup.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static bool is_cloexec (int fd)
{
    return (fcntl (fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static int open_descriptors (void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl (fd, F_GETFD) >= 0;
    return count;
}

static void reads_to_the_end_or_to_the_limit (void **state)
{
    (void)state;
    struct error err;
    size_t length;
    AUTO_FILE FILE *file = tmpfile ();
    for (int i = 0; i < 10000; i++)
        assert_int_equal (fputc ('a' + i % 26, file), 'a' + i % 26);
    assert_int_equal (fflush (file), 0);

    assert_int_equal (lseek (fileno (file), 0, SEEK_SET), 0);
    char *bytes = fd_read_all (fileno (file), 10000, &length, "tmp", &err);
    assert_non_null (bytes);
    assert_int_equal (length, 10000);
    assert_int_equal (bytes[9999], 'a' + 9999 % 26);
    assert_int_equal (bytes[10000], '\0');
    free (bytes);

    assert_int_equal (lseek (fileno (file), 0, SEEK_SET), 0);
    assert_null (fd_read_all (fileno (file), 9999, &length, "tmp", &err));
    assert_string_equal (err.code, "RT-FILE-SIZE");
    assert_null (fd_read_all (-1, 10, &length, "nothing", &err));
    assert_int_equal (err.errnum, EBADF);
}

/* A mapping that may be written to keeps the kernel from sealing, as a page that it holds does. */
static void a_seal_waits_for_what_passes (void **state)
{
    const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
    const struct timespec moment = {.tv_nsec = 50000000};
    AUTO_FD int held = memfd_create ("held", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    AUTO_FD int freed = memfd_create ("freed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    (void)state;
    assert_int_equal (ftruncate (held, 4096) | ftruncate (freed, 4096), 0);
    void *page = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, held, 0);
    assert_ptr_not_equal (page, MAP_FAILED);
    assert_int_equal (fd_seal (held, seals), -1);
    assert_int_equal (errno, EBUSY);
    assert_int_equal (munmap (page, 4096), 0);
    assert_int_equal (fd_seal (held, seals), 0);

    page = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, freed, 0);
    assert_ptr_not_equal (page, MAP_FAILED);
    pid_t other = fork ();
    assert_true (other >= 0);
    if (other == 0)
        _exit (nanosleep (&moment, NULL));
    assert_int_equal (munmap (page, 4096), 0);
    assert_int_equal (fcntl (freed, F_ADD_SEALS, seals), -1); /* the other has it still */
    assert_int_equal (fd_seal (freed, seals), 0);
    assert_int_equal (waitpid (other, NULL, 0), other);
    assert_int_equal (fcntl (freed, F_GET_SEALS), seals);
    assert_int_equal (fd_seal (-1, seals), -1);
}

/* Files of /proc have no size, pipes give what they have. */
static void reads_what_has_no_size (void **state)
{
    (void)state;
    struct error err;
    size_t length;
    int fds[2];
    assert_int_equal (pipe2 (fds, O_CLOEXEC), 0);
    static char big[20000];
    memset (big, 'x', sizeof big);
    assert_int_equal (fd_write_all (fds[1], big, sizeof big), 0);
    (void)close (fds[1]);
    char *bytes = fd_read_all (fds[0], sizeof big, &length, "pipe", &err);
    (void)close (fds[0]);
    assert_non_null (bytes);
    assert_int_equal (length, sizeof big);
    free (bytes);

    char small[16];
    assert_true (fd_read_file_at (AT_FDCWD, "/proc/self/stat", small, sizeof small) == 15);
    assert_int_equal (small[15], '\0');
    assert_int_equal (fd_read_file_at (AT_FDCWD, "/nowhere", small, sizeof small), -1);
    assert_int_equal (errno, ENOENT);
}

static void descriptors_travel (void **state)
{
    (void)state;
    static const int types[] = {SOCK_SEQPACKET, SOCK_STREAM};
    for (size_t i = 0; i < 2; i++) {
        struct error err;
        int before = open_descriptors ();
        int pair[2];
        assert_int_equal (fd_socketpair (types[i], pair, &err), 0);
        assert_true (is_cloexec (pair[0]) && is_cloexec (pair[1]));

        int sent[8] = {0, 1, 2, 0, 1, 2, 0, 1};
        assert_int_equal (fd_send (pair[0], "hello", 5, sent, 8), 0);
        char bytes[16];
        int got[8];
        size_t count = 8;
        assert_int_equal (fd_receive (pair[1], bytes, sizeof bytes, got, &count), 5);
        assert_int_equal (count, 8);
        for (size_t j = 0; j < count; j++) {
            struct stat a, b;
            assert_true (is_cloexec (got[j]));
            assert_int_equal (fstat (got[j], &a), 0);
            assert_int_equal (fstat (sent[j], &b), 0);
            assert_int_equal (a.st_ino, b.st_ino);
            (void)close (got[j]);
        }
        assert_int_equal (fd_send (pair[0], "x", 1, sent, 9), -1);
        assert_int_equal (errno, EMSGSIZE);

        (void)close (pair[0]);
        count = 8;
        assert_int_equal (fd_receive (pair[1], bytes, sizeof bytes, got, &count), 0);
        assert_int_equal (count, 0);
        (void)close (pair[1]);
        assert_int_equal (open_descriptors (), before);
    }
}

/* What was not asked for is closed, or a peer could fill the table. */
static void unwanted_descriptors_are_closed (void **state)
{
    (void)state;
    struct error err;
    int pair[2];
    assert_int_equal (fd_socketpair (SOCK_SEQPACKET, pair, &err), 0);
    int before = open_descriptors ();
    int sent[3] = {0, 1, 2};
    char bytes[4];

    assert_int_equal (fd_send (pair[0], "a", 1, sent, 3), 0);
    assert_int_equal (fd_receive (pair[1], bytes, sizeof bytes, NULL, NULL), -1);
    assert_int_equal (errno, EMSGSIZE);

    int got[2];
    size_t count = 2;
    assert_int_equal (fd_send (pair[0], "a", 1, sent, 3), 0);
    assert_int_equal (fd_receive (pair[1], bytes, sizeof bytes, got, &count), -1);
    assert_int_equal (errno, EMSGSIZE);
    assert_int_equal (count, 0);

    count = 2;
    assert_int_equal (fd_send (pair[0], "too long", 8, sent, 1), 0);
    assert_int_equal (fd_receive (pair[1], bytes, sizeof bytes, got, &count), -1);
    assert_int_equal (errno, EMSGSIZE);
    assert_int_equal (open_descriptors (), before);

    assert_int_equal (fd_send (pair[0], "good", 4, NULL, 0), 0);
    assert_int_equal (fd_receive (pair[1], bytes, sizeof bytes, NULL, NULL), 4);
    (void)close (pair[0]);
    assert_int_equal (fd_send (pair[1], "gone", 4, NULL, 0), -1); /* and no SIGPIPE */
    assert_int_equal (errno, EPIPE);
    (void)close (pair[1]);
}

/* rows: CRT-05 */
static void sockets_below_long_paths (void **state)
{
    (void)state;
    char directory[] = "/tmp/rt-test-fdio-XXXXXX";
    assert_non_null (mkdtemp (directory));
    char deep[300];
    (void)snprintf (deep, sizeof deep, "%s/%0200d", directory, 0);
    assert_int_equal (mkdir (deep, 0700), 0);
    AUTO_FD int dir = open (deep, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct error err;
    mode_t old = umask (0);
    AUTO_FD int listener = fd_listen_unix_at (dir, "gate", SOCK_SEQPACKET, &err);
    (void)umask (old);
    assert_true (listener >= 0);
    assert_true (is_cloexec (listener));
    struct stat st;
    assert_int_equal (fstatat (dir, "gate", &st, 0), 0);
    assert_int_equal (st.st_mode & 07777, 0600);
    assert_int_equal (fd_listen_unix_at (dir, "gate", SOCK_SEQPACKET, &err), -1);
    assert_int_equal (err.errnum, EADDRINUSE);

    AUTO_FD int at = fd_connect_unix_at (dir, "gate", SOCK_SEQPACKET);
    assert_true (at >= 0 && is_cloexec (at));
    char path[PATH_MAX];
    (void)snprintf (path, sizeof path, "%s/gate", deep);
    assert_true (strlen (path) > 108); /* longer than sun_path */
    AUTO_FD int by_path = fd_connect_unix (path, SOCK_SEQPACKET, &err);
    assert_true (by_path >= 0);

    drop_fd (&listener);
    assert_int_equal (fd_connect_unix_at (dir, "gate", SOCK_SEQPACKET), -1);
    assert_int_equal (errno, ECONNREFUSED);
    assert_int_equal (unlinkat (dir, "gate", 0), 0);
    assert_int_equal (fd_connect_unix (path, SOCK_STREAM, &err), -1);
    assert_int_equal (err.errnum, ENOENT);
    assert_int_equal (rmdir (deep), 0);
    assert_int_equal (rmdir (directory), 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (reads_to_the_end_or_to_the_limit),
        cmocka_unit_test (reads_what_has_no_size),
        cmocka_unit_test (a_seal_waits_for_what_passes),
        cmocka_unit_test (descriptors_travel),
        cmocka_unit_test (unwanted_descriptors_are_closed),
        cmocka_unit_test (sockets_below_long_paths),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
