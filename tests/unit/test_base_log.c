/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's formats, levels and sinks.
 */
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"

#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#define TIME "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9}Z"

static char directory[] = "/tmp/rt-test-log-XXXXXX";

static void matches (const char *pattern, const char *string)
{
    regex_t regex;
    assert_int_equal (regcomp (&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int result = regexec (&regex, string, 0, NULL, 0);
    regfree (&regex);
    if (result != 0)
        fail_msg ("`%s` does not match %s", string, pattern);
}

static const char *log_path (const char *name)
{
    static char path[128];
    (void)snprintf (path, sizeof path, "%s/%s", directory, name);
    return path;
}

/* What the file holds now; and back to standard error. */
static const char *content (const char *name)
{
    static char bytes[8192];
    struct error err;
    assert_int_equal (log_open (NULL, LOG_FORMAT_TEXT, LOG_LEVEL_ERROR, &err), 0);
    assert_true (fd_read_file_at (AT_FDCWD, log_path (name), bytes, sizeof bytes) >= 0);
    return bytes;
}

static void opened (const char *name, enum log_format format, enum log_level level)
{
    struct error err;
    assert_int_equal (log_open (log_path (name), format, level, &err), 0);
}

/* rows: CLI-05 CLI-13 */
static void text_lines (void **state)
{
    (void)state;
    opened ("text", LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
    log_warning ("one %d", 1);
    log_debug ("not this");
    log_text (LOG_LEVEL_ERROR, "two\nlines\x1b");
    log_warning ("C1 \x9b \xc2\x9b is hidden, \xc3\xa9 is not");
    matches ("^" TIME " warning: one 1\n" TIME " error: two\\\\x0alines\\\\x1b\n" TIME
             " warning: C1 \\\\x9b \\\\xc2\\\\x9b is hidden, \xc3\xa9 is not\n$",
             content ("text"));
}

/* rows: CLI-05 CLI-43 */
static void file_is_appended_with_its_mode (void **state)
{
    (void)state;
    mode_t old = umask (0077);
    opened ("append", LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG);
    (void)umask (old);
    struct stat st;
    assert_int_equal (stat (log_path ("append"), &st), 0);
    assert_int_equal (st.st_mode & 07777, 0644);
    log_debug ("first");
    opened ("append", LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG);
    log_debug ("second");
    matches ("^" TIME " debug: first\n" TIME " debug: second\n$", content ("append"));
}

/* rows: CLI-11 ENG-08 */
static void json_lines_begin_with_level_msg_time (void **state)
{
    (void)state;
    opened ("json", LOG_FORMAT_JSON, LOG_LEVEL_DEBUG);
    log_debug ("say \"%s\"", "hi\n");
    log_warning ("w");
    matches ("^\\{\"level\":\"debug\",\"msg\":\"say \\\\\"hi\\\\n\\\\\"\",\"time\":\"" TIME
             "\"\\}\n"
             "\\{\"level\":\"warning\",\"msg\":\"w\",\"time\":\"" TIME "\"\\}\n$",
             content ("json"));
}

/* rows: CLI-12 ENG-08 */
static void error_goes_to_the_file_and_to_standard_error (void **state)
{
    (void)state;
    int pipe_fds[2];
    int saved = dup (STDERR_FILENO);
    assert_int_equal (pipe2 (pipe_fds, O_CLOEXEC), 0);
    opened ("error", LOG_FORMAT_JSON, LOG_LEVEL_ERROR);

    struct error err;
    error_set (&err, "RT-MOUNT-SOURCE", ENOENT, "mount `/x`");
    error_at (&err, "/mounts/0");
    error_hint (&err, "make it");
    err.line = 3;
    err.column = 9;
    (void)snprintf (err.phase, sizeof err.phase, "mounts");
    assert_int_equal (dup2 (pipe_fds[1], STDERR_FILENO), STDERR_FILENO);
    log_error_value (&err);
    assert_int_equal (dup2 (saved, STDERR_FILENO), STDERR_FILENO);
    (void)close (saved);
    (void)close (pipe_fds[1]);

    static const char message[] = "mount `/x`: no such file or directory (config.json:3:9 "
                                  "/mounts/0; make it)";
    char line[512], expected[1024];
    assert_true (fd_read_small (pipe_fds[0], line, sizeof line) > 0);
    (void)close (pipe_fds[0]);
    (void)snprintf (expected, sizeof expected, "rt: error: %s\n", message);
    assert_string_equal (line, expected);

    const char *json = content ("error");
    (void)snprintf (expected, sizeof expected, "{\"level\":\"error\",\"msg\":\"%s\",\"time\":\"",
                    message);
    assert_true (strncmp (json, expected, strlen (expected)) == 0);
    matches (
        "\"code\":\"RT-MOUNT-SOURCE\",\"phase\":\"mounts\",\"errno\":2,\"file\":\"config.json\","
        "\"line\":3,\"column\":9,\"pointer\":\"/mounts/0\",\"hint\":\"make it\"\\}\n$",
        json);
}

struct caught {
    int count;
    enum log_level level;
    char text[64];
};

static void catch (void *context, enum log_level level, const char *text)
{
    struct caught *caught = context;
    caught->count++;
    caught->level = level;
    (void)snprintf (caught->text, sizeof caught->text, "%s", text);
}

/* rows: CLI-15 */
static void redirected_messages_leave_the_sink_alone (void **state)
{
    (void)state;
    struct caught caught = {0};
    opened ("redirect", LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
    log_redirect (catch, &caught);
    log_debug ("below the level");
    log_warning ("from %s", "inside");
    log_redirect (NULL, NULL);
    assert_int_equal (caught.count, 1);
    assert_int_equal (caught.level, LOG_LEVEL_WARNING);
    assert_string_equal (caught.text, "from inside");
    assert_string_equal (content ("redirect"), "");
}

/* rows: CLI-05 CLI-06 CLI-09 */
static void backends (void **state)
{
    (void)state;
    struct error err;
    assert_int_equal (log_open ("foo:bar", LOG_FORMAT_TEXT, LOG_LEVEL_ERROR, &err), -1);
    assert_non_null (strstr (err.text, "`foo`"));
    assert_int_equal (log_open ("/nowhere/at/all", LOG_FORMAT_TEXT, LOG_LEVEL_ERROR, &err), -1);
    assert_int_equal (err.errnum, ENOENT);

    char path[160];
    (void)snprintf (path, sizeof path, "file:%s", log_path ("a:b"));
    assert_int_equal (log_open (path, LOG_FORMAT_TEXT, LOG_LEVEL_ERROR, &err), 0);
    log_text (LOG_LEVEL_ERROR, "here");
    matches ("^" TIME " error: here\n$", content ("a:b"));
}

static int make_directory (void **state)
{
    (void)state;
    return mkdtemp (directory) ? 0 : -1;
}

static int remove_directory (void **state)
{
    (void)state;
    static const char *const names[] = {"text", "append", "json", "error", "redirect", "a:b"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink (log_path (names[i]));
    return rmdir (directory);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (text_lines),
        cmocka_unit_test (file_is_appended_with_its_mode),
        cmocka_unit_test (json_lines_begin_with_level_msg_time),
        cmocka_unit_test (error_goes_to_the_file_and_to_standard_error),
        cmocka_unit_test (redirected_messages_leave_the_sink_alone),
        cmocka_unit_test (backends),
    };
    return cmocka_run_group_tests (tests, make_directory, remove_directory);
}
