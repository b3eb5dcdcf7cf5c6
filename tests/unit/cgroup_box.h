/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_box: a container's cgroups without a container, for test_cgroup_real: made by the verbs of
 * cgroup/ below one directory "rt-test-PID", entered by children, and gone afterwards.
 */
#ifndef TESTS_CGROUP_BOX_H
#define TESTS_CGROUP_BOX_H

#include "cgroup/cgroup.h"
#include "cgroup/hierarchy.h"
#include "kernel/bpf.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <cmocka.h>

#define INT(v)                                                                                     \
    {                                                                                              \
        .present = true, .value = (v)                                                              \
    }

struct box {
    struct arena arena;
    struct cgroup_request request;
    struct oci_map paths;
};

#define OK(call, err)                                                                              \
    do {                                                                                           \
        if ((call) < 0) {                                                                          \
            char words[2048];                                                                      \
            error_format (&(err), words, sizeof words);                                            \
            fail_msg ("%s: %s", #call, words);                                                     \
        }                                                                                          \
    } while (0)

static int begin (void **state)
{
    static unsigned number;
    struct box *box = calloc (1, sizeof *box);
    struct error err = {0};

    box->request.id = arena_printf (&box->arena, "box%u", ++number);
    box->request.cgroups_path =
        arena_printf (&box->arena, "/rt-test-%d/%s", (int)getpid (), box->request.id);
    if (cgroup_plan (&box->arena, &box->request, &box->paths, &err) < 0 ||
        cgroup_place (&box->paths, &box->request, &err) < 0) {
        print_error ("%s\n", err.text);
        return -1;
    }
    *state = box;
    return 0;
}

static int end (void **state)
{
    struct box *box = *state;
    struct error err = {0};
    int result = 0;

    if (cgroup_kill (&box->paths, &err) < 0)
        result = -1;
    while (waitpid (-1, NULL, 0) > 0)
        ;
    if (cgroup_remove (&box->paths, CGROUP_EXITING_MS, &err) < 0) {
        print_error ("%s\n", err.text);
        result = -1;
    }
    for (size_t i = 0; i < box->paths.count; i++) {
        char *parent = arena_string (&box->arena, box->paths.items[i].value);
        assert_int_equal (access (parent, F_OK), -1);
        *strrchr (parent, '/') = '\0';
        if (rmdir (parent) < 0 && errno != ENOENT)
            result = -1;
    }
    arena_release (&box->arena);
    free (box);
    return result;
}

static bool has (const struct box *box, const char *controller)
{
    char list[4096] = "";
    const char *v2 = cgroup_path_of (&box->paths, "");

    if (cgroup_path_of (&box->paths, controller))
        return true;
    AUTO_FD int dir = v2 ? open (v2, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    return dir >= 0 && fd_read_file_at (dir, "cgroup.controllers", list, sizeof list) >= 0 &&
           word_in_list (list, controller);
}

static void need (const struct box *box, const char *controller)
{
    if (!has (box, controller)) {
        print_message ("SKIP: this host has no cgroup controller %s\n", controller);
        skip ();
    }
}

/* One line of a file of the container's cgroup, of v1 or v2. */
static inline const char *look (struct box *box, const char *controller, const char *v1_file,
                                const char *v2_file)
{
    char text[4096];
    const char *v1 = cgroup_path_of (&box->paths, controller);
    const char *path = v1 ? v1 : cgroup_path_of (&box->paths, "");
    const char *name = arena_printf (&box->arena, "%s/%s", path, v1 ? v1_file : v2_file);
    ssize_t length = fd_read_file_at (AT_FDCWD, name, text, sizeof text);

    if (length < 0)
        fail_msg ("%s: %s", name, strerror (errno));
    text[strcspn (text, "\n")] = '\0';
    return arena_string (&box->arena, text);
}

/* Makes a child inside: by CLONE_INTO_CGROUP and the doors, as rt does, or by a join from outside.
 */
static pid_t spawn (struct box *box, bool by_join, int (*body) (void *), void *argument)
{
    struct error err = {0};
    struct cgroup_doors doors = {0};
    AUTO_FD int v2 = cgroup_open_v2 (&box->paths);
    struct clone_args args = {.exit_signal = SIGCHLD};
    int gate[2];

    assert_int_equal (pipe2 (gate, O_CLOEXEC), 0);
    if (!by_join) {
        OK (cgroup_open_doors (&box->paths, &doors, &err), err);
        if (v2 >= 0) {
            args.flags = CLONE_INTO_CGROUP;
            args.cgroup = (uint64_t)v2;
        }
    }
    pid_t pid = (pid_t)syscall (SYS_clone3, &args, sizeof args);
    if (pid == 0) {
        char c;
        (void)close (gate[1]);
        if (cgroup_enter (&doors, &err) < 0)
            _exit (99);
        cgroup_close_doors (&doors);
        (void)!read (gate[0], &c, 1);
        _exit (body (argument));
    }
    assert_true (pid > 0);
    (void)close (gate[0]);
    cgroup_close_doors (&doors);
    if (by_join)
        OK (cgroup_join (&box->paths, pid, false, &err), err);
    (void)close (gate[1]);
    return pid;
}

static int wait_for (pid_t pid)
{
    int status;

    assert_int_equal (waitpid (pid, &status, 0), pid);
    return status;
}

static int sleeps (void *unused)
{
    (void)unused;
    for (;;)
        (void)pause ();
    return 0;
}

#endif
