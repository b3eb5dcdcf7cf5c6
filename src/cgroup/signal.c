/* SPDX-License-Identifier: Apache-2.0 */
/* signal: see signal.h. */
#include "cgroup/signal.h"

#include "cgroup/tree.h"
#include "cgroup/within.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/pidfd.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    SPARE_FDS = 4, /* for what is opened beside the pidfds */
    CGROUP_TEXT = 64 * 1024,
};

struct sending {
    const struct oci_pair *item;
    int signal;
    bool held;
    bool threads; /* the container's own cgroup is threaded */
    bool raised;  /* the limit on descriptors */
    struct rlimit limit;
    size_t met;
    struct error *first;
};

static bool is_gone (int errnum)
{
    return errnum == ENOENT || errnum == ENODEV;
}

/* The first error is kept. */
static void fail (struct sending *sending, pid_t pid, int errnum)
{
    if (error_is_set (sending->first))
        return;
    (void)error_set (sending->first, "RT-CGROUP-KILL", errnum, "send signal %d to process %d",
                     sending->signal, (int)pid);
    if (errnum == ENOSYS)
        (void)error_hint (sending->first,
                          "pidfd_send_signal is denied here, and a number alone may be another "
                          "process's by now: allow it");
}

/* What it needs is one descriptor for each process of a directory. */
static bool raise_limit (struct sending *sending)
{
    if (sending->raised || getrlimit (RLIMIT_NOFILE, &sending->limit) < 0 ||
        sending->limit.rlim_cur >= sending->limit.rlim_max)
        return false;
    const struct rlimit all = {.rlim_cur = sending->limit.rlim_max,
                               .rlim_max = sending->limit.rlim_max};
    sending->raised = setrlimit (RLIMIT_NOFILE, &all) == 0;
    return sending->raised;
}

static void close_pidfds (int *pidfds, size_t from, size_t end)
{
    for (size_t i = from; i < end; i++)
        cleanup_fd (&pidfds[i]);
}

/* Opens as many as there are descriptors for, from `from` on; -1 where there is no such process any
 * more. The end of what was opened, 0 = not even one could be. */
static size_t open_pidfds (struct sending *sending, const struct tree *listed, int *pidfds,
                           size_t from)
{
    for (size_t i = from; i < listed->process_count;) {
        pidfds[i] = pidfd_open_number (listed->processes[i]);
        int errnum = errno;
        if (pidfds[i] < 0 && errnum == EMFILE && raise_limit (sending))
            continue;
        if (pidfds[i] < 0 && errnum == EMFILE && i > from)
            return i;
        if (pidfds[i] < 0 && errnum != ESRCH)
            fail (sending, listed->processes[i], errnum);
        if (pidfds[i] < 0 && errnum == EMFILE)
            return 0;
        i++;
    }
    return listed->process_count;
}

static int compare (const void *one, const void *other)
{
    const pid_t *a = one;
    const pid_t *b = other;

    return (*a > *b) - (*a < *b);
}

/* 1 the process that the pidfd holds has a thread in the cgroup; 0 not; -1 errno. */
static int has_thread (const struct sending *sending, pid_t pid, pid_t thread, int pidfd)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    const struct oci_map map = {
        .count = 1, .items = (struct oci_pair *)(uintptr_t)sending->item, .present = true};
    const struct oci_pair *outside;
    struct error failure = {0};
    const char *instead;
    char path[48];

    (void)snprintf (path, sizeof path, "%d/task/%d/cgroup", (int)pid, (int)thread);
    char *text = arena_alloc (&arena, CGROUP_TEXT);
    if (procfd_read (path, text, CGROUP_TEXT) < 0)
        return errno == ENOENT || errno == ESRCH ? 0 : -1;
    int within = cgroup_within (&arena, &map, text, &outside, &instead, &failure);
    if (within < 0)
        errno = EPROTO;
    return within == 1 ? pidfd_holds (pidfd, pid) : within;
}

/* Is it still in there? The look comes after all pidfds were opened. */
static int is_inside (const struct sending *sending, const struct tree *listed,
                      const struct tree *again, size_t i, int pidfd)
{
    if (sending->threads)
        return has_thread (sending, listed->processes[i], listed->threads[i], pidfd);
    return again->process_count > 0 &&
           bsearch (&listed->processes[i], again->processes, again->process_count,
                    sizeof *again->processes, compare) != NULL;
}

