/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_execve: see seccomp_execve.h. */
#include "container/seccomp_execve.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "container/seccomp_code.h"
#include "container/seccomp_compile.h"
#include "container/seccomp_judge.h"
#include "container/seccomp_ready.h"
#include "oci-spec/annotations.h"
#include "oci-spec/seccomp_words.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/types.h>

/* As in the documents. */
#define EXECVE "execve"

/* What a profile says of execve at a glance. */
enum glance { REFUSES, ALLOWS, DEPENDS };

struct look {
    ssize_t entry;   /* the one of `syscalls` to be named; -1 = defaultAction */
    uint32_t action; /* its answer */
};

static bool may_allow (uint32_t action)
{
    switch (action & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_USER_NOTIF:
        return true;
    default:
        return false;
    }
}

static bool names_execve (const struct oci_seccomp_syscall *entry)
{
    for (size_t i = 0; i < entry->names.count; i++)
        if (text_equal (entry->names.items[i], EXECVE))
            return true;
    return false;
}

/* As the compiler reads a profile: the first entry without conditions decides, then those with;
 * what says the same as the default action says nothing. */
static enum glance glance_at (const struct oci_seccomp *seccomp, struct look *look)
{
    uint32_t fallback = code_answer (seccomp->default_action, &seccomp->default_errno_ret);
    struct look conditional = {.entry = -1};
    bool differs = false; /* does a condition decide whether it is allowed? */

    *look = (struct look){.entry = -1, .action = fallback};
    for (size_t i = 0; i < seccomp->syscalls.count; i++) {
        const struct oci_seccomp_syscall *entry = &seccomp->syscalls.items[i];
        const struct look here = {.entry = (ssize_t)i,
                                  .action = code_answer (entry->action, &entry->errno_ret)};
        if (!names_execve (entry))
            continue;
        if (here.action == fallback) {
            if (look->entry < 0 && entry->args.count == 0)
                *look = here;
            continue;
        }
        if (entry->args.count == 0) {
            *look = here;
            return may_allow (here.action) ? ALLOWS : REFUSES;
        }
        if (conditional.entry < 0)
            conditional = here;
        differs = differs || may_allow (here.action) != may_allow (fallback);
    }
    if (!differs)
        return may_allow (fallback) ? ALLOWS : REFUSES;
    if (may_allow (fallback))
        *look = conditional;
    return DEPENDS;
}

/* What happens instead. */
static void describe (struct text *text, uint32_t answer)
{
    uint32_t data = answer & SECCOMP_RET_DATA;

    switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ERRNO:
        if (data == 0)
            text_puts (text, "reports success and does nothing (SCMP_ACT_ERRNO with errno 0)");
        else
            text_printf (text, "fails with errno %u, %s (SCMP_ACT_ERRNO)", data,
                         error_words ((int)data));
        return;
    case SECCOMP_RET_TRAP:
        text_puts (text, "ends the process with SIGSYS (SCMP_ACT_TRAP)");
        return;
    case SECCOMP_RET_USER_NOTIF:
        text_puts (text, "waits for an agent, which such a filter cannot have (SCMP_ACT_NOTIFY)");
        return;
    case SECCOMP_RET_KILL_THREAD:
        text_puts (text, "kills the thread (SCMP_ACT_KILL_THREAD)");
        return;
    default:
        text_puts (text, "kills the process (SCMP_ACT_KILL_PROCESS)");
    }
}

static int refused (struct error *err, const char *what, uint32_t answer)
{
    AUTO_TEXT struct text instead = {0};

    describe (&instead, answer);
    return error_set (err, "RT-SECCOMP-EXECVE", 0,
                      "%s never allows execve, by which the container's program is started: it %s",
                      what, text_string (&instead));
}

static int judge (const struct sock_filter *items, size_t count, struct seccomp_answers *answers,
                  struct error *err)
{
    const struct seccomp_question execve = {.number = door_execve};

    if (seccomp_judge (items, count, door_arch, &execve, 1, answers) < 0)
        return error_set (err, "RT-SECCOMP-JUDGE", errno, "cannot judge the seccomp filter");
    return 0;
}

/* It has no listener. */
static int check_ready (const char *program, struct error *err)
{
    AUTO_FREE struct sock_filter *items = NULL;
    struct seccomp_answers answers;
    uint16_t count;

    if (seccomp_ready_read (program, &items, &count, err) < 0 ||
        judge (items, count, &answers, err) < 0)
        return -1;
    if (answers.possible & (SECCOMP_CAN_ALLOW | SECCOMP_CAN_LOG | SECCOMP_CAN_TRACE))
        return 0;
    refused (err, "the filter", answers.first);
    return error_at (err, "/annotations/" OCI_ANNOTATION_SECCOMP_PROGRAM);
}

/* 1 or 0; -1 = could not tell. */
static int allowed_by_conditions (const struct oci_seccomp *seccomp, struct error *err)
{
    struct seccomp_program program = {0};
    struct seccomp_answers answers;

    if (seccomp_compile (seccomp, &program, err) < 0)
        return -1;
    AUTO_FREE struct sock_filter *items = program.instructions;
    if (judge (items, program.count, &answers, err) < 0)
        return -1;
    return (answers.possible &
            (SECCOMP_CAN_ALLOW | SECCOMP_CAN_LOG | SECCOMP_CAN_TRACE | SECCOMP_CAN_NOTIFY)) != 0;
}

int seccomp_execve_check (const struct oci_seccomp *seccomp, struct error *err)
{
    struct look look;

    if (seccomp->program)
        return check_ready (seccomp->program, err);
    enum glance glance = glance_at (seccomp, &look);
    int allowed = glance == DEPENDS ? allowed_by_conditions (seccomp, err) : glance == ALLOWS;
    if (allowed != 0)
        return allowed < 0 ? -1 : 0;
    refused (err, "linux.seccomp", look.action);
    if (look.entry < 0)
        error_at (err, "/linux/seccomp/defaultAction");
    else
        error_at (err, "/linux/seccomp/syscalls/%zd", look.entry);
    return error_hint (err, "allow execve in linux.seccomp.syscalls");
}
