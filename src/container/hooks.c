/* SPDX-License-Identifier: Apache-2.0 */
/* hooks: see hooks.h. */
#include "container/hooks.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/text.h"
#include "kernel/clone.h"
#include "kernel/fds.h"
#include "kernel/opener.h"
#include "kernel/pidfd.h"
#include "kernel/signals.h"
#include "kernel/straggler.h"
#include "oci-spec/annotations.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* What is kept of a hook's output: its end. */
#define OUTPUT_KEPT 4096

/* A daemon that the hook left behind may write for ever; the pipe holds 64 KiB at its death. */
#define OUTPUT_AFTER_DEATH (1 << 20)

struct run {
    pid_t pid;
    int pidfd;
    int state_writer; /* nonblocking; -1 = all written */
    int state_reader; /* ours too until the end, so that writing never raises SIGPIPE (HKS-14) */
    int output;       /* nonblocking */
    const char *state;
    size_t state_left;
    char kept[OUTPUT_KEPT]; /* the last bytes of the output */
    size_t kept_length;
    bool interrupted;
};

#define AUTO_RUN __attribute__ ((cleanup (run_release)))
static void run_release (struct run *run)
{
    cleanup_fd (&run->pidfd);
    cleanup_fd (&run->state_writer);
    cleanup_fd (&run->state_reader);
    cleanup_fd (&run->output);
}

/* What the child could not do, told through a pipe that exec closes. */
struct start_failure {
    enum { START_SETUP, START_CWD, START_EXEC } step;
    int errnum;
};

static _Noreturn void child_fail (int report, int step)
{
    struct start_failure failure = {.step = step, .errnum = errno};

    (void)fd_write_all (report, &failure, sizeof (failure));
    _exit (127);
}

static int close_at_exec (const struct hooks_context *context)
{
    if (!context->preserved)
        return fds_cloexec_from (3);
    for (unsigned int i = 0; i < *context->preserved; i++)
        if (fcntl (3 + (int)i, F_SETFD, FD_CLOEXEC) < 0 && errno != EBADF)
            return -1;
    return 0;
}

static bool cwd_may_be_denied (enum oci_hook_kind kind)
{
    return kind == OCI_HOOK_CREATE_CONTAINER || kind == OCI_HOOK_START_CONTAINER;
}

/* These run outside, as rt does. createContainer does too, but behind the container's mounts: an
 * environment that came with an image has let its library in there (CVE-2025-23266). */
static bool has_environment_of_rt (enum oci_hook_kind kind)
{
    return kind == OCI_HOOK_PRESTART || kind == OCI_HOOK_CREATE_RUNTIME ||
           kind == OCI_HOOK_POSTSTART || kind == OCI_HOOK_POSTSTOP;
}

static char **environment (const struct oci_hook *hook, enum oci_hook_kind kind,
                           const struct hooks_context *context)
{
    static char *empty[] = {NULL};
    const struct oci_strings *env = hook->env.present ? &hook->env : context->env;

    if (env)
        return env->items ? env->items : empty;
    return has_environment_of_rt (kind) ? environ : empty;
}

static _Noreturn void child_run (const struct oci_hook *hook, enum oci_hook_kind kind,
                                 const struct hooks_context *context, pid_t parent,
                                 const int fds[3], int report)
{
    char *only_path[] = {(char *)hook->path, NULL};

    if (prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || setpgid (0, 0) < 0)
        child_fail (report, START_SETUP);
    /* rt died before the line above. 0: it is outside of this process' pid namespace. */
    if (getppid () != parent && getppid () != 0)
        _exit (127);
    /* All of them are above 2: nothing is overwritten before it is copied. */
    for (int fd = 0; fd < 3; fd++)
        if (dup2 (fds[fd], fd) < 0)
            child_fail (report, START_SETUP);
    if (close_at_exec (context) < 0)
        child_fail (report, START_SETUP);
    if (context->cwd && chdir (context->cwd) < 0 && (errno != EACCES || !cwd_may_be_denied (kind)))
        child_fail (report, START_CWD);
    signals_reset (SIGNALS_ALL);
    (void)execve (hook->path, hook->args.present ? hook->args.items : only_path,
                  environment (hook, kind, context));
    child_fail (report, START_EXEC);
}

