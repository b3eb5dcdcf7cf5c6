/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: what the kernel says of real children, which have done what their document says or all of
 * it but one thing.
 */
#include "verify_stage.h"

#include "cgroup/cgroup.h"
#include "container/caps.h"
#include "container/user.h"
#include "kernel/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

/* What a child leaves out, or does too much of. */
enum fault {
    NONE,
    NO_UID,
    NO_GID,
    NO_GROUPS,
    NO_BOUNDING,
    NO_CAPS,
    NO_AMBIENT,
    NO_NNP,
    NO_FILTER,
    NO_ROOT,
    NO_MOUNTS,
    NO_PIDS,
    TWO_FILTERS,
    KEEPS_EUID,
    OTHER_NETWORK,
    OTHER_ROOT,
    UNASKED_NNP,
    FAULTS
};

#define TWO "[\"CAP_CHOWN\",\"CAP_SYS_CHROOT\"]"
#define PROCESS                                                                                    \
    "\"user\":{\"uid\":1234,\"gid\":56,\"additionalGids\":[4,7]},\"capabilities\":{"               \
    "\"bounding\":" TWO ",\"effective\":" TWO ",\"permitted\":" TWO ",\"inheritable\":" TWO        \
    ",\"ambient\":[\"CAP_CHOWN\"]}"
#define NNP PROCESS ",\"noNewPrivileges\":true"
#define MADE "{\"type\":\"uts\"},{\"type\":\"mount\"},{\"type\":\"pid\"}"
#define LINUX "\"namespaces\":[" MADE "],\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}"

