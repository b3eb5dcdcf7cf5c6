/* SPDX-License-Identifier: Apache-2.0 */
/* session: a conversation with CRIU; see criu.h. */
#include "criu/criu.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/text.h"
#include "criu/last_words.h"
#include "criu/protobuf.h"
#include "kernel/clone.h"
#include "kernel/fds.h"
#include "kernel/signals.h"
#include "kernel/straggler.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Of a request or an answer. Externals and descriptors are few hundred bytes each. */
#define PACKET_MAX (1u << 16)

enum { TYPE_NOTIFY = 6, TYPE_VERSION = 10 };

static _Noreturn void child_fail (int report)
{
    int errnum = errno;

    (void)fd_write_all (report, &errnum, sizeof (errnum));
    _exit (127);
}

static int keep (int fd)
{
    return fcntl (fd, F_SETFD, 0);
}

static _Noreturn void become_criu (const struct criu_start *how, pid_t parent, int line, int report)
{
    char number[12];

    if (prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        child_fail (report);
    /* rt died before the line above. */
    if (getppid () != parent && getppid () != 0)
        _exit (127);
    if (how->enter && how->enter (how->context) < 0)
        child_fail (report);
    if (fds_cloexec_from (3) < 0 || keep (line) < 0)
        child_fail (report);
    for (size_t i = 0; i < how->fd_count; i++)
        if (keep (how->fds[i]) < 0)
            child_fail (report);
    signals_reset (SIGNALS_ALL);
    (void)snprintf (number, sizeof (number), "%d", line);
    (void)execlp ("criu", "criu", "swrk", number, (char *)NULL);
    child_fail (report);
}

/* Why it could not even be executed. */
static int check_begin (int report, struct error *err)
{
    int errnum;
    ssize_t length;

    do
        length = read (report, &errnum, sizeof (errnum));
    while (length < 0 && errno == EINTR);
    if (length != sizeof (errnum))
        return 0;
    error_set (err, "RT-CRIU-MISSING", errnum, "cannot run criu");
    if (errnum != ENOENT)
        return -1;
    return error_hint (err,
                       "checkpoint and restore need CRIU %d.%d or later: install the package criu, "
                       "or put it on the PATH",
                       CRIU_MINIMUM / 10000, CRIU_MINIMUM / 100 % 100);
}

static int spawn (struct criu *criu, const struct criu_start *how, struct error *err)
{
    const struct clone_request request = {.cgroup = -1};
    pid_t parent = getpid ();
    int pair[2];
    int report[2];
    int pidfd = -1;
    bool in_cgroup;

    if (fd_socketpair (SOCK_SEQPACKET, pair, err) < 0)
        return -1;
    criu->line = pair[0];
    AUTO_FD int other = pair[1];
    if (pipe2 (report, O_CLOEXEC) < 0)
        return error_set (err, "RT-CRIU-BEGIN", errno, "cannot make a pipe for criu");
    AUTO_FD int reader = report[0];
    AUTO_FD int writer = report[1];
    criu->pid = clone_child (&request, &pidfd, &in_cgroup);
    if (criu->pid < 0)
        return error_set (err, "RT-CRIU-BEGIN", errno, "cannot make a process for criu");
    if (criu->pid == 0)
        become_criu (how, parent, other, writer);
    (void)close (pidfd);
    drop_fd (&writer);
    return check_begin (reader, err);
}

/* CRIU has closed the line: how it ended. */
static int explain_end (struct criu *criu, struct error *err)
{
    int status = 0;
    pid_t ended;

    do
        ended = waitpid (criu->pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    criu->pid = -1;
    if (ended > 0 && WIFSIGNALED (status))
        error_set (err, "RT-CRIU-ENDED", 0, "criu was killed by signal %d (%s)", WTERMSIG (status),
                   oci_signal_name (WTERMSIG (status)));
    else
        error_set (err, "RT-CRIU-ENDED", 0, "criu ended with status %d and no answer",
                   ended > 0 ? WEXITSTATUS (status) : -1);
    return criu->work < 0
               ? -1
               : last_words_explain (criu->work, criu->work_path, criu->log_file, "", err);
}

static int await (const struct criu *criu, struct error *err)
{
    struct pollfd ready = {.fd = criu->line, .events = POLLIN};
    AUTO_TEXT struct text doing = {0};
    int limit = patience_asked_ms ();
    struct wait wait = wait_begin (limit < 0 ? 0 : limit);
    int got;

    got = interrupt_poll (&ready, 1, limit < 0 ? -1 : wait_left (&wait));
    if (got > 0)
        return 0;
    if (got < 0 && errno == EINTR)
        return interrupt_error (err);
    if (got < 0)
        return error_set (err, "RT-CRIU-LINE", errno, "cannot wait for criu");
    error_set (err, "RT-CRIU-TIMEOUT", 0, "criu does not answer: waited %g s", patience_seconds ());
    return straggler_describe (criu->pid, &doing)
               ? error_hint (err, "it was %s", text_string (&doing))
               : -1;
}

static int receive (struct criu *criu, struct criu_answer *answer, int *fd, struct error *err)
{
    /* One conversation at a time; not on the stack, which would be touched as a whole. */
    static unsigned char packet[PACKET_MAX];
    size_t fd_count = 1;

    *fd = -1;
    if (await (criu, err) < 0)
        return -1;
    ssize_t length = fd_receive (criu->line, packet, sizeof (packet), fd, &fd_count);
    if (length == 0 || (length < 0 && errno == ECONNRESET))
        return explain_end (criu, err);
    if (length < 0)
        return error_set (err, "RT-CRIU-LINE", errno, "cannot receive from criu");
    if (criu_answer_read (packet, (size_t)length, answer) < 0) {
        drop_fd (fd);
        return error_set (err, "RT-CRIU-LINE", EPROTO, "criu sent what is no answer");
    }
    return 0;
}

static int send_text (struct criu *criu, const struct text *text, struct error *err)
{
    if (text->length > PACKET_MAX)
        return error_set (err, "RT-CRIU-LINE", EMSGSIZE, "too much to ask of criu: %zu bytes",
                          text->length);
    if (fd_send (criu->line, text->bytes, text->length, NULL, 0) == 0)
        return 0;
    if (errno == EPIPE || errno == ECONNRESET)
        return explain_end (criu, err);
    return error_set (err, "RT-CRIU-LINE", errno, "cannot send to criu");
}

/* Without it, what a new CRIU calls a failure of its own would be found in its log only. */
static int check_version (struct criu *criu, struct error *err)
{
    AUTO_TEXT struct text request = {0};
    struct criu_answer answer;
    AUTO_FD int fd = -1;

    protobuf_number (&request, 1, TYPE_VERSION);
    protobuf_number (&request, 4, true); /* keep_open */
    if (send_text (criu, &request, err) < 0 || receive (criu, &answer, &fd, err) < 0)
        return -1;
    log_debug ("criu %u.%u.%u", answer.version / 10000, answer.version / 100 % 100,
               answer.version % 100);
    if (answer.version >= CRIU_MINIMUM)
        return 0;
    error_set (err, "RT-CRIU-VERSION", 0, "criu is too old: %u.%u, and %d.%d is needed",
               answer.version / 10000, answer.version / 100 % 100, CRIU_MINIMUM / 10000,
               CRIU_MINIMUM / 100 % 100);
    return error_hint (err, "install a newer package criu");
}

int criu_begin (struct criu *criu, const struct criu_start *how, struct error *err)
{
    if (spawn (criu, how, err) < 0 || check_version (criu, err) < 0) {
        criu_end (criu);
        return -1;
    }
    return 0;
}

/* CRIU waits for the answer; a failure ends its work. */
static int tell_listener (struct criu *criu, const struct criu_answer *answer, int fd,
                          criu_listener *listener, void *context, struct error *err)
{
    AUTO_TEXT struct text reply = {0};
    struct criu_news news = {.script = answer->script, .pid = answer->pid, .fd = fd};
    struct error ignored;

    log_debug ("criu: %s", answer->script);
    int failed = listener ? listener (context, &news, err) : 0;
    drop_fd (&news.fd);
    protobuf_number (&reply, 1, TYPE_NOTIFY);
    protobuf_number (&reply, 3, !failed);
    /* The listener's error is the reason; that CRIU heard of it is not. */
    return send_text (criu, &reply, failed ? &ignored : err) < 0 || failed ? -1 : 0;
}

static int explain_failure (const struct criu *criu, enum criu_task task,
                            const struct criu_answer *answer, struct error *err)
{
    error_set (err, "RT-CRIU-FAILED", answer->errnum, "criu could not %s the container",
               task == CRIU_RESTORE ? "restore" : "dump");
    return last_words_explain (criu->work, criu->work_path, criu->log_file, answer->message, err);
}

int criu_do (struct criu *criu, enum criu_task task, const struct criu_options *options,
             criu_listener *listener, void *context, pid_t *restored, struct error *err)
{
    AUTO_TEXT struct text request = {0};
    struct criu_answer answer;
    struct error ignored;
    bool refused = false;

    criu_request_write (&request, task, options);
    if (send_text (criu, &request, err) < 0)
        return -1;
    for (;;) {
        struct error *here = refused ? &ignored : err;
        int fd;
        if (receive (criu, &answer, &fd, here) < 0)
            return -1;
        if (answer.task == TYPE_NOTIFY) {
            /* After a refusal CRIU may still tell of what it takes back. */
            if (tell_listener (criu, &answer, fd, refused ? NULL : listener, context, here) < 0)
                refused = true;
            continue;
        }
        drop_fd (&fd);
        if (refused)
            return -1;
        if (!answer.success)
            return explain_failure (criu, task, &answer, err);
        if (restored && answer.pid > 0)
            *restored = answer.pid;
        return 0;
    }
}

void criu_end (struct criu *criu)
{
    drop_fd (&criu->line);
    if (criu->pid <= 0)
        return;
    /* It ends by itself when the line closes; what still works must not go on. */
    (void)kill (criu->pid, SIGKILL);
    while (waitpid (criu->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    criu->pid = -1;
}