static void send (struct sending *sending, pid_t pid, int pidfd)
{
    if (pidfd_signal (pidfd, sending->signal) == 0 || errno == ESRCH)
        return;
    if (errno == ENOSYS && sending->held && (kill (pid, sending->signal) == 0 || errno == ESRCH))
        return;
    fail (sending, pid, errno);
}

/* The list once more, sorted; where no descriptor is left for it, some pidfds are closed. */
static int list_again (struct sending *sending, struct arena *arena, int dir, int *pidfds,
                       size_t from, size_t *end, struct tree *again)
{
    if (sending->threads)
        return 0;
    while (tree_processes_at (arena, dir, false, again) < 0) {
        *again = (struct tree){0};
        if (errno != EMFILE)
            return -1;
        if (raise_limit (sending))
            continue;
        if (*end - from <= SPARE_FDS) {
            errno = EMFILE;
            return -1;
        }
        close_pidfds (pidfds, *end - SPARE_FDS, *end);
        *end -= SPARE_FDS;
    }
    if (again->process_count > 0)
        qsort (again->processes, again->process_count, sizeof *again->processes, compare);
    return 0;
}

/* Those of `listed` from `from` on that the descriptors reach for; the next one, 0 = no further. */
static size_t signal_some (struct sending *sending, int dir, const struct tree *listed, int *pidfds,
                           size_t from)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct tree again = {0};
    size_t end = open_pidfds (sending, listed, pidfds, from);

    if (end == 0)
        return 0;
    if (list_again (sending, &arena, dir, pidfds, from, &end, &again) < 0) {
        fail (sending, listed->processes[from], errno);
        close_pidfds (pidfds, from, end);
        return 0;
    }
    for (size_t i = from; i < end; i++) {
        int inside = pidfds[i] < 0 ? 0 : is_inside (sending, listed, &again, i, pidfds[i]);
        if (inside < 0)
            fail (sending, listed->processes[i], errno);
        if (inside > 0)
            send (sending, listed->processes[i], pidfds[i]);
        cleanup_fd (&pidfds[i]);
    }
    return end;
}

/* Below a domain a threaded cgroup's processes are those of the domain. */
static int list (struct sending *sending, struct arena *arena, size_t node, int dir,
                 struct tree *listed)
{
    int result = tree_processes_at (arena, dir, sending->threads, listed);

    if (result < 0 && errno == EOPNOTSUPP && node == 0) {
        sending->threads = true;
        result = tree_processes_at (arena, dir, true, listed);
    }
    return result < 0 && errno != EOPNOTSUPP ? -1 : 0;
}

/* rt itself may be one of them. It is not the container's, and has the rest to do. */
static void leave_out_self (struct tree *listed)
{
    const pid_t self = getpid ();
    size_t kept = 0;

    for (size_t i = 0; i < listed->process_count; i++) {
        if (listed->processes[i] == self)
            continue;
        listed->processes[kept] = listed->processes[i];
        if (listed->threads)
            listed->threads[kept] = listed->threads[i];
        kept++;
    }
    listed->process_count = kept;
}

static int signal_directory (void *context, size_t node, int dir)
{
    struct sending *sending = context;
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct tree listed = {0};

    if (list (sending, &arena, node, dir, &listed) < 0)
        return -1;
    leave_out_self (&listed);
    if (listed.process_count == 0)
        return 0;
    sending->met += listed.process_count;
    int *pidfds = arena_array (&arena, listed.process_count, sizeof *pidfds);
    for (size_t at = 0; at < listed.process_count;) {
        at = signal_some (sending, dir, &listed, pidfds, at);
        if (at == 0)
            break;
    }
    return 0;
}

int signal_processes (const struct oci_pair *item, int signal, bool held, size_t *met,
                      struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct error first = {0};
    struct sending sending = {.item = item, .signal = signal, .held = held, .first = &first};
    struct tree tree;

    *met = 0;
    AUTO_FD int dir = open (item->value, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 && is_gone (errno))
        return 0;
    int failed = dir < 0 || tree_list (&arena, dir, &tree) < 0 ||
                 tree_visit (dir, &tree, signal_directory, &sending) < 0;
    int errnum = errno;
    if (sending.raised)
        (void)setrlimit (RLIMIT_NOFILE, &sending.limit);
    if (failed && !error_is_set (&first))
        (void)error_set (&first, "RT-CGROUP-PROCESSES", errnum, "list the processes of cgroup '%s'",
                         item->value);
    *met = sending.met;
    if (!error_is_set (&first))
        return 0;
    *err = first;
    return -1;
}
