/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ps: the processes of a container. As a table it is what ps(1) says of them: that program is asked
 * for all processes, and the lines of others are left out, so that every option of ps(1) works.
 */
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/json_write.h"
#include "base/patience.h"
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (64u << 20)

extern char **environ;

enum { FORMAT_TABLE = 1, FORMAT_JSON = 2 }; /* in the order of the words */

struct ps_options {
    int format;
};

static const struct option rows[] = {
    OPTION_WORD ("format", "f", struct ps_options, format, "table|json", NULL,
                 "how to print (default: table); json is a list of process ids"),
};

static int print_json (const struct lifecycle_processes *processes, struct error *err)
{
    AUTO_TEXT struct text out = {0};
    struct json_writer writer = {.out = &out};

    json_open (&writer, NULL, '[');
    for (size_t i = 0; i < processes->count; i++)
        json_int (&writer, NULL, processes->pids[i]);
    json_close (&writer, ']');
    text_putc (&out, '\n');
    return command_print (&out, err);
}

/* ps(1) reads of each process of the host, and one of these may hold it up. */
static int await_ps (pid_t child, struct error *err)
{
    struct wait wait = wait_begin (patience_ms ());
    int status;
    pid_t ended;

    while ((ended = waitpid (child, &status, WNOHANG)) == 0 && wait_more (&wait))
        ;
    if (ended < 0)
        return error_set (err, "RT-PS", errno, "cannot wait for ps");
    if (ended == 0) {
        (void)kill (child, SIGKILL);
        error_set (err, "RT-PS", 0, "ps does not end: waited %g s", patience_seconds ());
        return error_hint (err, "it reads of each process of this host; --format json does not");
    }
    if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
        return 0;
    return error_set (err, "RT-PS", 0, "ps failed with status %d",
                      WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status));
}

/* Everything that ps(1) prints; free () it. */
static char *run_ps (char *const argv[], struct error *err)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    size_t length;

    AUTO_FD int output = memfd_create ("ps", MFD_CLOEXEC);
    if (output < 0) {
        error_set (err, "RT-PS", errno, "cannot make a file in memory");
        return NULL;
    }
    (void)posix_spawn_file_actions_init (&actions);
    (void)posix_spawn_file_actions_adddup2 (&actions, output, STDOUT_FILENO);
    int failed = posix_spawnp (&child, "ps", &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy (&actions);
    if (failed) {
        error_set (err, "RT-PS", failed, "cannot run ps");
        error_hint (err, "install procps, or use --format json");
        return NULL;
    }
    if (await_ps (child, err) < 0)
        return NULL;
    if (lseek (output, 0, SEEK_SET) < 0) {
        error_set (err, "RT-PS", errno, "read the output of ps");
        return NULL;
    }
    return fd_read_all (output, OUTPUT_MAX, &length, "the output of ps", err);
}

/* The word of a line in this column; its length, 0 where the line is shorter. */
static size_t word_at (const char *line, int column, const char **word)
{
    for (int i = 0;; i++) {
        line += strspn (line, " ");
        size_t length = strcspn (line, " \n");
        if (i == column || length == 0) {
            *word = line;
            return length;
        }
        line += length;
    }
}

static int find_pid_column (const char *heads)
{
    const char *word;
    size_t length;

    for (int column = 0; (length = word_at (heads, column, &word)) > 0; column++)
        if (length == 3 && strncmp (word, "PID", 3) == 0)
            return column;
    return -1;
}

static bool is_ours (const struct lifecycle_processes *processes, const char *line, int column)
{
    const char *word;
    char digits[16];
    uint64_t pid;
    size_t length = word_at (line, column, &word);

    if (length == 0 || length >= sizeof (digits))
        return false;
    memcpy (digits, word, length);
    digits[length] = '\0';
    if (text_to_uint64 (digits, INT32_MAX, &pid) < 0)
        return false;
    for (size_t i = 0; i < processes->count; i++)
        if ((uint64_t)processes->pids[i] == pid)
            return true;
    return false;
}

static int print_table (const struct lifecycle_processes *processes,
                        const struct invocation *invocation, struct error *err)
{
    AUTO_TEXT struct text out = {0};
    char **argv = arena_array (invocation->arena, (size_t)invocation->count + 3, sizeof (char *));

    argv[0] = arena_string (invocation->arena, "ps");
    argv[1] = arena_string (invocation->arena, "-ef");
    for (int i = 1; i < invocation->count; i++)
        argv[i] = invocation->arguments[i];
    AUTO_FREE char *text = run_ps (argv, err);
    if (!text)
        return -1;
    int column = find_pid_column (text);
    if (column < 0)
        return error_set (err, "RT-PS", 0, "the output of ps has no column PID");
    for (const char *line = text; *line; line += strcspn (line, "\n") + 1) {
        size_t length = strcspn (line, "\n");
        if (line == text || is_ours (processes, line, column)) {
            text_add (&out, line, length);
            text_putc (&out, '\n');
        }
        if (line[length] == '\0')
            break;
    }
    return command_print (&out, err);
}

static int ps_container (struct invocation *invocation, struct error *err)
{
    const struct ps_options *options = invocation->options;
    struct lifecycle_processes processes = {0};

    if (lifecycle_processes (invocation->globals, invocation->arguments[0], invocation->arena,
                             &processes, err) < 0)
        return -1;
    return options->format == FORMAT_JSON ? print_json (&processes, err)
                                          : print_table (&processes, invocation, err);
}

const struct command command_ps = {
    .name = "ps",
    .arguments = "ID [PS-OPTION...]",
    .min = 1,
    .max = ANY_NUMBER,
    .containers = 1,
    .options = rows,
    .option_count = LENGTH (rows),
    .options_size = sizeof (struct ps_options),
    .order = OPTIONS_FIRST,
    .summary = "Print the processes of a container",
    .details = "Options behind the id are those of ps(1); the default is -ef.",
    .run = ps_container,
};
