/* SPDX-License-Identifier: Apache-2.0 */
/* executable: where args[0] is found, and what is said where it is not. */
#include "base/cleanup.h"
#include "container/executable.h"

#include "in_child.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "kernel/privileges.h"

static char root[] = "/tmp/test_executable.XXXXXX";

static void make_file (const char *name, const char *bytes, size_t length, mode_t mode)
{
    int fd = open (name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode);

    assert_true (fd >= 0);
    assert_int_equal (write (fd, bytes, length), length);
    assert_int_equal (fchmod (fd, mode), 0);
    close (fd);
}

static void make_script (const char *name, const char *text, mode_t mode)
{
    make_file (name, text, strlen (text), mode);
}

/* Everything below is relative to this directory. */
static int enter_tree (void **state)
{
    (void)state;
    if (!mkdtemp (root) || chmod (root, 0755) < 0 || chdir (root) < 0 || mkdir ("a", 0755) < 0 ||
        mkdir ("b", 0755) < 0 || mkdir ("a/directory", 0755) < 0)
        return -1;
    make_script ("a/tool", "#!/bin/sh\n", 0755);
    make_script ("b/tool", "#!/bin/sh\n", 0755);
    make_script ("a/plain", "x", 0644);
    make_script ("b/plain", "#!/bin/sh\n", 0755);
    make_script ("a/onlyplain", "x", 0644);
    make_script ("here", "#!/bin/sh\n", 0755);
    make_script ("lost", "#!/no/such/interpreter -x\n", 0755);
    make_script ("nothing", "", 0755);
    make_script ("text", "hello\n", 0755);
    make_script ("ofroot", "#!/bin/sh\n", 0700);
    return symlink ("nowhere", "dangling");
}

static int leave_tree (void **state)
{
    static const char *const names[] = {"a/tool",      "b/tool", "a/plain",  "b/plain",
                                        "a/onlyplain", "here",   "lost",     "nothing",
                                        "text",        "ofroot", "dangling", "elf"};
    (void)state;
    for (size_t i = 0; i < sizeof (names) / sizeof (*names); i++)
        (void)unlink (names[i]);
    (void)rmdir ("a/directory");
    (void)rmdir ("a");
    (void)rmdir ("b");
    return chdir ("/") < 0 ? -1 : rmdir (root);
}

static int find (const char *arg0, const char *search, char *path, size_t size, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    char entry[128];
    char *items[] = {(char *)"X=1", entry, NULL};
    struct oci_strings env = {.count = search ? 2 : 1, .items = items, .present = true};
    char *found = NULL;

    if (search)
        (void)snprintf (entry, sizeof (entry), "PATH=%s", search);
    memset (err, 0, sizeof (*err));
    if (executable_find (&arena, arg0, &env, &found, err) < 0)
        return -1;
    (void)snprintf (path, size, "%s", found);
    return 0;
}

static void expect (const char *arg0, const char *search, const char *expected)
{
    char path[128];
    struct error err;

    if (find (arg0, search, path, sizeof (path), &err) < 0)
        fail_msg ("%s: %s", arg0, err.text);
    assert_string_equal (path, expected);
}

static void refuse (const char *arg0, const char *search, const char *code, const char *words,
                    const char *hint)
{
    char path[128];
    char line[1024];
    struct error err;

    assert_int_equal (find (arg0, search, path, sizeof (path), &err), -1);
    assert_string_equal (err.code, code);
    assert_string_equal (err.pointer, "/process/args/0");
    error_format (&err, line, sizeof (line));
    if (!strcasestr (line, words) || !strstr (err.hint, hint))
        fail_msg ("%s: %s", arg0, line);
}

/* rows: PRC-01 */
static void with_a_slash_it_is_a_path (void **state)
{
    (void)state;
    expect ("./here", "a:b", "./here");
    expect ("a/tool", NULL, "a/tool");
    expect ("/bin/sh", NULL, "/bin/sh");
    refuse ("./tool", "a:b", "RT-EXEC-MISSING", "no such file or directory", "");
    refuse ("/no/such", NULL, "RT-EXEC-MISSING", "no such file or directory", "");
    refuse ("./dangling", NULL, "RT-EXEC-MISSING", "no such file or directory", "");
}

