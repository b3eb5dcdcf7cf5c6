/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreground: see foreground.h.
 *
 * One thread, one epoll. The signals and the process are ordinary events. The streams and the
 * terminal are edge-triggered: a pseudo-terminal that nobody has open inside says EPOLLHUP as long
 * as that lasts (a getty hangs up and opens again), and must not keep rt busy.
 */
#include "lifecycle/foreground.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/patience.h"
#include "kernel/pidfd.h"
#include "kernel/signals.h"
#include "kernel/straggler.h"
#include "lifecycle/relay.h"
#include "lifecycle/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than a pseudo-terminal can hold (64 KiB on the way and 4 KiB at the reader): what the
 * process wrote before it died is within. What comes after is another process's, and may never end.
 */
enum { LAST_BYTES = 262144 };

enum source {
    SOURCE_SIGNALS,
    SOURCE_PROCESS,
    SOURCE_NOTIFY,
    SOURCE_PTMX,
    SOURCE_STDIN,
    SOURCE_STDOUT
};

struct session {
    pid_t pid;
    int pidfd;
    int ptmx;
    const struct notify *notify;
    int epoll;
    int signals;
    bool over; /* the process is reaped and `status` holds */
    int status;
    bool hurry; /* a signal asked to end after the process was over */
    bool held;  /* it is dead, but its tracer does not let go of it: not to be reaped yet */
    int patience_ms;
    struct wait held_wait;
    struct terminal terminal;
    struct relay input;
    struct relay output;
};

