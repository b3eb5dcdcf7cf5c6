/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: children in user namespaces of their own, and a parent that is an ordinary user, to whom
 * the kernel does not show all.
 */
#include "verify_stage.h"

#include "base/fdio.h"
#include "container/caps.h"
#include "container/user.h"
#include "kernel/clone.h"
#include "kernel/procdir.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int write_file (pid_t pid, const char *name, const char *text)
{
    char path[48];

    (void)snprintf (path, sizeof (path), "/proc/%d/%s", pid, name);
    AUTO_FD int fd = open (path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && fd_write_all (fd, text, strlen (text)) == 0 ? 0 : -1;
}

struct mapped {
    bool hidden;     /* the child is not dumpable */
    bool no_ids;     /* it does not become what the document says */
    bool own_mounts; /* it leaves the parent's mounts */
    const char *map;
    bool deny_setgroups;
};

static void be_mapped (const struct mapped *how, const struct stage *stage, int told, int ready)
{
    const struct oci_process *process = stage->config->process;
    struct error err = {0};
    char c;
    int line = 0;

    if (read (told, &c, 1) != 1)
        _exit (1);
    if (setresgid (0, 0, 0) < 0 || setresuid (0, 0, 0) < 0)
        line = __LINE__;
    if (!line && how->own_mounts && chroot (stage->directory) < 0)
        line = __LINE__;
    if (!line && (caps_apply_bounding (process->capabilities, &err) < 0 ||
                  (!how->deny_setgroups && setgroups (0, NULL) < 0)))
        line = __LINE__;
    if (!line && !how->no_ids && user_apply_ids (&process->user, &err) < 0)
        line = __LINE__;
    if (!line && caps_apply (process->capabilities, 0, &err) < 0)
        line = __LINE__;
    (void)prctl (PR_SET_PDEATHSIG, SIGKILL); /* which a change of ids takes away */
    if (how->hidden)
        (void)prctl (PR_SET_DUMPABLE, 0);
    (void)!write (ready, &line, sizeof (line));
    for (;;)
        (void)pause ();
}

/* In a user namespace of its own. */
static int make_mapped (const struct mapped *how, const struct stage *stage, struct child *child)
{
    struct clone_request request = {.flags = (uint64_t)CLONE_NEWUSER |
                                             (how->own_mounts ? (uint64_t)CLONE_NEWNS : 0),
                                    .cgroup = -1};
    bool in_cgroup;
    int told[2];
    int ready[2];
    int line = -1;

    CHECK (pipe2 (told, O_CLOEXEC) == 0 && pipe2 (ready, O_CLOEXEC) == 0);
    child->pid = clone_child (&request, &child->pidfd, &in_cgroup);
    if (child->pid == 0)
        be_mapped (how, stage, told[0], ready[1]);
    CHECK (child->pid > 0);
    CHECK (!how->deny_setgroups || write_file (child->pid, "setgroups", "deny") == 0);
    CHECK (write_file (child->pid, "uid_map", how->map) == 0);
    CHECK (write_file (child->pid, "gid_map", how->map) == 0);
    CHECK (write (told[1], "x", 1) == 1);
    (void)close (ready[1]);
    CHECK (read (ready[0], &line, sizeof (line)) == sizeof (line));
    (void)close (told[0]);
    (void)close (told[1]);
    (void)close (ready[0]);
    return line;
}

#define MAPPED(outside, size)                                                                      \
    "\"namespaces\":[{\"type\":\"user\"},{\"type\":\"mount\"}],\"uidMappings\":[{\"containerID\":" \
    "0,\"hostID\":" outside ",\"size\":" size                                                      \
    "}],\"gidMappings\":[{\"containerID\":0,\"hostID\":" outside ",\"size\":" size "}]"

static void user_namespaces (void **state)
{
    struct stage stage;
    struct verify verify;
    struct child child = {.pidfd = -1};
    struct mapped how = {.map = "0 100000 65536", .own_mounts = true};

    (void)state;
    ROOT_ONLY ();
    set_stage (&stage, "\"user\":{\"uid\":1000,\"gid\":50}", MAPPED ("100000", "65536"));
    make_plan (&stage, &verify);
    assert_int_equal (make_mapped (&how, &stage, &child), 0);
    compare (&verify, &child, "", "", "");
    end_child (&child);
    how.no_ids = true;
    assert_int_equal (make_mapped (&how, &stage, &child), 0);
    compare (&verify, &child, "RT-VERIFY-UID", "/process/user/uid",
             "100000, 100000, 100000 and 100000 (real, effective, saved, file system); asked for "
             "is 1000, which is 101000 here");
    end_child (&child);
    how = (struct mapped){.map = "0 100000 65536"};
    assert_int_equal (make_mapped (&how, &stage, &child), 0);
    compare (&verify, &child, "RT-VERIFY-NAMESPACE", "/linux/namespaces/1", "rt's own mount");
    end_child (&child);
    clear_stage (&stage);
}

/* Made as root, for pieces that are not. */
static struct stage users_stage;

/* What compares alike where the kernel shows all, and where it does not: only the links are denied,
 * and only to whom they may be. */
static int as_an_ordinary_user (void)
{
    static const gid_t mine[] = {4242, 777};
    static const struct {
        struct mapped how;
        bool may_look;
        const char *code;
    } table[] = {
        {{.own_mounts = true}, true, ""},
        {{.own_mounts = true}, false, ""},
        {{.own_mounts = true, .hidden = true}, true, "RT-VERIFY-LOOK"},
        {{.own_mounts = true, .hidden = true}, false, ""},
        {{.hidden = true}, false, "RT-VERIFY-ROOT"},
        {{.hidden = false}, false, "RT-VERIFY-NAMESPACE"},
    };

    struct verify verify;
    struct child child = {.pidfd = -1};

    CHECK (setgroups (2, mine) == 0);
    CHECK (setresgid (4242, 4242, 4242) == 0 && setresuid (4242, 4242, 4242) == 0);
    CHECK (prctl (PR_SET_DUMPABLE, 1) == 0);
    make_plan (&users_stage, &verify);
    CHECK (!verify.may_look);
    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        struct mapped how = table[i].how;
        struct error err = {0};
        how.map = "0 4242 1";
        how.deny_setgroups = true;
        int line = make_mapped (&how, &users_stage, &child);
        if (line)
            return line;
        verify.may_look = table[i].may_look;
        int failed = verify_process (&verify, child.pid, child.pidfd, &err);
        CHECK (text_equal (err.code, table[i].code));
        CHECK ((failed != 0) == (table[i].code[0] != '\0'));
        CHECK (err.errnum == (text_equal (err.code, "RT-VERIFY-LOOK") ? EACCES : 0));
        /* What all may read is compared all the same. */
        const struct oci_user other = {.uid = 1};
        struct verify wrong = verify;
        wrong.may_look = false;
        wrong.user = &other;
        CHECK (verify_process (&wrong, child.pid, child.pidfd, &err) < 0);
        CHECK (text_equal (err.code, "RT-VERIFY-UID"));
        /* Without a plan for the namespaces, as of another one's child, ids are told all the same.
         */
        struct verify ids = {.filters = -1,
                             .user = verify.user,
                             .groups = VERIFY_GROUPS_SET,
                             .parent = verify.parent};
        CHECK (verify_process (&ids, child.pid, child.pidfd, &err) == 0);
        ids.user = &other;
        CHECK (verify_process (&ids, child.pid, child.pidfd, &err) < 0);
        CHECK (text_equal (err.code, "RT-VERIFY-UID"));
        end_child (&child);
    }
    return 0;
}

