/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay: no byte is lost, added or moved, whatever the descriptors are and however they dawdle; and
 * nobody else who has the same descriptors sees that a relay was here.
 */
#include "lifecycle/relay.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

static uint32_t random_state;

static uint32_t random_below (uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)random_state * limit) >> 32);
}

/* The byte at a place of the stream; a lost or doubled block cannot look right (period 251). */
static char byte_at (uint64_t place)
{
    return (char)('!' + place * 7 % 251 % 90);
}

enum kind { KIND_PIPE, KIND_SOCKET, KIND_TERMINAL };

static void set_nonblock (int fd, bool on)
{
    int flags = fcntl (fd, F_GETFL);
    assert_int_equal (fcntl (fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK), 0);
}

/* far: where the test reads or writes without waiting; near: what the relay borrows. */
static void make_pair (enum kind kind, bool near_reads, int *far_side, int *near_side)
{
    int pair[2];
    if (kind == KIND_PIPE) {
        assert_int_equal (pipe2 (pair, O_CLOEXEC), 0);
        *near_side = pair[near_reads ? 0 : 1];
        *far_side = pair[near_reads ? 1 : 0];
    } else if (kind == KIND_SOCKET) {
        assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        *near_side = pair[0];
        *far_side = pair[1];
    } else {
        struct termios modes;
        *far_side = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true (*far_side >= 0);
        assert_int_equal (unlockpt (*far_side), 0);
        *near_side = ioctl (*far_side, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true (*near_side >= 0);
        assert_int_equal (tcgetattr (*near_side, &modes), 0);
        cfmakeraw (&modes);
        assert_int_equal (tcsetattr (*near_side, TCSANOW, &modes), 0);
    }
    set_nonblock (*far_side, true);
}

static void assert_untouched (int fd)
{
    assert_int_equal (fcntl (fd, F_GETFL) & O_NONBLOCK, 0);
}

/* Writes and reads in random portions on the far sides, pumps in between, compares. */
static void carry (struct relay *relay, int feeder, int eater, int in, int out, uint64_t total)
{
    uint64_t fed = 0, eaten = 0;
    static char block[70000];

    for (uint64_t turns = 0; eaten < total; turns++) {
        assert_true (turns < 10 * 1000 * 1000);
        if (fed < total && random_below (3) > 0) {
            size_t size = 1 + random_below (random_below (4) ? 300 : sizeof block);
            if (size > total - fed)
                size = (size_t)(total - fed);
            for (size_t i = 0; i < size; i++)
                block[i] = byte_at (fed + i);
            ssize_t count = write (feeder, block, size);
            assert_true (count > 0 || errno == EAGAIN);
            fed += count > 0 ? (uint64_t)count : 0;
        }
        relay->source.ready = relay->sink.ready = true; /* an epoll that always says so */
        (void)relay_pump (relay);
        assert_untouched (in);
        assert_untouched (out);
        if (random_below (3) > 0) {
            ssize_t count = read (eater, block, 1 + random_below (sizeof block));
            assert_true (count > 0 || errno == EAGAIN);
            for (ssize_t i = 0; i < count; i++)
                if (block[i] != byte_at (eaten + (uint64_t)i))
                    fail_msg ("byte %llu differs", (unsigned long long)eaten + (uint64_t)i);
            eaten += count > 0 ? (uint64_t)count : 0;
        }
    }
    errno = 0;
    assert_true (read (eater, block, sizeof block) < 0 && errno == EAGAIN); /* and no more */
}

static struct relay relay; /* too large for a stack under a sanitizer's redzones */

static void run_pair (enum kind from, enum kind to, bool force_shared, uint64_t total)
{
    AUTO_FD int feeder = -1;
    AUTO_FD int eater = -1;
    AUTO_FD int in = -1;
    AUTO_FD int out = -1;

    make_pair (from, true, &feeder, &in);
    make_pair (to, false, &eater, &out);
    relay_begin (&relay);
    if (force_shared) {
        relay.source = (struct relay_end){.fd = in, .access = RELAY_SHARED, .open = true};
        relay.sink = (struct relay_end){.fd = out, .access = RELAY_SHARED, .open = true};
    } else {
        relay_end_borrow (&relay.source, in, O_RDONLY);
        relay_end_borrow (&relay.sink, out, O_WRONLY);
        assert_int_equal (relay.source.access, from == KIND_SOCKET ? RELAY_SOCKET : RELAY_OWN);
        assert_int_equal (relay.sink.access, to == KIND_SOCKET ? RELAY_SOCKET : RELAY_OWN);
    }
    carry (&relay, feeder, eater, in, out, total);
    relay_release (&relay);
}

/* rows: TTY-12 TTY-14 */
static void test_each_kind_to_each_kind (void **state)
{
    (void)state;
    for (int from = KIND_PIPE; from <= KIND_TERMINAL; from++)
        for (int to = KIND_PIPE; to <= KIND_TERMINAL; to++)
            for (uint32_t seed = 0; seed < 4; seed++) {
                random_state = seed * 977 + (uint32_t)(from * 3 + to);
                run_pair ((enum kind)from, (enum kind)to, false, 400 * 1000 + seed);
                run_pair ((enum kind)from, (enum kind)to, true, 100 * 1000 + seed);
            }
}

/* rows: TTY-12 */
static void test_full_sink_is_no_reason_to_spin (void **state)
{
    (void)state;
    AUTO_FD int feeder = -1;
    AUTO_FD int eater = -1;
    AUTO_FD int in = -1;
    AUTO_FD int out = -1;
    char block[4096] = {'x'};

    make_pair (KIND_PIPE, true, &feeder, &in);
    make_pair (KIND_PIPE, false, &eater, &out);
    relay_begin (&relay);
    relay_end_borrow (&relay.source, in, O_RDONLY);
    relay_end_borrow (&relay.sink, out, O_WRONLY);

    size_t stored = 0;
    int idle = 0;
    while (idle < 3) { /* until neither pipe nor relay takes more */
        ssize_t count = write (feeder, block, sizeof block);
        stored += count > 0 ? (size_t)count : 0;
        idle = count > 0 ? 0 : idle + 1;
        relay.source.ready = true;
        while (relay_pump (&relay))
            ;
    }
    assert_true (stored > RELAY_ROOM);
    assert_false (relay.sink.ready);
    assert_false (relay_pump (&relay));

    size_t got = 0;
    for (ssize_t count; got<stored; got += count> 0 ? (size_t)count : 0) {
        count = read (eater, block, sizeof block);
        relay.source.ready = relay.sink.ready = true;
        (void)relay_pump (&relay);
    }
    assert_int_equal (got, stored);
    relay_release (&relay);
}

/* rows: TTY-13 */
static void test_end_of_source (void **state)
{
    (void)state;
    AUTO_FD int feeder = -1;
    AUTO_FD int eater = -1;
    AUTO_FD int in = -1;
    AUTO_FD int out = -1;
    char got[16];

    make_pair (KIND_PIPE, true, &feeder, &in);
    make_pair (KIND_PIPE, false, &eater, &out);
    assert_int_equal (write (feeder, "last", 4), 4);
    drop_fd (&feeder); /* before the relay opens it anew: then epoll never says so */
    relay_begin (&relay);
    relay_end_borrow (&relay.source, in, O_RDONLY);
    relay_end_borrow (&relay.sink, out, O_WRONLY);
    assert_false (relay_pump (&relay));
    assert_false (relay.source.open);
    assert_true (relay_is_done (&relay));
    assert_int_equal (read (eater, got, sizeof got), 4);
    assert_memory_equal (got, "last", 4);
    relay_release (&relay);
}

/* A sink that is gone lets the source flow. */
/* rows: TTY-12 */
static void test_lost_sink (void **state)
{
    (void)state;
    for (int kind = KIND_PIPE; kind <= KIND_TERMINAL; kind++) {
        AUTO_FD int feeder = -1;
        AUTO_FD int eater = -1;
        AUTO_FD int in = -1;
        AUTO_FD int out = -1;
        char block[1000] = {'x'};

        make_pair (KIND_PIPE, true, &feeder, &in);
        make_pair ((enum kind)kind, false, &eater, &out);
        relay_begin (&relay);
        relay_end_borrow (&relay.source, in, O_RDONLY);
        relay_end_borrow (&relay.sink, out, O_WRONLY);
        drop_fd (&eater);
        for (int i = 0; i < 1000; i++) {
            assert_int_equal (write (feeder, block, sizeof block), sizeof block);
            relay.source.ready = true;
            while (relay_pump (&relay))
                ;
        }
        assert_false (relay.sink.open);
        assert_int_equal (relay.sink.errnum, kind == KIND_TERMINAL ? EIO : EPIPE);
        relay_release (&relay);
    }
}

static void test_closed_descriptor (void **state)
{
    (void)state;
    struct relay_end end;
    int fd = dup (STDIN_FILENO);

    assert_int_equal (close (fd), 0);
    relay_end_borrow (&end, fd, O_RDONLY);
    assert_false (end.open);
    assert_int_equal (end.errnum, EBADF);
}

/* Files have no flag to set and keep their offset: what was there before is not overwritten. */
static void test_file_sink (void **state)
{
    (void)state;
    char path[] = "/tmp/test-relay-XXXXXX";
    AUTO_FD int out = mkstemp (path);
    AUTO_FD int feeder = -1;
    AUTO_FD int in = -1;
    struct stat st;

    assert_true (out >= 0);
    assert_int_equal (unlink (path), 0);
    assert_int_equal (write (out, "before ", 7), 7);
    make_pair (KIND_PIPE, true, &feeder, &in);
    assert_int_equal (write (feeder, "after", 5), 5);
    relay_begin (&relay);
    relay_end_borrow (&relay.source, in, O_RDONLY);
    relay_end_borrow (&relay.sink, out, O_WRONLY);
    assert_int_equal (relay.sink.access, RELAY_FILE);
    assert_false (relay_pump (&relay));
    assert_int_equal (fstat (out, &st), 0);
    assert_int_equal (st.st_size, 12);
    relay_release (&relay);
}

/* rows: EXE-41 */
static void test_finish_takes_what_is_there_and_no_more (void **state)
{
    (void)state;
    AUTO_FD int feeder = -1;
    AUTO_FD int eater = -1;
    AUTO_FD int in = -1;
    AUTO_FD int out = -1;
    char block[8000] = {'x'};

    /* the writer's end stays open: somebody else may still write */
    make_pair (KIND_PIPE, true, &feeder, &in);
    make_pair (KIND_PIPE, false, &eater, &out);
    relay_begin (&relay);
    relay_end_borrow (&relay.source, in, O_RDONLY);
    relay_end_borrow (&relay.sink, out, O_WRONLY);
    assert_false (relay_pump (&relay));
    assert_int_equal (write (feeder, block, 5000), 5000);
    relay_finish (&relay, 1 << 20);
    assert_false (relay_is_done (&relay));
    assert_false (relay_pump (&relay));
    assert_true (relay_is_done (&relay));
    assert_int_equal (read (eater, block, sizeof block), 5000);
    relay_release (&relay);

    relay_begin (&relay);
    relay_end_borrow (&relay.source, in, O_RDONLY);
    relay_end_borrow (&relay.sink, out, O_WRONLY);
    assert_int_equal (write (feeder, block, 5000), 5000);
    relay_finish (&relay, 300);
    while (relay_pump (&relay))
        ;
    assert_true (relay_is_done (&relay));
    assert_int_equal (read (eater, block, sizeof block), 300);
    relay_release (&relay);
}

/* A terminal that nobody has open is a pause, and what is typed meanwhile is lost. */
static void test_terminal_opened_again (void **state)
{
    (void)state;
    AUTO_FD int ptmx = -1;
    AUTO_FD int pts = -1;
    AUTO_FD int eater = -1;
    AUTO_FD int out = -1;
    char got[16];

    make_pair (KIND_TERMINAL, false, &ptmx, &pts);
    make_pair (KIND_PIPE, false, &eater, &out);
    drop_fd (&pts);
    relay_begin (&relay);
    relay_end_ptmx (&relay.source, ptmx);
    relay_end_borrow (&relay.sink, out, O_WRONLY);
    assert_false (relay_pump (&relay));
    assert_true (relay.source.open);
    pts = ioctl (ptmx, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true (pts >= 0);
    assert_int_equal (write (pts, "again", 5), 5);
    relay.source.ready = true;
    assert_false (relay_pump (&relay));
    assert_int_equal (read (eater, got, sizeof got), 5);
    relay_release (&relay);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_each_kind_to_each_kind),
        cmocka_unit_test (test_full_sink_is_no_reason_to_spin),
        cmocka_unit_test (test_end_of_source),
        cmocka_unit_test (test_lost_sink),
        cmocka_unit_test (test_closed_descriptor),
        cmocka_unit_test (test_file_sink),
        cmocka_unit_test (test_finish_takes_what_is_there_and_no_more),
        cmocka_unit_test (test_terminal_opened_again),
    };
    (void)signal (SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests (tests, NULL, NULL);
}