int foreground_prepare (bool subreaper, struct error *err)
{
    sigset_t hup, ends;
    struct sigaction hangup;

    /* Inherited SIG_IGN would make the kernel reap the children and lose their status. */
    if (signal (SIGCHLD, SIG_DFL) == SIG_ERR || sigaction (SIGHUP, NULL, &hangup) < 0)
        return error_set (err, "RT-FOREGROUND-SIGNALS", errno, "prepare the signals");
    interrupt_signals (&ends);
    if (signals_block_all () < 0)
        return error_set (err, "RT-FOREGROUND-SIGNALS", errno, "block the signals");
    (void)sigprocmask (SIG_UNBLOCK, &ends, NULL);
    (void)sigemptyset (&hup);
    (void)sigaddset (&hup, SIGHUP);
    if (hangup.sa_handler == SIG_IGN) /* nohup: the container is to outlive the terminal too */
        (void)sigprocmask (SIG_UNBLOCK, &hup, NULL);
    if (subreaper && prctl (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return error_set (err, "RT-FOREGROUND-SUBREAPER", errno,
                          "become the reaper of the container's processes");
    return 0;
}

/* The signals that are blocked now. While rt uses the caller's terminal, SIGTTIN and SIGTTOU stay
 * rt's own: a background rt that reads or changes the terminal is stopped, as any program is. */
static void choose_signals (const struct session *session, sigset_t *signals)
{
    sigset_t own;

    (void)sigemptyset (&own);
    if (session->ptmx >= 0) {
        (void)sigaddset (&own, SIGTTIN);
        (void)sigaddset (&own, SIGTTOU);
        (void)sigprocmask (SIG_UNBLOCK, &own, NULL);
    }
    (void)signals_blocked (signals);
}

static int watch (const struct session *session, int fd, uint32_t events, enum source source)
{
    struct epoll_event event = {.events = events, .data.u32 = source};
    return epoll_ctl (session->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* A file that cannot be polled (EPERM: regular, /dev/null) is always ready. */
static int watch_end (const struct session *session, struct relay_end *end, uint32_t events,
                      enum source source)
{
    if (!end->open || watch (session, end->fd, events | EPOLLET, source) == 0 || errno == EPERM)
        return 0;
    return -1;
}

static int watch_all (struct session *session, struct error *err)
{
    if (watch (session, session->signals, EPOLLIN, SOURCE_SIGNALS) < 0 ||
        watch (session, session->pidfd, EPOLLIN | EPOLLET, SOURCE_PROCESS) < 0)
        return error_set (err, "RT-FOREGROUND-WATCH", errno, "watch process %d", (int)session->pid);
    if (session->notify->container >= 0 &&
        watch (session, session->notify->container, EPOLLIN, SOURCE_NOTIFY) < 0)
        return error_set (err, "RT-FOREGROUND-WATCH", errno, "watch the container's notify socket");
    if (session->ptmx < 0)
        return 0;

    relay_end_borrow (&session->input.source, STDIN_FILENO, O_RDONLY);
    relay_end_ptmx (&session->input.sink, session->ptmx);
    relay_end_ptmx (&session->output.source, session->ptmx);
    relay_end_borrow (&session->output.sink, STDOUT_FILENO, O_WRONLY);
    if (watch (session, session->ptmx, EPOLLIN | EPOLLOUT | EPOLLET, SOURCE_PTMX) < 0)
        return error_set (err, "RT-FOREGROUND-WATCH", errno, "watch the container's terminal");
    if (watch_end (session, &session->input.source, EPOLLIN, SOURCE_STDIN) < 0)
        return error_set (err, "RT-FOREGROUND-WATCH", errno, "watch the standard input");
    if (watch_end (session, &session->output.sink, EPOLLOUT, SOURCE_STDOUT) < 0)
        return error_set (err, "RT-FOREGROUND-WATCH", errno, "watch the standard output");
    return 0;
}

/* The container's life is over: its last words go out, and what is typed from now on is for the
 * caller's shell. */
static void end_carrying (struct session *session)
{
    if (session->ptmx < 0)
        return;
    terminal_restore (&session->terminal);
    session->input.source.open = false;
    relay_finish (&session->output, LAST_BYTES);
}

static void take_end (struct session *session, int word)
{
    session->over = true;
    session->status = WIFSIGNALED (word) ? 128 + WTERMSIG (word) : WEXITSTATUS (word);
    end_carrying (session);
}

/* Reaps all that are dead: this process is the subreaper of all that the container leaves. False
 * where it has no children any more. */
static bool reap (struct session *session)
{
    int word;
    pid_t pid;

    while ((pid = waitpid (-1, &word, WNOHANG | __WALL)) > 0) {
        if (pid != session->pid || session->over)
            continue;
        take_end (session, word);
    }
    return pid == 0;
}

/* What was not sent to rt is not for the container: SIGPIPE and SIGXFSZ of its own writes. */
static bool is_own (const struct signalfd_siginfo *info)
{
    return info->ssi_code == SI_USER && info->ssi_pid == (uint32_t)getpid ();
}

static void forward (struct session *session, int signal)
{
    if (session->over || session->held) {
        /* Output may wait for a reader that never comes; a signal that says stop is obeyed. */
        if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT)
            session->hurry = true;
        return;
    }
    if (pidfd_signal (session->pidfd, signal) < 0 && errno != ESRCH)
        log_warning ("cannot forward signal %d (%s) to process %d: %s", signal, strsignal (signal),
                     (int)session->pid, error_words (errno));
}

static void on_signal (struct session *session, const struct signalfd_siginfo *info)
{
    int signal = (int)info->ssi_signo;

    if (signal == SIGCHLD) {
        (void)reap (session);
        return;
    }
    if (is_own (info))
        return;
    if (session->ptmx >= 0 && signal == SIGWINCH) {
        terminal_copy_size (session->ptmx);
        return; /* the kernel tells the container, if the size is another one */
    }
    if (session->ptmx >= 0 && signal == SIGCONT) {
        terminal_resume (&session->terminal);
        terminal_copy_size (session->ptmx);
    }
    forward (session, signal);
}

static int read_signals (struct session *session, struct error *err)
{
    struct signalfd_siginfo infos[16];
    ssize_t count = read (session->signals, infos, sizeof infos);

    if (count < 0) {
        if (errno == EAGAIN || errno == EINTR)
            return 0;
        return error_set (err, "RT-FOREGROUND-SIGNALS", errno, "read the signals");
    }
    for (size_t i = 0; i < (size_t)count / sizeof infos[0]; i++)
        on_signal (session, &infos[i]);
    return 0;
}

static int on_event (struct session *session, const struct epoll_event *event, struct error *err)
{
    bool gone = event->events & (EPOLLHUP | EPOLLERR);

    switch ((enum source)event->data.u32) {
    case SOURCE_SIGNALS:
        return read_signals (session, err);
    case SOURCE_PROCESS:
        if (!reap (session) && !session->over)
            return error_set (err, "RT-FOREGROUND-STATUS", ECHILD,
                              "learn the exit status of process %d", (int)session->pid);
        /* A tracer gets a dead process before its parent; SIGCHLD comes when it lets go. */
        if (!session->over && !session->held) {
            session->held = true;
            session->held_wait = wait_begin (session->patience_ms);
        }
        return 0;
    case SOURCE_NOTIFY:
        notify_carry (session->notify);
        return 0;
    case SOURCE_PTMX:
        session->output.source.ready |= gone || (event->events & EPOLLIN);
        session->input.sink.ready |= gone || (event->events & EPOLLOUT);
        return 0;
    case SOURCE_STDIN:
        session->input.source.ready = true;
        return 0;
    case SOURCE_STDOUT:
        session->output.sink.ready = true;
        return 0;
    }
    return 0;
}

/* Its tracer may be the container's own, and hold it for ever. Its end is in /proc all the same. */
static int end_held (struct session *session, struct error *err)
{
    pid_t tracer = straggler_tracer (session->pid);
    int word;

    if (reap (session) && !session->over && straggler_end (session->pid, &word) < 0) {
        error_set (err, "RT-FOREGROUND-STATUS", errno, "learn the exit status of process %d",
                   (int)session->pid);
        return error_hint (err, "it is dead, but process %d, which traces it, does not let go",
                           (int)tracer);
    }
    if (session->over)
        return 0;
    log_warning ("process %d is dead, but process %d, which traces it, does not let go",
                 (int)session->pid, (int)tracer);
    take_end (session, word);
    return 0;
}

static int wait_time (const struct session *session, bool busy)
{
    if (busy)
        return 0;
    return session->held && !session->over ? wait_left (&session->held_wait) : -1;
}

static int wait_for_events (struct session *session, bool busy, struct error *err)
{
    struct epoll_event events[8];
    int count = epoll_wait (session->epoll, events, 8, wait_time (session, busy));

    if (count < 0 && errno != EINTR)
        return error_set (err, "RT-FOREGROUND-WATCH", errno, "wait for process %d",
                          (int)session->pid);
    for (int i = 0; i < count; i++)
        if (on_event (session, &events[i], err) < 0)
            return -1;
    if (session->held && !session->over && (session->hurry || wait_left (&session->held_wait) == 0))
        return end_held (session, err);
    return 0;
}

/* Says once why the container's output is lost. A reader that went away (| head) is no news. */
static void tell_lost_output (const struct relay_end *sink, bool *told)
{
    if (sink->open || *told)
        return;
    *told = true;
    if (sink->errnum == EPIPE || sink->errnum == EIO || sink->errnum == ECONNRESET)
        log_debug ("the reader of standard output is gone: %s", error_words (sink->errnum));
    else
        log_warning ("cannot write the container's output to standard output: %s; it is lost from "
                     "here on",
                     error_words (sink->errnum));
}

static bool is_done (const struct session *session)
{
    if (!session->over)
        return false;
    return session->ptmx < 0 || session->hurry || relay_is_done (&session->output);
}

static int attend (struct session *session, struct error *err)
{
    bool told = false;

    while (!is_done (session)) {
        bool busy = false;
        if (session->ptmx >= 0) {
            busy |= relay_pump (&session->input);
            busy |= relay_pump (&session->output);
            tell_lost_output (&session->output.sink, &told);
            if (is_done (session))
                break;
        }
        if (wait_for_events (session, busy, err) < 0)
            return -1;
    }
    return 0;
}

static int open_and_attend (struct session *session, struct error *err)
{
    sigset_t signals;

    if (interrupt_hold (err) < 0)
        return -1;
    choose_signals (session, &signals);
    AUTO_FD int epoll = epoll_create1 (EPOLL_CLOEXEC);
    AUTO_FD int signal_fd = signalfd (-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (epoll < 0 || signal_fd < 0)
        return error_set (err, "RT-FOREGROUND-WATCH", errno, "watch process %d", (int)session->pid);
    session->epoll = epoll;
    session->signals = signal_fd;
    if (watch_all (session, err) < 0)
        return -1;
    if (session->ptmx >= 0 && terminal_set_raw (&session->terminal) < 0)
        log_warning ("cannot put the terminal into raw mode: %s", error_words (errno));
    int result = attend (session, err);
    if (session->notify->container >= 0)
        notify_carry (session->notify);
    return result;
}

int foreground_wait (pid_t pid, int pidfd, int ptmx, const struct notify *notify, int *status,
                     struct error *err)
{
    /* Not on the stack: without a terminal nothing of the relays' 128 kB is ever touched, but every
     * page of a stack frame is (-fstack-clash-protection). A process waits for one other at a time.
     */
    static struct session session;
    sigset_t mask;

    session.pid = pid;
    session.pidfd = pidfd;
    session.ptmx = ptmx;
    session.notify = notify;
    session.over = session.hurry = session.held = false;
    session.patience_ms = patience_ms ();
    session.terminal.raw = false;
    session.input.source.owned = session.input.sink.owned = false;
    session.output.source.owned = session.output.sink.owned = false;
    relay_begin (&session.input);
    relay_begin (&session.output);

    (void)sigprocmask (SIG_BLOCK, NULL, &mask);
    int64_t begun = patience_pause ();
    int result = open_and_attend (&session, err);
    patience_resume (begun);
    terminal_restore (&session.terminal);
    (void)sigprocmask (SIG_SETMASK, &mask, NULL);
    relay_release (&session.input);
    relay_release (&session.output);
    if (result == 0)
        *status = session.status;
    return result;
}