/* rows: PRC-02 */
static void without_a_slash_it_is_searched (void **state)
{
    (void)state;
    expect ("tool", "a:b", "a/tool");
    expect ("tool", "b:a", "b/tool");
    expect ("tool", "/nope:b", "b/tool");
    expect ("here", "a:", "./here");
    expect ("here", ":a", "./here");
    expect ("here", "a::b", "./here");
    expect ("plain", "a:b", "b/plain");
    refuse ("here", "a:b", "RT-EXEC-MISSING", "executable file not found in $PATH", "");
}

/* rows: PRC-03 */
static void without_path_nothing_is_found (void **state)
{
    (void)state;
    refuse ("here", NULL, "RT-EXEC-MISSING", "executable file not found in $PATH",
            "PATH of process.env is absent or empty");
    refuse ("sh", NULL, "RT-EXEC-MISSING", "executable file not found in $PATH",
            "PATH of process.env is absent or empty");
    refuse ("here", "", "RT-EXEC-MISSING", "executable file not found in $PATH",
            "PATH of process.env is absent or empty");
    refuse ("", "a:b", "RT-EXEC-MISSING", "executable file not found in $PATH", "");
}

/* rows: PRC-04 */
static void what_may_not_run_is_denied (void **state)
{
    (void)state;
    refuse ("a/plain", NULL, "RT-EXEC-DENIED", "permission denied", "mode is 0644");
    refuse ("./a", NULL, "RT-EXEC-DENIED", "permission denied", "directory");
    refuse ("/dev/null", NULL, "RT-EXEC-DENIED", "permission denied", "");
    refuse ("onlyplain", "a:b", "RT-EXEC-MISSING", "not found in $PATH", "a/onlyplain may not");
    refuse ("directory", "a", "RT-EXEC-MISSING", "not found in $PATH", "");
}

static int as_user (void)
{
    struct error err;
    char path[64];

    CHECK (setresgid (1000, 1000, 1000) == 0 && setresuid (1000, 1000, 1000) == 0);
    CHECK (find ("./ofroot", NULL, path, sizeof (path), &err) == -1);
    CHECK (err.errnum == EACCES);
    CHECK (find ("./here", NULL, path, sizeof (path), &err) == 0);
    return 0;
}