/* Answers one call below one descriptor with an error. */
static int fail_call (uint32_t call, uint32_t directory)
{
    const struct sock_filter program[] = {
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
        BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, args)),
        BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, directory, 0, 1),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };

    const struct sock_fprog filter = {sizeof (program) / sizeof (*program),
                                      (struct sock_filter *)program};

    return prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* Only a denial passes, no other failure. `call` is what looks at the process. */
static int unable_to_look (uint32_t call)
{
    struct mapped how = {.own_mounts = true, .map = "0 100000 65536"};
    struct verify verify;
    struct child child = {.pidfd = -1};
    struct error err = {0};

    CHECK (make_mapped (&how, &users_stage, &child) == 0);
    make_plan (&users_stage, &verify);
    verify.may_look = false;
    verify.filters = -1;
    /* The number that /proc/PID will have. */
    AUTO_FD int next = open ("/", O_PATH | O_CLOEXEC);
    CHECK (procdir_open_own () >= 0 && fail_call (call, (uint32_t)next) == 0);
    drop_fd (&next);
    CHECK (verify_process (&verify, child.pid, child.pidfd, &err) < 0);
    CHECK (text_equal (err.code, "RT-VERIFY-LOOK") && err.errnum == EIO);
    end_child (&child);
    return 0;
}

static int no_namespaces_to_be_seen (void)
{
    return unable_to_look (SYS_readlinkat);
}

static int no_root_to_be_seen (void)
{
    return unable_to_look (SYS_statx);
}

static void failures_that_are_no_denials (void **state)
{
    (void)state;
    ROOT_ONLY ();
    set_stage (&users_stage, "\"user\":{\"uid\":0,\"gid\":0}", MAPPED ("100000", "65536"));
    int namespaces = in_child (no_namespaces_to_be_seen);
    int root = in_child (no_root_to_be_seen);
    clear_stage (&users_stage);
    if (namespaces || root)
        fail_msg ("line %d, line %d", namespaces, root);
}

static void ordinary_users (void **state)
{
    (void)state;
    ROOT_ONLY ();
    set_stage (&users_stage, "\"user\":{\"uid\":0,\"gid\":0}", MAPPED ("4242", "1"));
    int line = in_child (as_an_ordinary_user);
    clear_stage (&users_stage);
    if (line)
        fail_msg ("line %d", line);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (user_namespaces),
        cmocka_unit_test (ordinary_users),
        cmocka_unit_test (failures_that_are_no_denials),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
