/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel shows after a limit was written, and what is made of it. The files are plain ones
 * in a directory of the test's, so that each answer of a kernel can be given.
 */
#include "cgroup/hierarchy.h"
#include "cgroup/knob.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char told[4096];

static void listen_to_log (void *context, enum log_level level, const char *text)
{
    (void)context;
    (void)level;
    (void)snprintf (told, sizeof told, "%s", text);
}

/* A directory that looks like a cgroup's. */
struct place {
    char path[64];
    int dir;
};

static int begin (void **state)
{
    static struct place place;
    struct error err = {0};

    (void)snprintf (place.path, sizeof place.path, "%s", "/tmp/rt-readback-XXXXXX");
    if (!mkdtemp (place.path) || log_open (NULL, LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG, &err) < 0)
        return -1;
    log_redirect (listen_to_log, NULL);
    place.dir = open (place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    told[0] = '\0';
    *state = &place;
    return 0;
}

static int end (void **state)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.cpus.effective", "cpus", "mems",
                                        "memory.max"};
    struct place *place = *state;

    log_redirect (NULL, NULL);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)unlinkat (place->dir, files[i], 0);
    drop_fd (&place->dir);
    return rmdir (place->path);
}

static void put (const struct place *place, const char *name, const char *text)
{
    AUTO_FD int fd = openat (place->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true (fd >= 0);
    assert_int_equal (fd_write_all (fd, text, strlen (text)), 0);
}

static int read_back (const struct place *place, const struct knob *knob, struct error *err)
{
    AUTO_FD int fd = openat (place->dir, knob->file, O_RDWR | O_CLOEXEC);

    *err = (struct error){0};
    told[0] = '\0';
    return knob_read_back (place->dir, fd, "/the/place", knob->file, knob, knob->value, err);
}

/* rows: CGR-15 CGR-20 CGR-25 CGR-26 CGR-29 CGR-30 CGR-11 */
static void each_kind_is_compared_in_its_way (void **state)
{
    static const struct {
        enum knob_check check;
        const char *written, *shown;
        enum knob_result wanted;
    } cases[] = {
        {KNOB_WORDS, "20000 50000", "20000 50000\n", KNOB_HOLDS},
        {KNOB_WORDS, "20000", "20000 100000\n", KNOB_HOLDS},
        {KNOB_WORDS, "max", "max 100000\n", KNOB_HOLDS},
        {KNOB_WORDS, "2000", "20000 100000\n", KNOB_DIFFERS},
        {KNOB_WORDS, "20000 50000", "20000 100000\n", KNOB_DIFFERS},
        {KNOB_WORDS, "20000 50000", "20000\n", KNOB_DIFFERS},
        {KNOB_WORDS, "20000", "", KNOB_DIFFERS},
        {KNOB_KEYED, "8:0 rbps=1048576", "8:0 rbps=1048576 wbps=max riops=max wiops=max\n",
         KNOB_HOLDS},
        {KNOB_KEYED, "8:0 wiops=5 rbps=7", "8:16 rbps=1\n8:0 rbps=7 wbps=max riops=max wiops=5\n",
         KNOB_HOLDS},
        {KNOB_KEYED, "8:0 rbps=104857", "8:0 rbps=1048576 wbps=max\n", KNOB_DIFFERS},
        {KNOB_KEYED, "8:0 rbps=5", "8:16 rbps=5\n", KNOB_DIFFERS},
        {KNOB_KEYED, "8:0 rbps=5", "8:00 rbps=5\n", KNOB_DIFFERS},
        {KNOB_KEYED, "8:0 rbps=5", "", KNOB_DIFFERS},
        {KNOB_KEYED, "8:0 rbps=max", "", KNOB_HOLDS},
        {KNOB_KEYED, "8:0 rbps=max", "8:0 rbps=max wbps=9\n", KNOB_HOLDS},
        {KNOB_KEYED, "8:0 1048576", "8:16 7\n8:0 1048576\n", KNOB_HOLDS},
        {KNOB_KEYED, "8:0 1048576", "8:0 1048575\n", KNOB_DIFFERS},
        {KNOB_KEYED, "8:0 0", "", KNOB_HOLDS},
        {KNOB_KEYED, "8:0 300", "default 100\n8:0 300\n", KNOB_HOLDS},
        {KNOB_KEYED, "mlx5_0 hca_handle=2 hca_object=9",
         "mlx4_0 hca_handle=max hca_object=max\nmlx5_0 hca_handle=2 hca_object=9\n", KNOB_HOLDS},
        {KNOB_KEYED, "mlx5_0 hca_handle=2", "mlx5_0 hca_handle=max hca_object=max\n", KNOB_DIFFERS},
        {KNOB_KEYED, "eth0 5", "lo 0\neth0 5\n", KNOB_HOLDS},
        {KNOB_KEYED, "eth0 5", "lo 5\neth0 0\n", KNOB_DIFFERS},
        {KNOB_KEYED, "oom_kill_disable 1", "oom_kill_disable 1\nunder_oom 0\n", KNOB_HOLDS},
        {KNOB_KEYED, "oom_kill_disable 1", "oom_kill_disable 0\nunder_oom 1\n", KNOB_DIFFERS},
        {KNOB_SET, "0-3,7", "0-3,7", KNOB_HOLDS},
        {KNOB_SET, "3,2,1,0", "0-3", KNOB_HOLDS},
        {KNOB_SET, "0-3", "0-1", KNOB_WAS_ROUNDED},
        {KNOB_SET, "0-1", "0-3", KNOB_DIFFERS},
        {KNOB_SET, "2-3", "0-1", KNOB_DIFFERS},
        {KNOB_SET, "500", "0-1", KNOB_DIFFERS},
        {KNOB_SET, "0-1", "", KNOB_DIFFERS},
        {KNOB_SET, "0-31:2/4", "0-1,4-5", KNOB_HOLDS},
        {KNOB_ANY, "anything", "else", KNOB_HOLDS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct knob knob = {.check = cases[i].check};
        enum knob_result result = knob_compare (&knob, cases[i].written, cases[i].shown);
        if (result != cases[i].wanted)
            fail_msg ("'%s' and '%s': %d", cases[i].written, cases[i].shown, (int)result);
    }
}

/* rows: CGR-20 */
static void what_is_effective_counts_for_cpusets (void **state)
{
    const struct place *place = *state;
    const struct knob knob = {
        .file = "cpuset.cpus", .value = "2-5", .pointer = "/linux/x", .check = KNOB_SET};
    struct error err;

    put (place, "cpuset.cpus", "2-5\n");
    assert_int_equal (read_back (place, &knob, &err), 0); /* v1 has no such file */
    put (place, "cpuset.cpus.effective", "2-5\n");
    assert_int_equal (read_back (place, &knob, &err), 0);
    assert_string_equal (told, "");
    put (place, "cpuset.cpus.effective", "2-3\n");
    assert_int_equal (read_back (place, &knob, &err), 0);
    assert_non_null (strstr (told, "of 2-5 the host gives 2-3"));
    put (place, "cpuset.cpus.effective", "0-1\n"); /* what the kernel gives where it has none */
    assert_int_equal (read_back (place, &knob, &err), -1);
    assert_non_null (strstr (err.text, "nothing of 2-5 can be had here (it would run on 0-1)"));
    assert_string_equal (err.pointer, "/linux/x");
    put (place, "cpuset.cpus", "2-4\n");
    assert_int_equal (read_back (place, &knob, &err), -1);
    assert_non_null (strstr (err.text, "holds '2-4' after '2-5' was written"));
}

/* rows: CGR-01 CGR-14 */
static void what_was_rounded_is_told (void **state)
{
    const struct place *place = *state;
    struct knob knob = {.file = "memory.max",
                        .value = "5000",
                        .pointer = "/linux/x",
                        .check = KNOB_ROUNDED,
                        .unit = 4096};
    struct error err;

    put (place, "memory.max", "4096\n");
    assert_int_equal (read_back (place, &knob, &err), 0);
    assert_string_equal (told, "/the/place/memory.max: the kernel made 4096 of 5000");
    put (place, "memory.max", "max\n");
    assert_int_equal (read_back (place, &knob, &err), -1);
    assert_string_equal (err.text, "'/the/place/memory.max' holds 'max' after '5000' was written");
    knob.check = KNOB_ANY;
    assert_int_equal (read_back (place, &knob, &err), 0);
}

/* rows: CGM-16 CGR-20 */
static void cpusets_without_a_prefix (void **state)
{
    const struct place *place = *state;
    struct oci_pair pair = {"cpuset", (char *)(uintptr_t)place->path};
    const struct oci_map paths = {.count = 1, .items = &pair, .present = true};
    struct oci_cpu cpu = {.cpus = "0", .mems = "1"};
    const struct oci_resources resources = {.cpu = &cpu};
    struct error err = {0};
    char text[16];

    assert_int_equal (cgroup_limit (&paths, &resources, true, &err), -1);
    assert_string_equal (err.pointer, "/linux/resources/cpu/cpus");
    put (place, "cpus", "");
    put (place, "mems", "");
    assert_int_equal (cgroup_limit (&paths, &resources, true, &err), 0);
    assert_int_equal (fd_read_file_at (place->dir, "cpus", text, sizeof text), 1);
    assert_string_equal (text, "0");
    assert_int_equal (fd_read_file_at (place->dir, "mems", text, sizeof text), 1);
    assert_string_equal (text, "1");
}

/* In a mount namespace of its own: 0, 77 where it may not have one, or the line that failed. */
static int makes_a_cpuset_without_a_prefix (void)
{
    static const char *const directories[] = {"/sys/fs/cgroup/cpuset", "/sys/fs/cgroup/cpuset/a"};
    struct error err = {0};
    struct made made;
    char text[16];

    if (unshare (CLONE_NEWNS) < 0 || mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount ("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, NULL) < 0)
        return 77;
    for (size_t i = 0; i < 2; i++) {
        struct place place = {.path = ""};
        if (mkdir (directories[i], 0755) < 0)
            return __LINE__;
        place.dir = open (directories[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        put (&place, "cpus", i == 0 ? "0-1" : "");
        put (&place, "mems", i == 0 ? "0" : "");
    }
    if (v1_make ("cpuset", directories[1], &made, &err) < 0)
        return __LINE__;
    AUTO_FD int dir = open (directories[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd_read_file_at (dir, "cpus", text, sizeof text) < 0 || !text_equal (text, "0-1"))
        return __LINE__;
    if (fd_read_file_at (dir, "mems", text, sizeof text) < 0 || !text_equal (text, "0"))
        return __LINE__;
    return 0;
}

/* rows: CGM-16 CGM-14 */
static void new_cpusets_without_a_prefix_are_filled (void **state)
{
    int status;
    pid_t pid = fork ();

    (void)state;
    if (pid == 0)
        _exit (makes_a_cpuset_without_a_prefix ());
    assert_int_equal (waitpid (pid, &status, 0), pid);
    if (WEXITSTATUS (status) == 77) {
        print_message ("SKIP: no mount namespace of its own\n");
        skip ();
    }
    assert_int_equal (status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, begin, end)

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (each_kind_is_compared_in_its_way),
        TEST (what_is_effective_counts_for_cpusets),
        TEST (what_was_rounded_is_told),
        TEST (cpusets_without_a_prefix),
        cmocka_unit_test (new_cpusets_without_a_prefix_are_filled),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