/* CAP_DAC_OVERRIDE, without uid 0 */
static int as_user_with_override (void)
{
    struct error err;
    char path[64];

    CHECK (prctl (PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
    CHECK (setresgid (1000, 1000, 1000) == 0 && setresuid (1000, 1000, 1000) == 0);
    CHECK (capabilities_set (1 << 1, 1 << 1, 0) == 0);
    CHECK (find ("./ofroot", NULL, path, sizeof (path), &err) == 0);
    return 0;
}

/* rows: PRC-04 */
static void the_users_rights_count (void **state)
{
    (void)state;
    if (getuid () != 0)
        skip ();
    assert_int_equal (in_child (as_user), 0);
    assert_int_equal (in_child (as_user_with_override), 0);
}

static void explain (int errnum, const char *path, const char *code, const char *hint)
{
    struct error err;

    char bytes[4096];
    AUTO_FD int fd = open (path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read (fd, bytes, sizeof (bytes));

    assert_true (length >= 0);
    assert_int_equal (executable_explain (errnum, path, bytes, (size_t)length, &err), -1);
    assert_string_equal (err.code, code);
    assert_int_equal (err.errnum, errnum);
    if (!strstr (err.hint, hint))
        fail_msg ("%s: %s", path, err.hint);
}

/* rows: PRC-44 */
static void failed_exec_is_explained (void **state)
{
    (void)state;
    explain (ENOENT, "lost", "RT-EXEC-MISSING", "interpreter /no/such/interpreter is not");
    explain (ENOENT, "gone", "RT-EXEC-MISSING", "");
    explain (ENOEXEC, "nothing", "RT-EXEC-FORMAT", "empty");
    explain (ENOEXEC, "text", "RT-EXEC-FORMAT", "#!/bin/sh");
    explain (E2BIG, "here", "RT-EXEC-FAILED", "too long");

    Elf64_Ehdr header = {.e_machine = EM_S390};
    memcpy (header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    make_file ("elf", (const char *)&header, sizeof (header), 0755);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    explain (ENOEXEC, "elf", "RT-EXEC-FORMAT", "s390x");
#endif
}

struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segments[2];
    char interpreter[32];
};

static struct image make_image (void)
{
    struct image image = {
        .header = {.e_phoff = offsetof (struct image, segments), .e_phnum = 2},
        .segments = {{.p_type = PT_LOAD},
                     {.p_type = PT_INTERP,
                      .p_offset = offsetof (struct image, interpreter),
                      .p_filesz = sizeof ("/lib/ld.so")}},
        .interpreter = "/lib/ld.so",
    };

    memcpy (image.header.e_ident, ELFMAG, SELFMAG);
    image.header.e_ident[EI_CLASS] = ELFCLASS64;
    image.header.e_ident[EI_DATA] =
        __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    return image;
}

/* rows: PRC-44 */
static void interpreters_are_read (void **state)
{
    (void)state;
    char out[32];
    struct image image = make_image ();

    assert_true (executable_interpreter ((char *)&image, sizeof (image), out, sizeof (out)));
    assert_string_equal (out, "/lib/ld.so");
    assert_true (executable_interpreter ("#! /bin/x y\n", 12, out, sizeof (out)));
    assert_string_equal (out, "/bin/x");
    assert_true (executable_interpreter ("#!/bin/x\r\n", 10, out, sizeof (out)));
    assert_string_equal (out, "/bin/x\r");
    assert_false (executable_interpreter ("#!\n", 3, out, sizeof (out)));
    assert_false (executable_interpreter ("#!", 2, out, sizeof (out)));
    assert_false (executable_interpreter ("", 0, out, sizeof (out)));
    assert_false (executable_interpreter ((char *)&image, sizeof (image), out, 5));
}

/* A hostile file: every cut and every byte changed; AddressSanitizer watches. */
static void hostile_images_are_harmless (void **state)
{
    (void)state;
    char out[32];

    for (size_t length = 0; length <= sizeof (struct image); length++) {
        struct image image = make_image ();
        char *copy = malloc (length + 1);
        memcpy (copy, &image, length);
        (void)executable_interpreter (copy, length, out, sizeof (out));
        free (copy);
    }
    for (size_t at = 0; at < offsetof (struct image, interpreter); at++)
        for (int bit = 0; bit < 8; bit++) {
            struct image image = make_image ();
            ((unsigned char *)&image)[at] ^= (unsigned char)(1 << bit);
            (void)executable_interpreter ((char *)&image, sizeof (image), out, sizeof (out));
        }
    struct image image = make_image ();
    image.header.e_phoff = UINT64_MAX - 40;
    assert_false (executable_interpreter ((char *)&image, sizeof (image), out, sizeof (out)));
    image = make_image ();
    image.segments[1].p_offset = UINT64_MAX;
    assert_false (executable_interpreter ((char *)&image, sizeof (image), out, sizeof (out)));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (with_a_slash_it_is_a_path),
        cmocka_unit_test (without_a_slash_it_is_searched),
        cmocka_unit_test (without_path_nothing_is_found),
        cmocka_unit_test (what_may_not_run_is_denied),
        cmocka_unit_test (the_users_rights_count),
        cmocka_unit_test (failed_exec_is_explained),
        cmocka_unit_test (interpreters_are_read),
        cmocka_unit_test (hostile_images_are_harmless),
    };

    return cmocka_run_group_tests (tests, enter_tree, leave_tree);
}
