/* SPDX-License-Identifier: Apache-2.0 */
/* straggler: see straggler.h. */
#include "kernel/straggler.h"

#include "base/cleanup.h"
#include "kernel/procfd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { WORDS_MAX = 200, NAME_LENGTH_MAX = 15 };

struct thread {
    char state;
    char name[NAME_LENGTH_MAX + 1];
};

/* "123 (a name) S ...": the name may hold anything, so it ends at the last parenthesis. */
static int read_thread (const char *directory, struct thread *thread)
{
    char path[80], stat[1024];

    (void)snprintf (path, sizeof path, "%s/stat", directory);
    if (procfd_read (path, stat, sizeof stat) < 0)
        return -1;
    const char *name = strchr (stat, '('), *end = strrchr (stat, ')');
    if (!name || !end || end < name || end[1] != ' ') {
        errno = EPROTO;
        return -1;
    }
    thread->state = end[2];
    (void)snprintf (thread->name, sizeof thread->name, "%.*s", (int)(end - name - 1), name + 1);
    for (char *c = thread->name; *c; c++)
        if (*c < ' ' || *c == 0x7f)
            *c = '?';
    return 0;
}

/* How much a thread tells of why its process is still there. */
static int weight (char state)
{
    return state == 'D' ? 2 : state == 'Z' || state == 'X' ? 0 : 1;
}

/* The directory of the thread that is worth to be told of. */
static int choose_thread (pid_t pid, char *directory, size_t size, struct thread *thread)
{
    char path[64];
    struct dirent *entry;
    struct thread other;
    bool found = false;

    (void)snprintf (path, sizeof path, "%d/task", (int)pid);
    AUTO_FD int fd = procfd_open (path, O_RDONLY | O_DIRECTORY);
    AUTO_DIR DIR *tasks = fd < 0 ? NULL : fdopendir (fd);
    if (!tasks)
        return -1;
    (void)take_fd (&fd);
    while ((entry = readdir (tasks)) != NULL) {
        (void)snprintf (path, sizeof path, "%d/task/%.20s", (int)pid, entry->d_name);
        if (entry->d_name[0] == '.' || read_thread (path, &other) < 0 ||
            (found && weight (other.state) <= weight (thread->state)))
            continue;
        found = true;
        *thread = other;
        (void)snprintf (directory, size, "%s", path);
    }
    return found ? 0 : -1;
}

bool straggler_describe (pid_t pid, struct text *text)
{
    char directory[64], path[80], where[128];
    struct thread thread;

    if (choose_thread (pid, directory, sizeof directory, &thread) < 0)
        return false;
    text_printf (text, "%d (%s), %c", (int)pid, thread.name, thread.state);
    (void)snprintf (path, sizeof path, "%s/wchan", directory);
    /* "0": it does not sleep, or we may not know. */
    if (procfd_read (path, where, sizeof where) > 0 && where[0] != '0')
        text_printf (text, " in %s", where);
    return true;
}

/* A number behind a name of /proc/PID/status; 0 where there is none. */
static uint64_t status_number (const char *status, const char *name)
{
    char digits[24];
    uint64_t value = 0;
    const char *line = strstr (status, name);

    if (!line)
        return 0;
    line += strlen (name);
    (void)snprintf (digits, sizeof digits, "%.*s", (int)strcspn (line, "\n"), line);
    return text_to_uint64 (digits, UINT64_MAX, &value) < 0 ? 0 : value;
}

/* Where the kernel does not list children (CONFIG_PROC_CHILDREN), there may be some. */
static bool may_have_children (pid_t pid)
{
    char path[64], children[32];

    (void)snprintf (path, sizeof path, "%d/task/%d/children", (int)pid, (int)pid);
    return procfd_read (path, children, sizeof children) != 0;
}

enum straggler_pace straggler_look (pid_t pid, struct straggler *last)
{
    char path[32], status[4096];
    uint64_t before = last->runs;

    (void)snprintf (path, sizeof path, "%d/status", (int)pid);
    if (procfd_read (path, status, sizeof status) <= 0 || strstr (status, "\nState:\tZ") ||
        strstr (status, "\nState:\tX"))
        return STRAGGLER_GONE;
    last->runs = status_number (status, "\nvoluntary_ctxt_switches:\t") +
                 status_number (status, "\nnonvoluntary_ctxt_switches:\t");
    pid_t tracer = (pid_t)status_number (status, "\nTracerPid:\t");
    if (tracer > 0 || strstr (status, "\nState:\tt"))
        last->traced = true;
    if (last->traced || strstr (status, "\nState:\tT"))
        return STRAGGLER_HELD;
    if (strstr (status, "\nState:\tR") || last->runs != before)
        return STRAGGLER_WORKS;
    return may_have_children (pid) ? STRAGGLER_AWAITS_CHILD : STRAGGLER_STANDS;
}

int straggler_end (pid_t pid, int *word)
{
    char path[32], stat[1024];
    struct thread thread;
    uint64_t value;

    (void)snprintf (path, sizeof path, "%d", (int)pid);
    if (read_thread (path, &thread) < 0)
        return -1;
    if (thread.state != 'Z') {
        errno = ESRCH;
        return -1;
    }
    (void)snprintf (path, sizeof path, "%d/stat", (int)pid);
    if (procfd_read (path, stat, sizeof stat) < 0)
        return -1;
    stat[strcspn (stat, "\n")] = '\0';
    const char *last = strrchr (stat, ' ');
    if (!last || text_to_uint64 (last + 1, INT32_MAX, &value) < 0) {
        errno = EPROTO;
        return -1;
    }
    if (value == 0 && geteuid () != 0) {
        errno = EPERM;
        return -1;
    }
    *word = (int)value;
    return 0;
}

pid_t straggler_tracer (pid_t pid)
{
    char path[32], status[4096];

    (void)snprintf (path, sizeof path, "%d/status", (int)pid);
    return procfd_read (path, status, sizeof status) > 0
               ? (pid_t)status_number (status, "\nTracerPid:\t")
               : 0;
}

void stragglers_describe (const pid_t *pids, size_t count, struct text *text)
{
    size_t start = text->length, told = 0, gone = 0;

    while (told + gone < count && text->length - start < WORDS_MAX) {
        AUTO_TEXT struct text one = {0};
        if (!straggler_describe (pids[told + gone], &one)) {
            gone++;
            continue;
        }
        text_printf (text, "%s%s", told ? "; " : "", text_string (&one));
        told++;
    }
    if (told + gone < count)
        text_printf (text, "; and %zu more", count - told - gone);
}
