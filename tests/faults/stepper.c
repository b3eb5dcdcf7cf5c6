/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stepper: runs a command, in which one system call fails that would not have, or meets other
 * files.
 *
 *     stepper REPORT 0 0 -- COMMAND ...
 *
 * writes the name of each call to REPORT, a line each;
 *
 *     stepper REPORT NUMBER ERRNO -- COMMAND ...
 *
 * the call NUMBER (from 1) is not made, and returns ERRNO;
 *
 *     STEPPER_EXCHANGE=ONE:OTHER stepper REPORT NUMBER 0 -- COMMAND ...
 *
 * before the call NUMBER the two paths change places.
 *
 * With "children" in front of REPORT the calls are those of all that the command's process makes,
 * and not its own. The call is written to REPORT. Ends as the command does; killed by a signal: 128
 * and its number. What the command leaves behind runs on untraced.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS_MAX = 256 };

static struct task {
    pid_t pid;
    bool failing;
} tasks[TASKS_MAX];

static struct {
    bool children;
    FILE *report;
    long at;
    int errnum;
    const char *one; /* changes places with `other`; NULL: the call fails */
    const char *other;
    long count;
    pid_t first;
} step;

static struct task *task_of (pid_t pid)
{
    for (int i = 0; i < TASKS_MAX; i++) {
        if (tasks[i].pid == pid)
            return &tasks[i];
        if (tasks[i].pid == 0) {
            tasks[i].pid = pid;
            return &tasks[i];
        }
    }
    fprintf (stderr, "stepper: too many processes\n");
    exit (125);
}

/* What cannot fail is left alone. */
static bool can_fail (long number)
{
    static const char *const never[] = {"exit", "exit_group", "rt_sigreturn", "restart_syscall"};
    char *name = seccomp_syscall_resolve_num_arch (SCMP_ARCH_NATIVE, (int)number);
    bool can = name != NULL;

    for (size_t i = 0; name && i < sizeof never / sizeof never[0]; i++)
        can &= strcmp (name, never[i]) != 0;
    free (name);
    return can;
}

static void tell (long number)
{
    char *name = seccomp_syscall_resolve_num_arch (SCMP_ARCH_NATIVE, (int)number);

    fprintf (step.report, "%s\n", name ? name : "?");
    free (name);
}

/* At the entry of a call and at its end. */
static void on_call (struct task *task)
{
    struct __ptrace_syscall_info info;
    struct user_regs_struct regs;

    if (ptrace (PTRACE_GET_SYSCALL_INFO, task->pid, sizeof info, &info) <= 0)
        return;
    bool entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
    if (entry ? step.children == (task->pid == step.first) : !task->failing)
        return;
    if (ptrace (PTRACE_GETREGS, task->pid, NULL, &regs) < 0)
        return;
    if (!entry) {
        task->failing = false;
        regs.rax = (unsigned long long)-step.errnum;
        (void)ptrace (PTRACE_SETREGS, task->pid, NULL, &regs);
        return;
    }
    long number = (long)regs.orig_rax;
    if (!can_fail (number))
        return;
    step.count++;
    if (step.at == 0 || step.count == step.at)
        tell (number);
    if (step.count != step.at)
        return;
    if (step.one) {
        if (renameat2 (AT_FDCWD, step.one, AT_FDCWD, step.other, RENAME_EXCHANGE) < 0)
            perror ("stepper: exchange");
        return;
    }
    regs.orig_rax = (unsigned long long)-1;
    task->failing = ptrace (PTRACE_SETREGS, task->pid, NULL, &regs) == 0;
}

/* The signal to go on with. */
static int on_stop (pid_t pid, int word)
{
    bool known = false;

    for (int i = 0; i < TASKS_MAX && tasks[i].pid; i++)
        known |= tasks[i].pid == pid;
    struct task *task = task_of (pid);
    if (WSTOPSIG (word) == (SIGTRAP | 0x80)) {
        on_call (task);
        return 0;
    }
    if (word >> 16 || (!known && WSTOPSIG (word) == SIGSTOP))
        return 0;
    return WSTOPSIG (word);
}

static int follow (void)
{
    int word;

    for (;;) {
        pid_t pid = waitpid (-1, &word, __WALL);
        if (pid < 0)
            return 125;
        if (pid == step.first && WIFEXITED (word))
            return WEXITSTATUS (word);
        if (pid == step.first && WIFSIGNALED (word))
            return 128 + WTERMSIG (word);
        if (WIFSTOPPED (word))
            (void)ptrace (PTRACE_SYSCALL, pid, NULL, (long)on_stop (pid, word));
    }
}

/* "ONE:OTHER" */
static void read_exchange (void)
{
    char *words = getenv ("STEPPER_EXCHANGE");
    char *colon = words ? strchr (words, ':') : NULL;

    if (!colon)
        return;
    step.one = strndup (words, (size_t)(colon - words));
    step.other = strdup (colon + 1);
    (void)unsetenv ("STEPPER_EXCHANGE");
}

int main (int argc, char *argv[])
{
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC;
    int word, i = 1;

    if (argc > 1 && strcmp (argv[1], "children") == 0) {
        step.children = true;
        options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
        i++;
    }
    if (argc < i + 5 || strcmp (argv[i + 3], "--") != 0) {
        fprintf (stderr, "usage: stepper [children] REPORT NUMBER ERRNO -- COMMAND ...\n");
        return 125;
    }
    read_exchange ();
    step.report = fopen (argv[i], "we");
    step.at = atol (argv[i + 1]);
    step.errnum = atoi (argv[i + 2]);
    step.first = fork ();
    if (step.first == 0) {
        (void)ptrace (PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise (SIGSTOP);
        execv (argv[i + 4], argv + i + 4);
        _exit (127);
    }
    if (!step.report || step.first < 0 || waitpid (step.first, &word, 0) < 0 ||
        ptrace (PTRACE_SETOPTIONS, step.first, NULL, options) < 0)
        return 125;
    (void)task_of (step.first);
    (void)ptrace (PTRACE_SYSCALL, step.first, NULL, NULL);
    int status = follow ();
    (void)fclose (step.report);
    return status;
}
