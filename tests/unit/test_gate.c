/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate at which a created container waits, and the status that derives from it.
 */
#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/pidfd.h"
#include "state/gate.h"
#include "state/record.h"
#include "state/status.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

static char root[] = "/tmp/rt-test-gate-XXXXXX";
static int dir = -1;

/* Plays the container's init: waits, answers with one packet, and dies with the line. */
static pid_t start_init (int listener)
{
    pid_t pid = fork ();
    assert_true (pid >= 0);
    if (pid > 0)
        return pid;
    (void)prctl (PR_SET_PDEATHSIG, SIGKILL);
    char word[sizeof GATE_WORD] = "";
    int line;
    do
        line = accept (listener, NULL, NULL);
    while (line >= 0 && fd_receive (line, word, sizeof word, NULL, NULL) != (ssize_t)sizeof word);
    if (line < 0 || strcmp (word, GATE_WORD) != 0)
        _exit (1);
    (void)close (listener);
    (void)fd_send (line, "went through", 12, NULL, 0);
    _exit (0);
}

static struct record record_of (pid_t pid)
{
    struct record record = {.phase = RECORD_CREATED, .id = "gate", .bundle = "/", .pid = pid};
    assert_int_equal (pidfd_start_time (pid, &record.start_time, NULL), 0);
    return record;
}

static enum oci_status status (const struct record *record, bool frozen)
{
    struct error err = {0};
    enum oci_status found;
    assert_int_equal (status_of (dir, record, frozen, &found, &err), 0);
    return found;
}

/* rows: VRB-04 VRB-09 */
static void init_waits_until_it_is_opened (void **state)
{
    (void)state;
    struct error err;
    assert_int_equal (gate_is_shut (dir, &err), 0);
    int listener = gate_make (dir, &err);
    assert_true (listener >= 0);
    pid_t init = start_init (listener);
    (void)close (listener);

    struct record record = record_of (init);
    for (int i = 0; i < 100; i++) { /* asking opens nothing */
        assert_int_equal (gate_is_shut (dir, &err), 1);
        assert_int_equal (status (&record, i % 2), OCI_STATUS_CREATED);
    }
    AUTO_FD int line = gate_open (dir, true, &err);
    assert_true (line >= 0);
    char answer[32];
    assert_int_equal (fd_receive (line, answer, sizeof answer, NULL, NULL), 12);
    assert_int_equal (fd_receive (line, answer, sizeof answer, NULL, NULL), 0);

    /* A zombie now: nobody waits and nothing runs. */
    siginfo_t info;
    assert_int_equal (waitid (P_PID, (id_t)init, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal (info.si_status, 0);
    assert_int_equal (gate_is_shut (dir, &err), 0);
    assert_int_equal (status (&record, false), OCI_STATUS_STOPPED);
    assert_int_equal (gate_open (dir, true, &err), -1);
    assert_int_equal (err.errnum, ECONNREFUSED);
    assert_int_equal (waitpid (init, NULL, 0), init);
    assert_int_equal (status (&record, false), OCI_STATUS_STOPPED);

    gate_remove (dir);
    assert_int_equal (gate_open (dir, true, &err), -1);
    assert_int_equal (err.errnum, ENOENT);
}

/* More askers than the queue holds while init cannot take one: still nobody hangs. */
static void asking_never_blocks (void **state)
{
    (void)state;
    struct error err;
    AUTO_FD int listener = gate_make (dir, &err);
    assert_int_equal (listen (listener, 2), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal (gate_is_shut (dir, &err), 1);
    gate_remove (dir);
}

/* rows: VRB-14 VRB-15 */
static void status_needs_the_very_process (void **state)
{
    (void)state;
    struct record record = record_of (getpid ());
    assert_int_equal (status (&record, false), OCI_STATUS_RUNNING);
    assert_int_equal (status (&record, true), OCI_STATUS_PAUSED);
    record.start_time++;
    assert_int_equal (status (&record, false), OCI_STATUS_STOPPED);
    record.pid = 0;
    assert_int_equal (status (&record, false), OCI_STATUS_STOPPED);

    record = record_of (getpid ());
    record.phase = RECORD_CREATING;
    assert_int_equal (status (&record, false), OCI_STATUS_STOPPED); /* no creator */
    record.creator = record.pid;
    record.creator_start_time = record.start_time;
    assert_int_equal (status (&record, false), OCI_STATUS_CREATING);
    record.creator_start_time++;
    assert_int_equal (status (&record, false), OCI_STATUS_STOPPED);
}

/* A descriptor that cannot be had is neither death nor an open gate; nor is a missing right. */
static void a_look_that_fails_is_an_error (void **state)
{
    (void)state;
    struct error err = {0};
    enum oci_status found = OCI_STATUS_CREATING;
    struct rlimit before, none;
    struct record record = record_of (getpid ());
    AUTO_FD int listener = gate_make (dir, &err);
    assert_true (listener >= 0);

    assert_int_equal (getrlimit (RLIMIT_NOFILE, &before), 0);
    /* 0: /proc cannot be read; 1: it can, and the gate's file cannot be opened. */
    for (rlim_t spare = 0; spare < 2; spare++) {
        int lowest = dup (dir);
        (void)close (lowest);
        none = (struct rlimit){.rlim_cur = (rlim_t)lowest + spare, .rlim_max = before.rlim_max};
        assert_int_equal (setrlimit (RLIMIT_NOFILE, &none), 0);
        err = (struct error){0};
        int result = status_of (dir, &record, false, &found, &err);
        int shut = gate_is_shut (dir, &(struct error){0});
        assert_int_equal (setrlimit (RLIMIT_NOFILE, &before), 0);
        assert_int_equal (result, -1);
        assert_int_equal (err.errnum, EMFILE);
        assert_string_equal (err.code, spare ? "RT-STATE-GATE" : "RT-STATE-PROCESS");
        assert_int_equal (shut, -1);
        assert_int_equal (found, OCI_STATUS_CREATING);
    }
    record.pid = 0; /* needs no look */
    assert_int_equal (status (&record, false), OCI_STATUS_STOPPED);
    gate_remove (dir);
}

static int make_directory (void **state)
{
    (void)state;
    if (!mkdtemp (root))
        return -1;
    dir = open (root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? -1 : 0;
}

static int remove_directory (void **state)
{
    (void)state;
    (void)close (dir);
    return rmdir (root);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (init_waits_until_it_is_opened),
        cmocka_unit_test (asking_never_blocks),
        cmocka_unit_test (a_look_that_fails_is_an_error),
        cmocka_unit_test (status_needs_the_very_process),
    };
    return cmocka_run_group_tests (tests, make_directory, remove_directory);
}
