/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_stage: a document, a directory that is the container's root, the plan that start makes of
 * them, and a child that waits while it is compared.
 */
#ifndef RT_TESTS_UNIT_VERIFY_STAGE_H
#define RT_TESTS_UNIT_VERIFY_STAGE_H

#include "lifecycle/verify.h"

#include "base/cleanup.h"
#include "document.h"
#include "in_child.h"
#include "kernel/pidfd.h"
#include "kernel/privileges.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

struct child {
    pid_t pid;
    int pidfd;
    int line;
};

struct stage {
    struct arena arena;
    const struct oci_config *config;
    struct rootfs rootfs;
    char directory[32]; /* the root */
};

static void set_stage (struct stage *stage, const char *process, const char *linux_)
{
    struct stat st;

    *stage = (struct stage){.arena = ARENA_INIT, .directory = "/tmp/rt-verify-XXXXXX"};
    stage->config = accept (&stage->arena, "", process, linux_);
    assert_non_null (mkdtemp (stage->directory));
    assert_int_equal (chmod (stage->directory, 0755), 0);
    assert_int_equal (stat (stage->directory, &st), 0);
    stage->rootfs = (struct rootfs){.device = st.st_dev,
                                    .inode = st.st_ino,
                                    .own_mounts = oci_config_own_mounts (stage->config)};
}

static void clear_stage (struct stage *stage)
{
    assert_int_equal (rmdir (stage->directory), 0);
    arena_release (&stage->arena);
}

static void end_child (struct child *child)
{
    assert_int_equal (pidfd_signal (child->pidfd, SIGKILL), 0);
    assert_int_equal (waitpid (child->pid, NULL, 0), child->pid);
    drop_fd (&child->pidfd);
}

/* The plan for that stage, as start fills it. */
static void make_plan (struct stage *stage, struct verify *verify)
{
    static const struct namespaces none;
    struct error err = {0};

    if (verify_init (verify, &stage->arena, true, &err) < 0)
        fail_msg ("%s", err.text);
    verify_document (verify, stage->config, stage->config->process,
                     stage->config->linux.seccomp ? 1 : 0);
    assert_int_equal (verify_made (verify, stage->config, &none, &stage->rootfs, &err), 0);
}

static void compare (const struct verify *verify, const struct child *child, const char *code,
                     const char *pointer, const char *words)
{
    struct error err = {0};
    int failed = verify_process (verify, child->pid, child->pidfd, &err);

    assert_int_equal (failed != 0, error_is_set (&err));
    if (!text_equal (err.code, code) || !text_equal (err.pointer, pointer) ||
        !strstr (err.text, words))
        fail_msg ("%s at %s: %s (errno %d)", err.code, err.pointer, err.text, err.errnum);
}

static bool is_root (void)
{
    uint64_t effective = 0;
    uint64_t permitted;
    uint64_t inheritable;

    (void)capabilities_get (&effective, &permitted, &inheritable);
    return geteuid () == 0 && (effective >> 21 & 1);
}

#define ROOT_ONLY()                                                                                \
    if (!is_root ())                                                                               \
    skip ()

#endif