/* A pipe whose ends are above 2, whatever rt's caller had closed. */
static int make_pipe (int pipe_fds[2])
{
    AUTO_FD int reader = -1;
    AUTO_FD int writer = -1;

    if (pipe2 (pipe_fds, O_CLOEXEC) < 0)
        return -1;
    AUTO_FD int low_reader = pipe_fds[0];
    AUTO_FD int low_writer = pipe_fds[1];
    if (low_reader > STDERR_FILENO && low_writer > STDERR_FILENO) {
        (void)take_fd (&low_reader);
        (void)take_fd (&low_writer);
        return 0;
    }
    reader = fcntl (low_reader, F_DUPFD_CLOEXEC, 3);
    writer = fcntl (low_writer, F_DUPFD_CLOEXEC, 3);
    if (reader < 0 || writer < 0)
        return -1;
    pipe_fds[0] = take_fd (&reader);
    pipe_fds[1] = take_fd (&writer);
    return 0;
}

static int set_nonblocking (int fd)
{
    return fcntl (fd, F_SETFL, O_NONBLOCK);
}

static int system_failure (struct error *err)
{
    return error_set (err, "RT-HOOK-SYSTEM", errno, "cannot make pipes or a process for it");
}

static int64_t now_ms (void)
{
    struct timespec now;

    (void)clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What poll takes: -1 = no limit. A time longer than that is asked for again. */
static int poll_time (int64_t deadline)
{
    int64_t left = deadline < 0 ? -1 : deadline - now_ms ();

    if (deadline >= 0 && left < 0)
        return 0;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

/* exec closes the pipe; on a file system that does not answer it never comes to that. 1, 0, or -1
 * with errno. */
static int begins_in_time (int report, int64_t deadline)
{
    struct pollfd ready = {.fd = report, .events = POLLIN};

    for (;;) {
        int left = poll_time (deadline);
        int count = interrupt_poll (&ready, 1, left);
        if (count != 0 || left == 0)
            return count;
    }
}

/* The child's own words about why it could not exec, or nothing. */
static int check_start (int report, const struct oci_hook *hook,
                        const struct hooks_context *context, struct error *err)
{
    struct start_failure failure;
    ssize_t length;

    do
        length = read (report, &failure, sizeof (failure));
    while (length < 0 && errno == EINTR);
    if (length != sizeof (failure))
        return 0;
    switch (failure.step) {
    case START_CWD:
        return error_set (err, "RT-HOOK-START", failure.errnum, "cannot change to %s",
                          context->cwd);
    case START_EXEC:
        error_set (err, "RT-HOOK-START", failure.errnum, "exec %s", hook->path);
        if (failure.errnum == ENOENT)
            error_hint (err, "the file, or the interpreter that it names, is not there");
        return -1;
    case START_SETUP:
        break;
    }
    return error_set (err, "RT-HOOK-SYSTEM", failure.errnum, "cannot prepare its process");
}

/* Forks; the child has the far ends of the pipes and they are closed here when this returns. */
static int start (struct run *run, const struct oci_hook *hook, enum oci_hook_kind kind,
                  const struct hooks_context *context, int64_t deadline, struct error *err)
{
    const struct clone_request plain = {.cgroup = -1};
    bool in_cgroup;
    int ends[2];

    if (make_pipe (ends) < 0)
        return system_failure (err);
    run->state_reader = ends[0];
    run->state_writer = ends[1];
    if (make_pipe (ends) < 0)
        return system_failure (err);
    run->output = ends[0];
    AUTO_FD int output_writer = ends[1];
    if (make_pipe (ends) < 0)
        return system_failure (err);
    AUTO_FD int report_reader = ends[0];
    AUTO_FD int report_writer = ends[1];
    if (set_nonblocking (run->state_writer) < 0 || set_nonblocking (run->output) < 0)
        return system_failure (err);

    pid_t parent = getpid ();
    run->pid = clone_child (&plain, &run->pidfd, &in_cgroup);
    if (run->pid < 0)
        return system_failure (err);
    if (run->pid == 0) {
        const struct hooks_output *files = context->output;
        const int fds[3] = {run->state_reader,
                            files && files->out >= 0 ? files->out : output_writer,
                            files && files->err >= 0 ? files->err : output_writer};
        child_run (hook, kind, context, parent, fds, report_writer);
    }
    drop_fd (&report_writer);
    /* What does not begin in time, or not at all, carry () finds too. */
    int begun = begins_in_time (report_reader, deadline);
    run->interrupted = begun < 0 && errno == EINTR;
    return begun > 0 ? check_start (report_reader, hook, context, err) : 0;
}

static void keep (struct run *run, const char *bytes, size_t length)
{
    if (length > OUTPUT_KEPT) {
        bytes += length - OUTPUT_KEPT;
        length = OUTPUT_KEPT;
    }
    size_t room = OUTPUT_KEPT - run->kept_length;
    if (length > room) {
        size_t forget = length - room;
        memmove (run->kept, run->kept + forget, run->kept_length - forget);
        run->kept_length -= forget;
    }
    memcpy (run->kept + run->kept_length, bytes, length);
    run->kept_length += length;
}

/* One read; false where there is nothing more, now or ever. */
static bool read_output (struct run *run)
{
    char buffer[OUTPUT_KEPT];
    ssize_t length = read (run->output, buffer, sizeof (buffer));

    if (length > 0)
        keep (run, buffer, (size_t)length);
    else if (length == 0 || (errno != EAGAIN && errno != EINTR))
        drop_fd (&run->output);
    return length > 0;
}

static void write_state (struct run *run)
{
    ssize_t written = write (run->state_writer, run->state, run->state_left);

    if (written > 0) {
        run->state += written;
        run->state_left -= (size_t)written;
    }
    if (run->state_left == 0 || (written < 0 && errno != EAGAIN && errno != EINTR))
        drop_fd (&run->state_writer);
}

/* Carries bytes until the hook is dead: 1; or the time is over: 0; or -1 with errno, EINTR where rt
 * is to end. */
static int carry (struct run *run, int64_t deadline)
{
    enum { DEATH, STATE, OUTPUT };

    if (run->interrupted) {
        errno = EINTR;
        return -1;
    }
    for (;;) {
        struct pollfd ready[] = {
            [DEATH] = {.fd = run->pidfd, .events = POLLIN},
            [STATE] = {.fd = run->state_writer, .events = POLLOUT},
            [OUTPUT] = {.fd = run->output, .events = POLLIN},
        };
        int left = poll_time (deadline);
        if (left == 0)
            return 0;
        /* It may print without end. */
        int count = interrupt_poll (NULL, 0, 0) < 0 ? -1 : interrupt_poll (ready, 3, left);
        if (count < 0)
            return -1;
        if (count == 0)
            continue;
        if (ready[STATE].revents)
            write_state (run);
        if (ready[OUTPUT].revents)
            (void)read_output (run);
        if (ready[DEATH].revents)
            return 1;
    }
}

/* The end of what was printed, as one line that leaves room for the rest of the text. */
static const char *last_words (struct run *run, char *line, size_t size)
{
    size_t length = run->kept_length;

    while (length > 0 && (unsigned char)run->kept[length - 1] <= ' ')
        length--;
    size_t start = length > size - 1 ? length - (size - 1) : 0;
    while (start < length && (unsigned char)run->kept[start] <= ' ')
        start++;
    for (size_t i = start; i < length; i++) {
        unsigned char c = (unsigned char)run->kept[i];
        line[i - start] = (char)(c < ' ' || c == 0x7f ? ' ' : c);
    }
    line[length - start] = '\0';
    return line;
}

static int judge (struct run *run, int status, struct error *err)
{
    char line[600];

    if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
        return 0;
    const char *words = last_words (run, line, sizeof (line));
    const char *colon = words[0] != '\0' ? ": " : "";
    if (WIFEXITED (status))
        return error_set (err, "RT-HOOK-FAILED", 0, "exit status %d%s%s", WEXITSTATUS (status),
                          colon, words);
    const char *signal = oci_names_of (&oci_signals, (uint64_t)WTERMSIG (status));
    return error_set (err, "RT-HOOK-FAILED", 0, "killed by signal %d (%s)%s%s", WTERMSIG (status),
                      signal ? signal : "?", colon, words);
}

/* Reaps it; it is dead or will be at once. */
static int reap (const struct run *run, int *status)
{
    pid_t pid;

    do
        pid = waitpid (run->pid, status, 0);
    while (pid < 0 && errno == EINTR);
    return pid < 0 ? -1 : 0;
}

/* What it has printed before its death. */
static void drain (struct run *run)
{
    for (int left = OUTPUT_AFTER_DEATH; run->output >= 0 && left > 0 && read_output (run);)
        left -= OUTPUT_KEPT;
}

static void kill_group (const struct run *run)
{
    (void)kill (-run->pid, SIGKILL);
    (void)pidfd_signal (run->pidfd, SIGKILL);
}

/* The time that a hook has, and how that is called. Of its own: apart from --timeout. */
struct limit {
    int64_t ms; /* -1 = none */
    double seconds;
};

static struct limit limit_of (const struct oci_hook *hook, const struct hooks_context *context)
{
    int asked = patience_asked_ms ();
    int64_t ms = context->default_timeout_ms;

    if (hook->timeout.present) {
        ms = hook->timeout.value > INT64_MAX / 2000 ? -1 : hook->timeout.value * 1000;
        return (struct limit){.ms = ms, .seconds = (double)ms / 1000};
    }
    if (asked < 0 || ms < 0)
        return (struct limit){.ms = ms, .seconds = (double)ms / 1000};
    /* What is left now: another hook may have had its part. */
    return (struct limit){.ms = asked < ms ? asked : ms, .seconds = patience_seconds ()};
}

/* It is not dead: why it was not waited for any longer. `doing`: nothing where the kernel does not
 * tell. */
static int explain_given_up (struct run *run, int errnum, const struct limit *limit,
                             const char *doing, struct error *err)
{
    char line[600];

    if (errnum == EINTR)
        return interrupt_error (err);
    if (errnum)
        return error_set (err, "RT-HOOK-SYSTEM", errnum, "cannot wait for it");
    const char *words = last_words (run, line, sizeof (line));
    error_set (err, "RT-HOOK-TIMEOUT", 0, "timeout of %g s expired%s%s", limit->seconds,
               words[0] != '\0' ? ": " : "", words);
    return doing[0] != '\0' ? error_hint (err, "it was %s", doing) : -1;
}

static int give_up (struct run *run, int errnum, const struct limit *limit, struct error *err)
{
    AUTO_TEXT struct text doing = {0};
    int status;

    (void)straggler_describe (pidfd_pid (run->pidfd), &doing); /* as /proc numbers it */
    kill_group (run);
    /* In the middle of a call that the kernel does not end (state D) it stays behind. */
    if (pidfd_wait_dead (run->pidfd, patience_ms ()) != 0) {
        (void)reap (run, &status);
        drain (run);
    }
    return explain_given_up (run, errnum, limit, text_string (&doing), err);
}

static int run_within (const struct oci_hook *hook, enum oci_hook_kind kind,
                       const struct hooks_context *context, const struct limit *limit,
                       struct error *err)
{
    AUTO_RUN struct run run = {
        .pid = -1,
        .pidfd = -1,
        .state_writer = -1,
        .state_reader = -1,
        .output = -1,
        .state = context->state,
        .state_left = strlen (context->state),
    };
    int64_t deadline = limit->ms < 0 ? -1 : now_ms () + limit->ms;
    int status;

    if (start (&run, hook, kind, context, deadline, err) < 0) {
        if (run.pid > 0)
            (void)reap (&run, &status);
        return -1;
    }
    int dead = carry (&run, deadline);
    if (dead <= 0)
        return give_up (&run, dead < 0 ? errno : 0, limit, err);
    if (reap (&run, &status) < 0)
        return error_set (err, "RT-HOOK-SYSTEM", errno, "cannot wait for it");
    drain (&run);
    return judge (&run, status, err);
}

static int run_one (const struct oci_hook *hook, enum oci_hook_kind kind,
                    const struct hooks_context *context, struct error *err)
{
    struct limit limit = limit_of (hook, context);
    int64_t begun = patience_pause ();
    int failed = run_within (hook, kind, context, &limit, err);

    if (hook->timeout.present)
        patience_resume (begun);
    return failed;
}

void hooks_allow (const struct oci_hooks *hooks)
{
    for (size_t i = 0; i < hooks->count; i++)
        if (hooks->items[i].timeout.present)
            patience_allow (hooks->items[i].timeout.value > INT32_MAX
                                ? INT32_MAX
                                : hooks->items[i].timeout.value * 1000);
}

static bool has_hooks (const struct oci_config *config)
{
    size_t count = 0;

    for (int kind = 0; kind < OCI_HOOK_KINDS; kind++)
        count += config->hooks[kind].count;
    return count > 0;
}

/* A pipe without a reader is an error, not a wait; and so is a symbolic link: a directory for logs
 * may be shared with a container, which by the time of poststop would have chosen what rt's caller
 * appends to, and makes. */
static int open_output (const struct oci_config *config, const char *annotation, int *fd,
                        struct error *err)
{
    const char *path = oci_annotation (config, annotation);

    if (!path)
        return 0;
    if (opener_ask_place (path, err) < 0)
        return error_at (err, "/annotations/%s", annotation);
    AUTO_FD int file = open (
        path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0600);
    if (file < 0 || fcntl (file, F_SETFL, O_APPEND) < 0) {
        bool link = errno == ELOOP;
        error_set (err, "RT-HOOK-OUTPUT", errno, "open %s for the output of hooks", path);
        if (link)
            error_hint (err, "it is a symbolic link: name the file itself");
        return error_at (err, "/annotations/%s", annotation);
    }
    *fd = take_fd (&file);
    return 0;
}

int hooks_output_open (const struct oci_config *config, struct hooks_output *output,
                       struct error *err)
{
    struct hooks_output opened = HOOKS_OUTPUT_INIT;

    if (has_hooks (config) &&
        (open_output (config, OCI_ANNOTATION_HOOKS_STDOUT, &opened.out, err) < 0 ||
         open_output (config, OCI_ANNOTATION_HOOKS_STDERR, &opened.err, err) < 0)) {
        hooks_output_close (&opened);
        return -1;
    }
    *output = opened;
    return 0;
}

void hooks_output_close (struct hooks_output *output)
{
    cleanup_fd (&output->out);
    cleanup_fd (&output->err);
    *output = (struct hooks_output)HOOKS_OUTPUT_INIT;
}

int hooks_run (const struct oci_hooks *hooks, enum oci_hook_kind kind,
               const struct hooks_context *context, struct error *err)
{
    const char *name = oci_names_of (&oci_hook_kinds, (uint64_t)kind);

    for (size_t i = 0; i < hooks->count; i++) {
        const struct oci_hook *hook = &hooks->items[i];
        struct error failure;

        if (run_one (hook, kind, context, &failure) == 0)
            continue;
        error_wrap (&failure, "error running %s hook #%zu (%s)", name ? name : "", i, hook->path);
        error_at (&failure, "/hooks/%s/%zu", name ? name : "", i);
        if (kind != OCI_HOOK_POSTSTOP) {
            *err = failure;
            return -1;
        }
        char words[ERROR_WORDS];
        log_warning ("%s", error_format (&failure, words, sizeof (words)));
    }
    return 0;
}
