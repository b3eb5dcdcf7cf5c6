/* SPDX-License-Identifier: Apache-2.0 */
/* lock: see lock.h. */
#include "lock.h"

#include "base/cleanup.h"
#include "base/patience.h"
#include "base/text.h"
#include "kernel/procfd.h"
#include "kernel/straggler.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

/* "1: FLOCK  ADVISORY  WRITE 4711 00:2d:1234 0 EOF": the process that took the lock of this file,
 * as our pid namespace numbers it; 0 where none is told of. */
static pid_t find_holder (const struct stat *file)
{
    unsigned int major_number, minor_number;
    unsigned long long inode;
    char line[256];
    int pid;

    AUTO_FD int fd = procfd_open ("locks", O_RDONLY);
    AUTO_FILE FILE *locks = fd < 0 ? NULL : fdopen (fd, "r");
    if (!locks)
        return 0;
    (void)take_fd (&fd);
    while (fgets (line, sizeof line, locks))
        if (sscanf (line, "%*u: FLOCK %*s %*s %d %x:%x:%llu", &pid, &major_number, &minor_number,
                    &inode) == 4 &&
            inode == file->st_ino && makedev (major_number, minor_number) == file->st_dev)
            return pid;
    return 0;
}

/* Its command line, as far as a hint has room for it. */
static void add_command (pid_t pid, struct text *text)
{
    char path[32], words[200];

    (void)snprintf (path, sizeof path, "%d/cmdline", (int)pid);
    ssize_t length = procfd_read (path, words, sizeof words);
    if (length <= 0)
        return;
    for (ssize_t i = 0; i + 1 < length; i++)
        if (!words[i])
            words[i] = ' ';
    text_printf (text, ": %s", words);
}

static int explain_held (const struct stat *file, const char *what, struct error *err)
{
    AUTO_TEXT struct text who = {0};
    pid_t pid = find_holder (file);

    error_set (err, "RT-STATE-LOCK", EAGAIN, "%s is locked by another command: waited %g s for it",
               what, patience_seconds ());
    if (pid > 0 && straggler_describe (pid, &who)) {
        add_command (pid, &who);
        return error_hint (err, "held by process %s", text_string (&who));
    }
    return pid > 0
               ? error_hint (err, "taken by process %d, which has ended, for one of its children",
                             (int)pid)
               : -1;
}

static void on_alarm (int signal)
{
    (void)signal;
}

/* flock (2) itself, so that who came first is first. Only a signal ends it early: that of a timer,
 * which is repeated, as the first could come just before the call. */
static int lock_within (int dir, int operation, int timeout_ms)
{
    const struct itimerspec times = {
        .it_interval = {.tv_nsec = 50000000},
        .it_value = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct sigaction action = {.sa_handler = on_alarm}, action_before;
    struct wait wait = wait_begin (timeout_ms);
    sigset_t alarm, before;
    timer_t timer;
    int result;

    if (timer_create (CLOCK_MONOTONIC, &event, &timer) < 0)
        return -1;
    (void)sigemptyset (&alarm);
    (void)sigaddset (&alarm, SIGALRM);
    (void)sigaction (SIGALRM, &action, &action_before);
    (void)sigprocmask (SIG_UNBLOCK, &alarm, &before);
    (void)timer_settime (timer, 0, &times, NULL);
    do
        result = flock (dir, operation);
    while (result < 0 && errno == EINTR && wait_left (&wait) > 0);
    int saved = errno;
    (void)timer_delete (timer);
    (void)sigprocmask (SIG_SETMASK, &before, NULL);
    (void)sigaction (SIGALRM, &action_before, NULL);
    errno = saved;
    return result;
}

static int take (int dir, int operation, const char *what, struct error *err)
{
    struct stat file;

    if (flock (dir, operation | LOCK_NB) == 0 ||
        (errno == EWOULDBLOCK && lock_within (dir, operation, patience_ms ()) == 0))
        return 0;
    if (errno == EINTR && fstat (dir, &file) == 0)
        return explain_held (&file, what, err);
    return error_set (err, "RT-STATE-LOCK", errno, "lock the state of %s", what);
}

int lock_take (int dir, const char *id, struct error *err)
{
    char what[NAME_MAX + sizeof "container ``"];

    (void)snprintf (what, sizeof what, "container `%s`", id);
    return take (dir, LOCK_EX, what, err);
}

int lock_begin_claim (int root, struct error *err)
{
    return take (root, LOCK_SH, "the state root", err);
}

int lock_await_claims (int root, struct error *err)
{
    if (take (root, LOCK_EX, "the state root", err) < 0)
        return -1;
    (void)flock (root, LOCK_UN);
    return 0;
}

bool lock_is_held (int dir)
{
    if (flock (dir, LOCK_SH | LOCK_NB) < 0)
        return errno == EWOULDBLOCK;
    (void)flock (dir, LOCK_UN);
    return false;
}