static int load_allowing_filter (void)
{
    static const struct sock_filter allow[] = {BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

    const struct sock_fprog filter = {1, (struct sock_filter *)allow};

    return prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* In the child: what the document says, but for the fault. The number of the line that failed. */
static int obey (const struct stage *stage, enum fault fault)
{
    const struct oci_process *process = stage->config->process;
    struct error err = {0};

    CHECK (fault != OTHER_NETWORK || unshare (CLONE_NEWNET) == 0);
    CHECK (fault == NO_ROOT || chroot (fault == OTHER_ROOT ? "/tmp" : stage->directory) == 0);
    CHECK (!stage->config->linux.seccomp || fault == NO_FILTER || load_allowing_filter () == 0);
    CHECK (fault != TWO_FILTERS || load_allowing_filter () == 0);
    CHECK (fault == NO_BOUNDING || caps_apply_bounding (process->capabilities, &err) == 0);
    CHECK (fault == NO_GROUPS || user_apply_groups (&process->user, false, &err) == 0);
    CHECK (fault == NO_GROUPS || fault == NO_GID || fault == NO_UID || fault == KEEPS_EUID ||
           user_apply_ids (&process->user, &err) == 0);
    if (fault == NO_GROUPS || fault == NO_GID || fault == NO_UID || fault == KEEPS_EUID) {
        gid_t gid = fault == NO_GID ? 0 : process->user.gid;
        uid_t uid = fault == NO_UID ? 0 : process->user.uid;
        CHECK (setresgid (gid, gid, gid) == 0 && prctl (PR_SET_KEEPCAPS, 1) == 0);
        CHECK (setresuid (uid, fault == KEEPS_EUID ? 0 : uid, uid) == 0);
    }
    CHECK (fault == NO_CAPS || caps_apply (process->capabilities, 0, &err) == 0);
    CHECK (fault == NO_CAPS || fault == NO_AMBIENT ||
           caps_apply_ambient (process->capabilities, &err) == 0);
    if ((process->no_new_privileges.value && fault != NO_NNP) || fault == UNASKED_NNP)
        CHECK (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    return 0;
}

/* A child that has done that, and waits. */
static struct child make_child (const struct stage *stage, enum fault fault)
{
    struct clone_request request = {.cgroup = -1};
    struct child child = {.pidfd = -1};
    bool in_cgroup;
    int pair[2];
    int line = -1;

    for (size_t i = 0; i < stage->config->linux.namespaces.count; i++)
        request.flags |= (uint64_t)(unsigned int)stage->config->linux.namespaces.items[i].type;
    if (fault == NO_MOUNTS)
        request.flags &= ~(uint64_t)CLONE_NEWNS;
    if (fault == NO_PIDS)
        request.flags &= ~(uint64_t)CLONE_NEWPID;
    assert_int_equal (pipe2 (pair, O_CLOEXEC), 0);
    child.pid = clone_child (&request, &child.pidfd, &in_cgroup);
    assert_true (child.pid >= 0);
    if (child.pid == 0) {
        line = obey (stage, fault);
        (void)prctl (PR_SET_PDEATHSIG, SIGKILL); /* which a change of ids takes away */
        (void)!write (pair[1], &line, sizeof (line));
        for (;;)
            (void)pause ();
    }
    (void)close (pair[1]);
    assert_int_equal (read (pair[0], &line, sizeof (line)), sizeof (line));
    (void)close (pair[0]);
    if (line)
        fail_msg ("line %d: %s", line, strerror (errno));
    return child;
}

/* Each thing that is missing or too much is found, at its place. */
static void one_fault_each (void **state)
{
    static const struct {
        enum fault fault;
        const char *process;
        const char *code;
        const char *pointer;
        const char *words;
    } table[] = {
        {NONE, NNP, "", "", ""},
        {NONE, PROCESS, "", "", ""},
        {NO_UID, NNP, "RT-VERIFY-UID", "/process/user/uid", "user ids 0, 0, 0 and 0"},
        {KEEPS_EUID, NNP, "RT-VERIFY-UID", "/process/user/uid", "1234, 0, 1234 and 0"},
        {NO_GID, NNP, "RT-VERIFY-GID", "/process/user/gid", "group ids 0, 0, 0 and 0"},
        {NO_BOUNDING, NNP, "RT-VERIFY-CAPS", "/process/capabilities/bounding", "CAP_SETUID"},
        {NO_CAPS, NNP, "RT-VERIFY-CAPS", "/process/capabilities/effective", "missing: CAP_CHOWN"},
        {NO_AMBIENT, NNP, "RT-VERIFY-CAPS", "/process/capabilities/ambient", "missing: CAP_CHOWN"},
        {NO_NNP, NNP, "RT-VERIFY-NNP", "/process/noNewPrivileges", "no_new_privs 0, not 1"},
        {UNASKED_NNP, PROCESS, "RT-VERIFY-NNP", "/process/noNewPrivileges", "1, not 0"},
        {NO_FILTER, NNP, "RT-VERIFY-SECCOMP", "/linux/seccomp", "must be"},
        {TWO_FILTERS, NNP, "RT-VERIFY-SECCOMP", "/linux/seccomp", "must be"},
        {NO_ROOT, NNP, "RT-VERIFY-ROOT", "/root", "not the one that was to be entered"},
        {OTHER_ROOT, NNP, "RT-VERIFY-ROOT", "/root", "not the one that was to be entered"},
        {NO_MOUNTS, NNP, "RT-VERIFY-NAMESPACE", "/linux/namespaces/1", "rt's own mount namespace"},
        {NO_PIDS, NNP, "RT-VERIFY-NAMESPACE", "/linux/namespaces/2", "pid namespaces"},
        {OTHER_NETWORK, NNP, "RT-VERIFY-NAMESPACE", "/linux/namespaces", "another network"},
    };

    (void)state;
    ROOT_ONLY ();
    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        struct stage stage;
        struct verify verify;
        set_stage (&stage, table[i].process, LINUX);
        make_plan (&stage, &verify);
        struct child child = make_child (&stage, table[i].fault);
        compare (&verify, &child, table[i].code, table[i].pointer, table[i].words);
        end_child (&child);
        clear_stage (&stage);
    }
}

/* The parent's own groups are 4 and 9 here. */
static int groups_of_the_caller (void)
{
    static const gid_t mine[] = {4, 9};
    struct stage stage;
    struct verify verify;
    struct error err = {0};

    CHECK (setgroups (2, mine) == 0);
    set_stage (&stage, NNP, LINUX);
    struct child child = make_child (&stage, NO_GROUPS);
    make_plan (&stage, &verify);
    CHECK (verify_process (&verify, child.pid, child.pidfd, &err) < 0);
    CHECK (text_equal (err.code, "RT-VERIFY-GROUPS"));
    CHECK (strstr (err.text, "has the additional groups: 4 9; asked for are, as they are called "
                             "here: 4 7"));
    verify.groups = VERIFY_GROUPS_CALLER;
    CHECK (verify_process (&verify, child.pid, child.pidfd, &err) == 0);
    end_child (&child);
    clear_stage (&stage);
    return 0;
}

static void groups (void **state)
{
    (void)state;
    ROOT_ONLY ();
    assert_int_equal (in_child (groups_of_the_caller), 0);
}

/* rt itself below a filter, as in a container of an engine. */
static int below_a_filter (void)
{
    struct stage stage;
    struct verify verify;
    struct error err = {0};

    CHECK (load_allowing_filter () == 0);
    set_stage (&stage, NNP, LINUX);
    make_plan (&stage, &verify);
    for (enum fault fault = NONE; fault < FAULTS; fault++) {
        if (fault != NONE && fault != NO_FILTER && fault != TWO_FILTERS)
            continue;
        struct child child = make_child (&stage, fault);
        int failed = verify_process (&verify, child.pid, child.pidfd, &err);
        CHECK (failed == (fault == NONE ? 0 : -1));
        CHECK (!failed || text_equal (err.code, "RT-VERIFY-SECCOMP"));
        end_child (&child);
    }
    clear_stage (&stage);
    return 0;
}

static void filters_of_the_parent (void **state)
{
    (void)state;
    ROOT_ONLY ();
    assert_int_equal (in_child (below_a_filter), 0);
}

static void namespaces_that_are_joined (void **state)
{
    struct stage stage;
    struct verify verify;
    struct verify plan;
    struct error err = {0};

    (void)state;
    ROOT_ONLY ();
    set_stage (&stage, NNP, LINUX);
    make_plan (&stage, &verify);
    struct child init = make_child (&stage, NONE);
    struct child other = make_child (&stage, NONE);
    const struct record record = {.pid = init.pid};
    plan = verify;
    assert_int_equal (verify_joined (&plan, stage.config, &record, init.pidfd, -1, &err), 0);
    compare (&plan, &init, "", "", "");
    compare (&plan, &other, "RT-VERIFY-NAMESPACE", "/linux/namespaces/1", "mount namespace");

    AUTO_FD int root = open (stage.directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal (verify_joined (&plan, stage.config, &record, init.pidfd, root, &err), 0);
    /* The same directory, but of this mount namespace. */
    compare (&plan, &init, "RT-VERIFY-ROOT", "/root", "not the one");
    plan.root.mount = 0;
    compare (&plan, &init, "", "", "");

    end_child (&init);
    err = (struct error){0};
    assert_int_equal (verify_joined (&plan, stage.config, &record, -1, -1, &err), -1);
    assert_string_equal (err.code, "RT-VERIFY-LOOK");
    end_child (&other);
    clear_stage (&stage);
}

/* Of the document: each path that is to be joined must be opened. */
static void namespaces_with_a_path (void **state)
{
    struct stage stage;
    struct verify verify;
    struct error err = {0};
    struct stat st;
    AUTO_FD int own = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal (fstat (own, &st), 0);
    set_stage (&stage, PROCESS,
               "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"network\",\"path\":\"/x\"}]");
    const struct namespaces opened = {.joins = {{.type = CLONE_NEWNET, .fd = own}}, .count = 1};
    const struct namespaces none = {.count = 0};
    assert_int_equal (verify_init (&verify, &stage.arena, true, &err), 0);
    assert_int_equal (verify_made (&verify, stage.config, &none, &stage.rootfs, &err), -1);
    assert_string_equal (err.code, "RT-VERIFY-LOOK");
    assert_int_equal (verify_made (&verify, stage.config, &opened, &stage.rootfs, &err), 0);
    assert_int_equal (verify_namespace (&verify, CLONE_NEWNET)->is, VERIFY_EXACT);
    assert_true (verify_namespace (&verify, CLONE_NEWNET)->inode == st.st_ino);
    assert_int_equal (verify_namespace (&verify, CLONE_NEWNS)->is, VERIFY_OTHER);
    assert_int_equal (verify_namespace (&verify, CLONE_NEWUSER)->is, VERIFY_OWN);
    clear_stage (&stage);
}

static void cgroups (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct verify verify;
    struct oci_map own;
    struct error err = {0};
    const struct child self = {.pid = getpid (), .pidfd = -1};

    (void)state;
    if (cgroup_layout () == CGROUP_NONE)
        skip ();
    assert_int_equal (cgroup_of_caller (&arena, &own, &err), 0);
    assert_true (own.count > 0);
    assert_int_equal (verify_init (&verify, &arena, true, &err), 0);
    verify.cgroup = &own;
    compare (&verify, &self, "", "", "");
    const char *here = own.items[0].value;
    own.items[0].value = arena_printf (&arena, "%s/none", here);
    compare (&verify, &self, "RT-VERIFY-CGROUP", "/linux/cgroupsPath", "/none");
    own.items[0].value = here;
    own.items[0].key = "nothing";
    compare (&verify, &self, "RT-VERIFY-CGROUP", "/linux/cgroupsPath", "no such hierarchy");
}

static void who_has_ended (void **state)
{
    struct stage stage;
    struct verify verify;

    (void)state;
    ROOT_ONLY ();
    set_stage (&stage, NNP, LINUX);
    make_plan (&stage, &verify);
    struct child child = make_child (&stage, NONE);
    assert_int_equal (pidfd_signal (child.pidfd, SIGKILL), 0);
    assert_int_equal (pidfd_wait_dead (child.pidfd, -1), 1);
    compare (&verify, &child, "RT-VERIFY-LOOK", "", "the process has ended");
    assert_int_equal (waitpid (child.pid, NULL, 0), child.pid);
    compare (&verify, &child, "RT-VERIFY-LOOK", "", "cannot look at the directory in /proc");
    /* A pidfd is not believed to be that of any number. */
    const struct child other = {.pid = getpid (), .pidfd = child.pidfd};
    compare (&verify, &other, "RT-VERIFY-LOOK", "", "cannot look at");
    drop_fd (&child.pidfd);
    clear_stage (&stage);
}

static double now_us (void)
{
    struct timespec now;

    (void)clock_gettime (CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Told, not judged: machines differ. */
static void what_it_costs (void **state)
{
    enum { RUNS = 500 };
    struct stage stage;
    struct verify verify;
    struct oci_map cgroup;
    struct error err = {0};

    (void)state;
    ROOT_ONLY ();
    set_stage (&stage, NNP, LINUX);
    make_plan (&stage, &verify);
    struct child child = make_child (&stage, NONE);
    if (cgroup_layout () != CGROUP_NONE && cgroup_of_caller (&stage.arena, &cgroup, &err) == 0)
        verify.cgroup = &cgroup;
    double begin = now_us ();
    for (int i = 0; i < RUNS; i++)
        assert_int_equal (verify_process (&verify, child.pid, child.pidfd, &err), 0);
    double each = (now_us () - begin) / RUNS;
    begin = now_us ();
    for (int i = 0; i < RUNS; i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        assert_int_equal (verify_init (&verify, &arena, true, &err), 0);
    }
    double own = (now_us () - begin) / RUNS;
    begin = now_us ();
    for (int i = 0; i < RUNS; i++)
        assert_int_equal (pidfd_has_executed (child.pid, child.pidfd), 0);
    print_message ("verify_process %.0f us, verify_init %.0f us, pidfd_has_executed %.0f us\n",
                   each, own, (now_us () - begin) / RUNS);
    end_child (&child);
    clear_stage (&stage);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (one_fault_each),         cmocka_unit_test (groups),
        cmocka_unit_test (filters_of_the_parent),  cmocka_unit_test (namespaces_that_are_joined),
        cmocka_unit_test (namespaces_with_a_path), cmocka_unit_test (cgroups),
        cmocka_unit_test (who_has_ended),          cmocka_unit_test (what_it_costs),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
