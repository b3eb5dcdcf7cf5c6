/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placement: what a process gets of the machine (rlimits, scheduler, ioprio, affinity, memory
 * policy, personality), asked back from the kernel.
 */
#include "container/affinity.h"
#include "container/apparmor.h"
#include "container/ioprio.h"
#include "container/mempolicy.h"
#include "container/personality.h"
#include "container/rlimits.h"
#include "container/scheduler.h"
#include "container/selinux.h"
#include "in_child.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <cmocka.h>

static int set_rlimits (void)
{
    struct oci_rlimit items[] = {
        {.type = RLIMIT_NOFILE, .soft = 100, .hard = 200},
        {.type = RLIMIT_CORE, .soft = 0, .hard = UINT64_MAX},
    };
    struct oci_process process = {.rlimits = {.count = 2, .items = items}};
    struct rlimit64 core;
    struct rlimit64 now;
    struct error err = {0};

    CHECK (getrlimit64 (RLIMIT_CORE, &core) == 0);
    items[1].hard = core.rlim_max;
    CHECK (rlimits_grant (0, &process, &err) == 0);
    CHECK (getrlimit64 (RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 100 && now.rlim_max == 200);
    CHECK (getrlimit64 (RLIMIT_CORE, &now) == 0 && now.rlim_cur == 0);

    items[1] = (struct oci_rlimit){.type = RLIMIT_NOFILE, .soft = 3, .hard = 2};
    CHECK (rlimits_grant (0, &process, &err) == -1);
    CHECK (strcmp (err.code, "RT-RLIMIT-SET") == 0 && err.errnum == EINVAL);
    CHECK (strcmp (err.pointer, "/process/rlimits/1") == 0 && strstr (err.hint, "soft") != NULL);

    CHECK (setresuid (1000, 1000, 1000) == 0);
    items[0].hard = 300;
    CHECK (rlimits_grant (0, &process, &err) == -1);
    CHECK (err.errnum == EPERM && strcmp (err.pointer, "/process/rlimits/0") == 0);
    CHECK (strstr (err.text, "RLIMIT_NOFILE") && strstr (err.hint, "CAP_SYS_RESOURCE"));
    return 0;
}

/* rows: PRC-18 PRC-20 PRC-21 PRC-22 */
static void rlimits (void **state)
{
    (void)state;
    if (getuid () != 0)
        skip ();
    assert_int_equal (in_child (set_rlimits), 0);
}

static int set_scheduler (void)
{
    struct oci_scheduler scheduler = {.policy = SCHED_BATCH,
                                      .nice = {.present = true, .value = 7},
                                      .flags = 1 /* RESET_ON_FORK */};
    struct error err = {0};

    CHECK (scheduler_apply (NULL, false, &err) == 0);
    CHECK (scheduler_apply (&scheduler, false, &err) == 0);
    CHECK (sched_getscheduler (0) == (SCHED_BATCH | SCHED_RESET_ON_FORK));
    CHECK (getpriority (PRIO_PROCESS, 0) == 7);

    CHECK (setresuid (1000, 1000, 1000) == 0);
    scheduler = (struct oci_scheduler){.policy = SCHED_FIFO, .priority = {true, 10}};
    CHECK (scheduler_apply (&scheduler, false, &err) == -1);
    CHECK (err.errnum == EPERM && strcmp (err.pointer, "/process/scheduler") == 0);
    CHECK (strstr (err.text, "SCHED_FIFO") && strstr (err.hint, "CAP_SYS_NICE"));
    return 0;
}

static int set_ioprio (void)
{
    struct oci_io_priority priority = {.io_class = 2, .priority = 6};
    struct error err = {0};

    CHECK (ioprio_apply (NULL, &err) == 0);
    CHECK (ioprio_apply (&priority, &err) == 0);
    CHECK (syscall (SYS_ioprio_get, 1, 0) == (2 << 13 | 6));
    CHECK (setresuid (1000, 1000, 1000) == 0);
    priority.io_class = 1;
    CHECK (ioprio_apply (&priority, &err) == -1);
    CHECK (err.errnum == EPERM && strcmp (err.pointer, "/process/ioPriority") == 0);
    return 0;
}

/* rows: PRC-25 PRC-26 PRC-27 PRC-28 PRC-30 PRC-31 */
static void scheduling (void **state)
{
    (void)state;
    if (getuid () != 0)
        skip ();
    assert_int_equal (in_child (set_scheduler), 0);
    assert_int_equal (in_child (set_ioprio), 0);
}

static int set_affinity (void)
{
    cpu_set_t all;
    cpu_set_t now;
    struct error err = {0};

    affinity_reset ();
    CHECK (sched_getaffinity (0, sizeof (all), &all) == 0);
    CHECK (affinity_apply (NULL, &err) == 0);
    CHECK (affinity_apply ("0,4000", &err) == 0);
    CHECK (sched_getaffinity (0, sizeof (now), &now) == 0);
    CHECK (CPU_COUNT (&now) == 1 && CPU_ISSET (0, &now));
    affinity_reset ();
    CHECK (sched_getaffinity (0, sizeof (now), &now) == 0);
    CHECK (CPU_EQUAL (&now, &all));
    CHECK (affinity_apply ("4000", &err) == -1);
    CHECK (strcmp (err.code, "RT-AFFINITY-SET") == 0 && err.errnum == EINVAL);
    CHECK (affinity_apply ("1-0", &err) == -1);
    CHECK (strcmp (err.code, "RT-AFFINITY-LIST") == 0);
    return 0;
}

/* rows: PRC-32 PRC-33 */
static void affinity (void **state)
{
    (void)state;
    assert_int_equal (in_child (set_affinity), 0);
}

static int set_memory_policy (void)
{
    struct oci_memory_policy policy = {
        .mode = MPOL_BIND, .flags = MPOL_F_STATIC_NODES, .nodes = "0"};
    struct error err = {0};
    unsigned long nodes[16] = {0};
    int mode = -1;

    CHECK (mempolicy_apply (NULL, &err) == 0);
    if (mempolicy_apply (&policy, &err) < 0)
        return err.errnum == ENOSYS ? 0 : __LINE__; /* a kernel without NUMA */
    CHECK (syscall (SYS_get_mempolicy, &mode, nodes, 1024, NULL, 0) == 0);
    CHECK (mode == (MPOL_BIND | MPOL_F_STATIC_NODES) && nodes[0] == 1);
    policy = (struct oci_memory_policy){.mode = MPOL_DEFAULT, .nodes = ""};
    CHECK (mempolicy_apply (&policy, &err) == 0);
    policy = (struct oci_memory_policy){.mode = MPOL_BIND, .nodes = "63"};
    CHECK (mempolicy_apply (&policy, &err) == -1);
    CHECK (err.errnum == EINVAL && strcmp (err.pointer, "/linux/memoryPolicy") == 0);
    CHECK (strstr (err.text, "MPOL_BIND") != NULL);
    policy.nodes = "zero";
    CHECK (mempolicy_apply (&policy, &err) == -1);
    CHECK (strcmp (err.pointer, "/linux/memoryPolicy/nodes") == 0);
    return 0;
}

/* rows: MPL-01 MPL-02 MPL-03 MPL-06 */
static void memory_policy (void **state)
{
    (void)state;
    assert_int_equal (in_child (set_memory_policy), 0);
}

static int set_personality (void)
{
    const struct oci_personality wanted = {.domain = PER_LINUX32};
    struct error err = {0};

    CHECK (personality_apply (NULL, &err) == 0);
    CHECK (personality_apply (&wanted, &err) == 0);
    CHECK (personality (0xffffffff) == PER_LINUX32);
    return 0;
}

/* rows: PER-01 */
static void execution_domain (void **state)
{
    (void)state;
    assert_int_equal (in_child (set_personality), 0);
}

/* rows: LSM-02 LSM-05 */
static void labels_need_their_module (void **state)
{
    (void)state;
    struct error err = {0};
    struct stat st;

    assert_int_equal (selinux_prepare (NULL, &err), 0);
    assert_int_equal (selinux_prepare ("", &err), 0);
    assert_int_equal (selinux_apply (NULL, &err), 0);
    assert_int_equal (apparmor_prepare (NULL, &err), 0);
    assert_int_equal (apparmor_prepare ("", &err), 0);
    assert_int_equal (apparmor_prepare ("unconfined", &err), 0);
    assert_int_equal (apparmor_apply ("", true, &err), 0);
    if (stat ("/sys/fs/selinux/status", &st) < 0) {
        assert_int_equal (selinux_prepare ("a:b:c:s0", &err), -1);
        assert_string_equal (err.code, "RT-SELINUX-OFF");
        assert_string_equal (err.pointer, "/process/selinuxLabel");
        assert_int_equal (selinux_apply ("a:b:c:s0", &err), -1);
    }
    if (stat ("/sys/module/apparmor/parameters/enabled", &st) < 0) {
        assert_int_equal (apparmor_prepare ("some-profile", &err), -1);
        assert_string_equal (err.code, "RT-APPARMOR-OFF");
        assert_string_equal (err.pointer, "/process/apparmorProfile");
        assert_int_equal (apparmor_apply ("some-profile", true, &err), -1);
        assert_string_equal (err.code, "RT-APPARMOR-PROFILE");
        assert_int_equal (apparmor_apply ("unconfined", true, &err), 0);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (rlimits),          cmocka_unit_test (scheduling),
        cmocka_unit_test (affinity),         cmocka_unit_test (memory_policy),
        cmocka_unit_test (execution_domain), cmocka_unit_test (labels_need_their_module),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
